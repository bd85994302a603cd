"""Commands of a few plain flags: mistakes in one line, nothing overwritten."""

import argparse
import contextlib
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from structae import files, hub, shipped, streams
from structae.commands import all_cores
from structae.config import ConfigError, saved

# What a disk says that takes no more, which is no fault of the input.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_LONGEST_NAME = 230  # bytes; a temporary beside it has some more, 255 at most

# Flags of `structae train` alone, see `joining`.
OF_SEVERAL = (
  '--distributed', '--coordinator', '--num_processes', '--process_id',
  '--processes',
)  # fmt: skip


class Failed(RuntimeError):
  """Something went wrong that is not the input's fault; one line."""


class _Help(argparse.Action):
  """Prints the help, which may be about the arguments beside it."""

  def __call__(
    self,
    parser: argparse.ArgumentParser,
    namespace: argparse.Namespace,
    values: Any,
    option_string: str | None = None,
  ) -> None:
    assert isinstance(parser, Parser)
    if parser.epilog_of:
      try:
        parser.epilog = parser.epilog_of(namespace)
      except ConfigError as error:
        parser.error(str(error))
    parser.print_help()
    parser.exit()


class Parser(argparse.ArgumentParser):
  """Says what is wrong in one line; the exit code is 2.

  Attributes:
    epilog_of: what `--help` prints below the flags, given the others.
  """

  epilog_of: Callable[[argparse.Namespace], str] | None = None

  def __init__(self, prog: str, description: str | None = None, **options: Any):
    """Makes the parser of a command.

    Args:
      prog: how the command is called, such as `structae sample`.
      description: what `--help` prints above the flags.
      **options: of `argparse.ArgumentParser`.
    """
    super().__init__(
      prog=prog,
      description=description,
      allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter,
      add_help=False,
      **options,
    )
    self.add_argument(
      '-h', '--help', action=_Help, nargs=0, help='show this and end'
    )
    self.register('type', Path, path)

  def parse_known_args(  # type: ignore[override]
    self, args: Sequence[str] | None = None, namespace: Any = None
  ) -> tuple[Any, list[str]]:
    """Parses; `--flag=--`, which argparse takes for no value, is refused.

    Help comes last, so that it can be about what is asked for.
    """
    args = sys.argv[1:] if args is None else args
    args = sorted(args, key=lambda text: text in ('-h', '--help'))
    for text in args:
      flag = text.partition('=')[0]
      if flag in OF_SEVERAL and flag not in self._option_string_actions:
        self.error(f'{self.prog} is one process; {flag} is of `structae train`')
      if text.startswith('--') and text.endswith('=--'):
        self.error(f"{text[:-3]} is '--'; give a value")
    return super().parse_known_args(args, namespace)

  def print_help(self, file: Any = None) -> None:
    """Prints the help; ends the command if nobody reads it."""
    code = run(lambda: argparse.ArgumentParser.print_help(self, file))
    if code:
      self.exit(code)

  def error(self, message: str) -> NoReturn:
    """Ends the command."""
    with streams.lossy():
      complain(f'{message} (see --help)')
    self.exit(2)


def run(main: Callable[[], object]) -> int:
  """Runs a command; what goes wrong ends in one line on stderr.

  Args:
    main: the command. It raises ValueError or OSError where the input is to
      blame; anything else is a defect, and keeps its traceback.

  Returns:
    The exit code: 0, 1 for a failure, 2 for bad input, 130 if stopped by the
    keyboard. What is printed may be lost, see `streams`: the work is done all
    the same, and the code is 1.
  """
  all_cores.use()
  with streams.lossy() as out:
    try:
      main()
      out.flush()
    except (Failed, ValueError, OSError) as error:
      complain(_text(error))
      is_full = isinstance(error, OSError) and error.errno in _FULL
      return 1 if is_full or isinstance(error, Failed) else 2
    except KeyboardInterrupt:
      print('stopped', file=sys.stderr)
      return 130
    if out.error and not isinstance(out.error, BrokenPipeError):
      complain(f'what was printed is lost ({out.error.strerror})')
    return 1 if out.error else 0


def _text(error: Exception) -> str:
  if isinstance(error, OSError) and error.filename and error.strerror:
    return f'{error.filename!s:.200}: {error.strerror}'
  return str(error)


def complain(message: str) -> None:
  """Prints an error in one line, whatever it repeats of the user's."""
  streams.note(f'error: {message}')


def path(text: str) -> Path:
  """The type of a flag that is a path; `~` is the home folder.

  Stands for `Path` in every `Parser`.
  """
  shown = f'{text[:60]}...' if len(text) > 60 else text
  try:
    found = Path(text).expanduser()
    if not text:
      raise argparse.ArgumentTypeError('it is empty; give a path')
    found.stat()
  except (FileNotFoundError, NotADirectoryError):
    pass
  except RuntimeError as error:
    raise argparse.ArgumentTypeError(
      f'{shown!r}: there is no such home folder'
    ) from error
  except OSError as error:
    raise argparse.ArgumentTypeError(f'{shown!r}: {error.strerror}') from error
  return found


def at_least(low: int) -> Callable[[str], int]:
  """The type of a flag that is a whole number from `low`."""

  def parse(text: str) -> int:
    if not text.isdecimal() or not low <= int(text) < 2**31:
      raise argparse.ArgumentTypeError(
        f'{text!r}; expected a whole number from {low}'
      )
    return int(text)

  return parse


def check_folder(folder: Path) -> None:
  """Refuses what is no run and no saved model, before jax loads.

  A model of the hub is fetched later.

  Raises:
    ConfigError: one line.
  """
  if not hub.is_on_hub(folder):
    saved.read(shipped.place(folder) / 'config.json')


def check_new(path: Path, suffixes: tuple[str, ...]) -> Path:
  """Refuses an output that exists or whose ending says nothing.

  Args:
    path: where to write.
    suffixes: the endings of the files that can be written; '' is a folder.

  Raises:
    ConfigError: one line.
  """
  if path.suffix not in suffixes:
    kinds = [f'a {s} file' if s else 'a folder' for s in suffixes]
    raise ConfigError(f'{path}: expected {" or ".join(kinds)}')
  if os.path.lexists(path):  # a link to nothing, too
    raise ConfigError(f'{path} exists; give another name, or move it away')
  check_parent(path)
  return path


def check_parent(path: Path) -> None:
  """Refuses an output whose folder takes no files, or cannot be made.

  Raises:
    ConfigError: one line.
  """
  if len(os.fsencode(path.name)) > _LONGEST_NAME:
    raise ConfigError(
      f'{path.name[:60]}... is too long for a name; give at most '
      f'{_LONGEST_NAME} letters'
    )
  parent = next(p for p in path.absolute().parents if p.exists())
  reason = files.refusal(parent)
  if reason:
    raise ConfigError(
      f'{path}: nothing can be written into {parent} ({reason})'
    )


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
  """Gives a folder to fill that becomes `path`, whole or not at all."""
  path.parent.mkdir(parents=True, exist_ok=True)
  temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
  try:
    temporary.mkdir()
    yield temporary
    temporary.rename(path)
  finally:
    shutil.rmtree(temporary, ignore_errors=True)
