"""Flags and words: each command is a module with a `main`."""

import importlib
import sys
from typing import Any


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
