"""The `config.json` beside parameters, of a run or of a saved model."""

import json
from pathlib import Path
from typing import Any

from structae import config as config_lib
from structae.config import ConfigError, checks


def read(folder: Path) -> tuple[Any, dict[str, Any]]:
  """Reads the resolved configuration, and all of the `config.json` it is in.

  Args:
    folder: of a run, or of a saved model.

  Returns:
    The configuration, fields that the file lacks at their defaults; and the
    content of the file.

  Raises:
    ConfigError: if there is none, or it is damaged.
  """
  path = folder / 'config.json'
  if not path.is_file():
    what = 'has no config.json' if folder.is_dir() else 'is no folder'
    raise ConfigError(
      f'{folder} is no folder of a run or of a saved model: it {what}'
    )
  try:
    content = json.loads(path.read_text('utf-8'))
    values = config_lib.flat(content['config'])
    str(content['config_hash']), str(content['name'])
  except (ValueError, KeyError, TypeError, AttributeError) as error:
    raise ConfigError(f'{path} is damaged: {error!r}') from error
  return resolve(values, path), content


def resolve(values: dict[str, Any], where: object) -> Any:
  """Makes a configuration of fields by their dotted names.

  Raises:
    ConfigError: names the field that is unknown, or whose value is of no use.
  """
  for name, value in values.items():
    if name not in config_lib.FIELDS:
      raise ConfigError(f'{where} has a field that is unknown here: {name}')
    field = config_lib.FIELDS[name]
    if not field.valid(value):
      raise ConfigError(
        f'{where}: {name} is {value!r}; expected {field.expected}'
      )
  config = config_lib.default_config()
  tuples = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
  with config.ignore_type():  # 1 where 1.0 is meant
    config_lib.update(config, values | tuples)
  return config


def check_model(config: Any) -> None:
  """Refuses a model whose parts do not fit; its data may be elsewhere.

  Raises:
    ConfigError: names the field, its value and what was expected.
  """
  resolve(config_lib.flat(config), 'config')
  size = config.data.size
  if size & (size - 1):
    raise ConfigError(f'data.size is {size}; expected a power of two')
  checks.check_model(config.model, size)
