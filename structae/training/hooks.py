"""A function of the user's that is called with every row of metrics.

Imports no jax, so that a mistake is answered at once.
"""

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from structae import streams
from structae.config import ConfigError


class Hook:
  """Calls a function with rows; what it raises costs the run nothing."""

  def __init__(
    self,
    name: str,
    function: Callable[[dict[str, Any]], object],
    beside: Mapping[str, Any],
  ):
    """Prepares to call a function.

    Args:
      name: what it is called in messages.
      function: takes a row, `step`, `loss` and its other numbers by name.
      beside: what every row holds besides.
    """
    self._name, self._function, self._beside = name, function, beside
    self._has_failed = False

  def __call__(self, row: Mapping[str, Any]) -> str:
    """Calls the function with a copy of a row.

    Args:
      row: the row.

    Returns:
      A line about what went wrong, the first time that it does, or ''.
    """
    try:
      self._function({**self._beside, **row})
    except (Exception, SystemExit) as error:  # whatever it may raise
      if not self._has_failed:
        self._has_failed = True
        return streams.letters(
          f'train.hook {self._name} failed at step {row["step"]}: '
          f'{type(error).__name__}: {error}; training goes on'
        )
    return ''


def load(name: str, **beside: Any) -> Hook | None:
  """Imports the hook of a configuration.

  Args:
    name: `module:function`, importable from here; '' for none.
    **beside: what every row holds besides.

  Raises:
    ConfigError: one line, if there is no such function.
  """
  if not name:
    return None
  module, _, path = name.partition(':')
  if os.getcwd() not in sys.path:
    sys.path.insert(0, os.getcwd())  # as `python -m` has it
  try:
    function: Any = importlib.import_module(module)
    for part in path.split('.'):
      function = getattr(function, part)
  except (Exception, SystemExit) as error:  # whatever the module may raise
    raise ConfigError(
      f'train.hook is {name}, which cannot be imported: '
      f'{type(error).__name__}: {error!s:.300}'
    ) from error
  if not callable(function):
    raise ConfigError(f'train.hook is {name}, which is no function')
  return Hook(name, function, beside)
