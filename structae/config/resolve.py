"""Configurations made of fields, and checked; see `fields.FIELDS`."""

from collections.abc import Iterator
from typing import Any

import ml_collections

from structae.config import checks, graphs, presets
from structae.config.elsewhere import hint
from structae.config.errors import ConfigError
from structae.config.fields import FIELDS
from structae.data import catalog, hold_out


def default_config() -> ml_collections.ConfigDict:
  """Every field at its default."""
  config = ml_collections.ConfigDict()
  for name, field in FIELDS.items():
    section, _, leaf = name.rpartition('.')
    parent = config
    if section:
      if section not in config:
        config[section] = ml_collections.ConfigDict()
      parent = config[section]
    parent[leaf] = field.default
  return config


def update(config: ml_collections.ConfigDict, values: dict[str, Any]) -> None:
  """Sets fields by their dotted names."""
  for name, value in values.items():
    section, _, leaf = name.rpartition('.')
    (config[section] if section else config)[leaf] = value


def change(config: ml_collections.ConfigDict, name: str, value: Any) -> None:
  """Sets a field, if the value is one that it takes.

  Args:
    config: a configuration.
    name: the dotted name of the field.
    value: its new value.

  Raises:
    ConfigError: names the field, the value and what was expected.
  """
  if not FIELDS[name].valid(value):
    shown = list(value) if isinstance(value, tuple) else value
    raise ConfigError(
      f'{name} is {shown!r:.200}; expected {FIELDS[name].expected}'
    )
  with config.ignore_type():  # 1 where 1.0 is meant
    update(config, {name: tuple(value) if type(value) is list else value})


def full_name(name: str) -> str:
  """The dotted name of a field, of which the last part may be enough.

  Raises:
    ConfigError: if there is none, or several.
  """
  found = [f for f in FIELDS if f == name or f.rpartition('.')[2] == name]
  if name in FIELDS or len(found) == 1:
    return name if name in FIELDS else found[0]
  if found:
    raise ConfigError(f'{name} is ambiguous: give {" or ".join(found)}')
  raise ConfigError(f'there is no field {name}{hint(name)}')


def flat(config: Any) -> dict[str, Any]:
  """Lists a config's fields by their dotted names, tuples as lists."""

  def walk(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
      if hasattr(value, 'items'):
        yield from walk(value, f'{prefix}{name}.')
      else:
        yield prefix + name, list(value) if isinstance(value, tuple) else value

  return dict(walk(config, ''))


def check(config: ml_collections.ConfigDict) -> None:
  """Refuses what cannot be run.

  Args:
    config: the resolved configuration.

  Raises:
    ConfigError: names the field, its value and what was expected.
  """
  values = flat(config)
  for name, value in values.items():
    if name not in FIELDS:
      raise ConfigError(f'there is no field {name}{hint(name)}')
    if not FIELDS[name].valid(value):
      raise ConfigError(
        f'{name} is {value!r:.200}; expected {FIELDS[name].expected}'
      )
  missing = [name for name in FIELDS if name not in values]
  if missing:
    raise ConfigError(f'the config lacks {", ".join(missing)}')
  checks.check_data(config.data)
  checks.check_model(config.model, config.data.size)
  checks.check_objective(config)
  checks.check_train(config.train)
  checks.check_labels(config)


def model_written_out(config: ml_collections.ConfigDict) -> dict[str, Any]:
  """What a model leaves to a preset or to a file, said in full.

  No later change of a preset, and no loss of a file, then changes the model.

  Args:
    config: a configuration, the model of which is checked.

  Returns:
    Values by the dotted names of their fields.
  """
  values: dict[str, Any] = presets.widths(config)
  if config.model.decoder == 'graph':
    values[graphs.FIELD] = str(graphs.parse(config.model.graph))
  return values


def written_out(config: ml_collections.ConfigDict) -> dict[str, Any]:
  """The same of a run; what is the same is then spelled the same.

  Args:
    config: a checked configuration.
  """
  values = model_written_out(config)
  factors = catalog.get(config.data.name).factors
  if '=' in config.data.hold_out and factors:
    values['data.hold_out'] = hold_out.written(config.data.hold_out, factors)
  return values


def resolve(values: dict[str, Any], where: object) -> ml_collections.ConfigDict:
  """Makes a configuration of fields by their dotted names, as a file has them.

  Args:
    values: the fields; those that are not there are at their defaults.
    where: the file, for messages.

  Returns:
    The configuration; how fields fit together is not checked.

  Raises:
    ConfigError: names the field that is unknown, or whose value is of no use.
  """
  for name, value in values.items():
    if name not in FIELDS:
      raise ConfigError(f'{where} has a field that is unknown here: {name:.80}')
    if not FIELDS[name].valid(value):
      raise ConfigError(
        f'{where}: {name} is {value!r:.200}; expected {FIELDS[name].expected}'
      )
  config = default_config()
  tuples = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
  with config.ignore_type():  # 1 where 1.0 is meant
    update(config, values | tuples)
  return config


def check_model(config: ml_collections.ConfigDict) -> None:
  """Refuses a model whose parts do not fit; its data may be elsewhere.

  Args:
    config: a configuration.

  Raises:
    ConfigError: names the field, its value and what was expected.
  """
  resolve(flat(config), 'config')
  size = config.data.size
  if size & (size - 1):
    raise ConfigError(f'data.size is {size}; expected a power of two')
  checks.check_model(config.model, size)
