"""Flags and words: each command is a module with a `main`."""

import atexit
import importlib
import signal
import sys
import types
from typing import Any


def say(
  kind: type[BaseException],
  error: BaseException,
  trace: types.TracebackType | None,
) -> None:
  """Says in one line that Ctrl-C has stopped a program: a `sys.excepthook`."""
  if issubclass(kind, KeyboardInterrupt):
    print('stopped', file=sys.stderr)
  else:
    sys.__excepthook__(kind, error, trace)


def start(module: str, *args: Any, **options: Any) -> int:
  """Imports a command and runs it; Ctrl-C is one line even meanwhile.

  Args:
    module: its name.
    *args: of its `main`.
    **options: of its `main`.

  Returns:
    The exit code.
  """
  try:
    return importlib.import_module(f'structae.commands.{module}').main(
      *args, **options
    )
  except KeyboardInterrupt:
    print('stopped', file=sys.stderr)
    return 130
  finally:
    # What ends here has been said and saved: Ctrl-C ends the rest at once. The
    # last that is registered runs first, before what jax cleans up.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_DFL)
