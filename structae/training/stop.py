"""SIGTERM, SIGHUP and Ctrl-C ask a run to stop where nothing is lost."""

import contextlib
import os
import signal
import socket
import threading
from types import FrameType

# A terminal that is closed sends SIGHUP; Windows has none.
SIGNALS = [
  getattr(signal, name)
  for name in ('SIGTERM', 'SIGINT', 'SIGHUP')
  if hasattr(signal, name)
]
_STDERR = 2


class Interrupted(Exception):
  """The run was asked to stop and has saved its state."""


class Stop:
  """Notes the first signal; a second one ends the process at once.

  Attributes:
    requested: whether a signal has come.
  """

  def __init__(self, answer: str = ''):
    """Prepares to note signals.

    Args:
      answer: a line that the first signal is answered with, at once. Python
        itself hears of a signal only between two calls of the device, which may
        be a minute later: a thread is told of it by the system.
    """
    self.requested = False
    self._answer = answer

  def __enter__(self) -> 'Stop':
    self._old = {
      number: signal.signal(number, self._note) for number in SIGNALS
    }
    if self._answer:
      # Not a pipe: Windows knows no pipe that does not block.
      self._reader, self._writer = socket.socketpair()
      self._writer.setblocking(False)
      self._before = signal.set_wakeup_fd(
        self._writer.fileno(), warn_on_full_buffer=False
      )
      threading.Thread(target=self._listen, daemon=True).start()
    return self

  def __exit__(self, *error: object) -> None:
    self._restore()
    if self._answer:
      signal.set_wakeup_fd(self._before)
      self._writer.close()  # which ends the thread

  def check(self, where: str) -> None:
    """Raises `Interrupted`, saying where, if a signal has come."""
    if self.requested:
      raise Interrupted(where)

  def _note(self, number: int, frame: FrameType | None) -> None:
    self.requested = True
    self._restore()

  def _restore(self) -> None:
    for number, handler in self._old.items():
      signal.signal(number, handler)

  def _listen(self) -> None:
    """Answers the first signal; the system writes its number."""
    answered = False
    with self._reader:
      while number := self._reader.recv(1):
        if number[0] in SIGNALS and not answered:
          answered = True
          with contextlib.suppress(OSError):  # nobody reads it
            start = '\n' if os.isatty(_STDERR) else ''  # below a bar
            os.write(_STDERR, f'{start}{self._answer}\n'.encode())
