"""Libraries that are not always there: which extra brings them."""

import importlib
from typing import Any


class Missing(ImportError, ValueError):
  """A library that an extra of structae brings; one line for the user.

  What was asked for cannot be had as things are: a ValueError, too.
  """


def require(module: str, extra: str, what: str) -> Any:
  """Imports a library that an extra brings.

  Args:
    module: its name.
    extra: the extra, of those in pyproject.toml.
    what: what needs it, the beginning of the message.

  Returns:
    The module.

  Raises:
    Missing: if it is not installed; says what to install.
  """
  try:
    return importlib.import_module(module)
  except ImportError as error:
    library = module.partition('.')[0]
    raise Missing(
      f"{what} needs {library}: pip install 'structae[{extra}]'"
    ) from error
