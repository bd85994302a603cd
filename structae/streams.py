"""Output that fails costs no work: what nobody takes any more is dropped."""

import contextlib
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import Any


class Lossy:
  """A text stream that drops what cannot be written, and notes why.

  Attributes:
    error: what went wrong first, or None: the reader has left, the disk is
      full, the terminal is closed.
  """

  def __init__(self, stream: Any):
    """Wraps a stream.

    Args:
      stream: None takes everything: the process was started without it.
    """
    self._stream = stream
    self.error: OSError | None = None

  @property
  def closed(self) -> bool:
    """Whether nothing can be written to it."""
    return self._stream is None or self._stream.closed

  def write(self, text: str) -> int:
    """Writes text as far as it goes; returns its length."""
    try:
      self._try('write', text)
    except UnicodeEncodeError:  # letters that the terminal does not have
      coding = self._stream.encoding
      text = text.encode(coding, 'backslashreplace').decode(coding)
      self._try('write', text)
    return len(text)

  def flush(self) -> None:
    """Writes what is buffered, as far as it goes."""
    self._try('flush')

  def isatty(self) -> bool:
    """Whether it is a terminal."""
    return not self.closed and self._stream.isatty()

  def _try(self, method: str, *args: str) -> None:
    if self.closed or self.error:
      return
    try:
      getattr(self._stream, method)(*args)
    except OSError as error:
      self.error = error
      # What is still buffered would fail again as the process ends.
      with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

  def __getattr__(self, name: str) -> Any:
    return getattr(self._stream, name)


def columns() -> int:
  """The width of the terminal that stdout is, 0 if it is none."""
  is_terminal = sys.stdout is not None and sys.stdout.isatty()
  return shutil.get_terminal_size().columns if is_terminal else 0


def fitted(text: str) -> str:
  """The lines of a text, none wider than the terminal; paths stay whole."""
  width = columns()
  if not width:
    return text
  wrap = lambda line: textwrap.fill(
    line,
    width - 1,
    subsequent_indent='  ',
    break_long_words=False,
    break_on_hyphens=False,
  )
  lines = text.split('\n')
  return '\n'.join(x if len(x) <= width else wrap(x) for x in lines)


@contextlib.contextmanager
def lossy() -> Iterator[Lossy]:
  """Makes stdout and stderr lossy; gives stdout."""
  before = sys.stdout, sys.stderr
  out, err = (Lossy(stream) for stream in before)
  sys.stdout, sys.stderr = out, err  # type: ignore[assignment]
  try:
    yield out
  finally:
    out.flush()
    err.flush()
    sys.stdout, sys.stderr = before


_LONGEST = 2000  # letters of a line


def letters(message: str) -> str:
  """One line that a terminal shows as it is, whatever it repeats."""
  words = ' '.join(message.split())
  line = ''.join(x if x.isprintable() else ascii(x)[1:-1] for x in words)
  return f'{line[:_LONGEST]}...' if len(line) > _LONGEST else line


def note(message: str) -> None:
  """Prints one line on stderr, whatever it repeats of names and files."""
  print(letters(message), file=sys.stderr)
