"""The `config.json` beside parameters: of a run, or of a saved model."""

from pathlib import Path
from typing import Any

import ml_collections

from structae import files
from structae.config.errors import ConfigError
from structae.config.resolve import flat, resolve


def read(path: Path) -> tuple[ml_collections.ConfigDict, dict[str, Any]]:
  """Reads the resolved configuration, and all of the `config.json` it is in.

  Args:
    path: the file.

  Returns:
    The configuration, fields that the file lacks at their defaults; and the
    content of the file.

  Raises:
    ConfigError: if there is none, or it is damaged.
  """
  if not path.is_file():
    folder = path.parent
    what = 'has no config.json' if folder.is_dir() else 'is no folder'
    raise ConfigError(
      f'{folder} is no folder of a run or of a saved model: it {what}'
    )
  try:
    content = files.read_object(path)
    values = flat(content['config'])
    str(content['config_hash']), str(content['name'])
  except (ValueError, KeyError, AttributeError, RecursionError) as error:
    reason = error if type(error) is ValueError else f'it lacks {error}'
    raise ConfigError(f'{path} is damaged: {reason}') from error
  config = resolve(values, path)
  config.train.hook = ''  # of whoever trained it: nothing in a file is run
  return config, content
