"""Configurations: made, checked, and told apart by what they compute.

Imports no jax, so that a mistake is answered at once.
"""

import difflib
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import ml_collections

from structae.config import checks
from structae.config.checks import ConfigError
from structae.config.fields import FIELDS, Field
from structae.config.presets import PRESETS, VARIATIONAL, WITH_PRIOR, widths

__all__ = [
  'ConfigError', 'FIELDS', 'Field', 'PRESETS', 'VARIATIONAL', 'WITH_PRIOR',
  'check', 'config_hash', 'default_config', 'differences', 'flat', 'identity',
  'update', 'widths',
]  # fmt: skip


# May change when a run is resumed: none changes what is trained or encoded.
RESUMABLE = frozenset(
  ['train.num_steps', 'train.log_every', 'train.validate_every',
   'train.save_minutes', 'train.steps_per_dispatch',
   'data.storage', 'data.verify',
   'evaluation.metrics', 'evaluation.num_fid_images']
)  # fmt: skip
# Tell runs apart, but may change too: the images themselves are compared.
MOVABLE = frozenset(['data.path', 'data.skip_corrupt'])


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
      close = difflib.get_close_matches(name, FIELDS, 1)
      hint = f'; did you mean {close[0]}?' if close else ''
      raise ConfigError(f'there is no field {name}{hint}')
    if not FIELDS[name].valid(value):
      raise ConfigError(
        f'{name} is {value!r}; expected {FIELDS[name].expected}'
      )
  missing = [name for name in FIELDS if name not in values]
  if missing:
    raise ConfigError(f'the config lacks {", ".join(missing)}')
  checks.check_data(config.data)
  checks.check_model(config.model, config.data.size)
  checks.check_objective(config)
  checks.check_train(config.train)


def identity(config: Any) -> dict[str, Any]:
  """The fields that decide what a run computes, by dotted name.

  Those at their defaults are left out: a field that a later version adds then
  changes the identity of no earlier run.
  """
  fields = flat(config)
  # A cosine ends at num_steps, so there the number shapes every step.
  free = RESUMABLE - ({'train.num_steps'} if _is_scheduled(fields) else set())
  # Folders of runs are named by their content, and may lie anywhere.
  start = fields.get('train.init_from', '')
  fields['train.init_from'] = start.rstrip('/').rpartition('/')[2]
  usual = flat(default_config())
  return {
    name: value
    for name, value in fields.items()
    if name not in free and value != usual.get(name)
  }


def _is_scheduled(fields: dict[str, Any]) -> bool:
  return fields['train.schedule'] != 'constant'


def config_hash(config: Any) -> str:
  """Eight hexadecimal digits that tell runs apart by what they compute."""
  text = json.dumps(identity(config), sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()[:8]


def differences(old: Any, new: Any) -> list[str]:
  """What keeps a run with config `old` from going on with config `new`.

  Args:
    old: the config of the run, as a nested mapping.
    new: the config it would go on with.

  Returns:
    One line per field that differs; none if the run may go on.
  """
  usual = flat(default_config())
  before, after = usual | identity(old), usual | identity(new)
  lines = [
    f'{name} was {before[name]!r}, now {after[name]!r}'
    for name in sorted({*before, *after} - MOVABLE)
    if before[name] != after[name]
  ]
  steps = [flat(c)['train.num_steps'] for c in (old, new)]
  if steps[1] < steps[0] and not lines:
    lines.append(f'train.num_steps was {steps[0]}, and may only grow')
  return lines
