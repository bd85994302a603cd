"""Commands of a few plain flags: mistakes in one line, nothing overwritten."""

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from structae.config import ConfigError, saved


class Failed(RuntimeError):
  """Something went wrong that is not the input's fault; one line."""


class Parser(argparse.ArgumentParser):
  """Says what is wrong in one line; the exit code is 2."""

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
      **options,
    )

  def print_help(self, file: Any = None) -> None:
    """Prints the help; ends the command if nobody reads it."""
    code = run(lambda: argparse.ArgumentParser.print_help(self, file))
    if code:
      self.exit(code)

  def error(self, message: str) -> NoReturn:
    """Ends the command."""
    self.exit(2, f'error: {" ".join(message.split())} (see --help)\n')


def run(main: Callable[[], object]) -> int:
  """Runs a command; what goes wrong ends in one line on stderr.

  Args:
    main: the command. It raises ValueError or OSError where the input is to
      blame; anything else is a defect, and keeps its traceback.

  Returns:
    The exit code: 0, 1 for a failure, 2 for bad input, 130 if stopped by the
    keyboard.
  """
  try:
    main()
    sys.stdout.flush()
    return 0
  except BrokenPipeError:
    # Who read the output, such as `head`, has left; the last flush would fail.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
  except (Failed, ValueError, OSError) as error:
    print(f'error: {" ".join(str(error).split())}', file=sys.stderr)
    return 1 if isinstance(error, Failed) else 2
  except KeyboardInterrupt:
    print('stopped', file=sys.stderr)
    return 130


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
  """Refuses what is no folder of a run or of a saved model, before jax loads.

  Raises:
    ConfigError: one line.
  """
  saved.read(folder / 'config.json')


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
  if path.exists():
    raise ConfigError(f'{path} exists; give another name, or move it away')
  check_parent(path)
  return path


def check_parent(path: Path) -> None:
  """Refuses an output whose folder takes no files, or cannot be made.

  Raises:
    ConfigError: one line.
  """
  parent = next(p for p in path.absolute().parents if p.exists())
  if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
    raise ConfigError(f'{path}: nothing can be written into {parent}')


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
