"""What can be configured: the fields, their defaults, their checks, presets.

Imports no jax, so that a mistake is answered at once.
"""

import dataclasses
import difflib
import hashlib
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import ml_collections

from structae.data import catalog


class ConfigError(ValueError):
  """A setting that cannot be used; the message is one line for the user."""


@dataclasses.dataclass(frozen=True)
class Field:
  """One setting.

  Attributes:
    default: its value where nothing else is said.
    meaning: what it does, in a few words.
    expected: what values it takes, in words.
    valid: whether a value is one of them.
  """

  default: Any
  meaning: str
  expected: str
  valid: Callable[[Any], bool]


def _whole(low: int, high: int = 2**31 - 1) -> tuple[str, Callable]:
  text = f'a whole number from {low}'
  text += f' to {high}' if high < 2**31 - 1 else ''
  return text, lambda v: _is_int(v) and low <= v <= high


def _is_int(value: Any) -> bool:
  return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
  number = isinstance(value, int | float) and not isinstance(value, bool)
  return number and math.isfinite(value)


def _one_of(*values: str) -> tuple[str, Callable]:
  return 'one of ' + ', '.join(values), lambda v: v in values


_POSITIVE = ('a number above 0', lambda v: _is_number(v) and v > 0)
_NOT_NEGATIVE = ('a number from 0', lambda v: _is_number(v) and v >= 0)
_BOOL = ('True or False', lambda v: isinstance(v, bool))
_TEXT = ('text', lambda v: isinstance(v, str))
_WIDTHS = (
  'a tuple of whole numbers above 0',
  lambda v: (
    isinstance(v, tuple | list) and all(_is_int(w) and w > 0 for w in v)
  ),
)

# fmt: off
FIELDS = {
  'scale': Field('paper', 'the scale the settings were chosen for', *_TEXT),
  'seed': Field(0, 'seed of parameters, batches and samples', *_whole(0)),
  'model.encoder': Field('convolutional', 'kind of encoder',
                         *_one_of('convolutional')),
  'model.decoder': Field('structural', 'kind of decoder',
                         *_one_of('structural', 'adaptive')),
  'model.num_variables': Field(12, 'variables K of a code', *_whole(1)),
  'model.num_latents': Field(12, 'numbers L of a code', *_whole(1)),
  'model.num_stages': Field(0, 'Str-Tfm layers; 0: one per variable',
                            *_whole(0)),
  'model.num_blocks': Field(12, 'convolution blocks of each half', *_whole(2)),
  'model.width': Field(64, 'channels of every block', *_whole(1)),
  'model.num_groups': Field(8, 'groups of the group norm', *_whole(1)),
  'model.initializer': Field(
    'uniform',
    'how convolutions and head start; uniform is the paper\'s',
    *_one_of('uniform', 'lecun'),
  ),
  'model.head': Field((256, 128), "hidden widths of the encoder's head",
                      *_WIDTHS),
  'model.str_tfm': Field((64, 64, 64), 'hidden widths of a Str-Tfm network',
                         *_WIDTHS),
  'model.unroll': Field(True, 'list the stages instead of looping over them',
                        *_BOOL),
  'model.dtype': Field('float32', 'type of the computation, not of parameters',
                       *_one_of('float32', 'bfloat16')),
  'objective.name': Field('autoencoding', 'the training loss',
                          *_one_of('autoencoding')),
  'train.num_steps': Field(100_000, 'updates', *_whole(1)),
  'train.batch_size': Field(128, 'images per update', *_whole(1)),
  'train.learning_rate': Field(5e-4, "Adam's step size, its peak if scheduled",
                               *_POSITIVE),
  'train.schedule': Field('constant', 'how the learning rate goes on',
                          *_one_of('constant', 'cosine')),
  'train.warmup_steps': Field(0, 'updates of linear rise at the start',
                              *_whole(0)),
  'train.steps_per_dispatch': Field(
      0, 'updates per call of the device; 0 chooses by device', *_whole(0)),
  'train.log_every': Field(100, 'updates per row of metrics.jsonl', *_whole(1)),
  'train.validate_every': Field(
      1000, 'updates between validation losses, a multiple of log_every',
      *_whole(1)),
  'train.num_validation': Field(1024, 'images of the validation loss',
                                *_whole(1)),
  'train.save_minutes': Field(
      10.0, 'minutes between checkpoints; 0 saves at every row',
      *_NOT_NEGATIVE),
  'data.name': Field('shapes3d_synth', 'the data set',
                     *_one_of('shapes3d_synth')),
  'data.size': Field(64, 'width of the images in pixels', *_whole(4)),
  'data.split_seed': Field(0, 'seed of the 70/10/20 split', *_whole(0)),
  'evaluation.num_train': Field(0, 'training codes to save; 0 saves all',
                                *_whole(0)),
  'evaluation.num_validation': Field(
      0, 'validation codes to save; 0 saves all', *_whole(0)),
  'evaluation.num_test': Field(0, 'test codes to save; 0 saves all',
                               *_whole(0)),
  'evaluation.batch_size': Field(128, 'images encoded at a time', *_whole(1)),
  'evaluation.num_samples': Field(256, 'hybrid samples that are scored',
                                  *_whole(1)),
  'evaluation.pool_size': Field(128, 'stored codes that samples recombine',
                                *_whole(1)),
}
# fmt: on

# What a backbone looks like by image size, and what the paper trains it with.
PRESETS: dict[int, dict[str, Any]] = {
  64: {},
  128: {
    'model.num_blocks': 16,
    'model.width': 128,
    'model.num_latents': 32,
    'model.head': (512, 256, 128),
    'model.str_tfm': (64, 128, 256),
  },
}

# May change when a run is resumed: none changes what is computed.
RESUMABLE = frozenset(
  ['train.num_steps', 'train.log_every', 'train.validate_every',
   'train.save_minutes', 'train.steps_per_dispatch']
)  # fmt: skip


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
  _check_data(config.data)
  _check_model(config.model, config.data.size)
  _check_train(config.train)


def _check_data(data: Any) -> None:
  sizes = catalog.get(data.name).sizes
  if sizes and data.size not in sizes:
    raise ConfigError(
      f'data.size is {data.size}; {data.name} comes at {_listed(sizes)} pixels'
    )
  if data.size & (data.size - 1):
    raise ConfigError(f'data.size is {data.size}; expected a power of two')


def _check_model(model: Any, size: int) -> None:
  if model.num_latents % model.num_variables:
    raise ConfigError(
      f'model.num_variables is {model.num_variables}, which does not divide '
      f'model.num_latents {model.num_latents}; '
      f'take {_listed(_divisors(model.num_latents))}'
    )
  num_stages = model.num_stages or model.num_variables
  if model.num_blocks % num_stages:
    raise ConfigError(
      f'{num_stages} stages (model.num_stages or model.num_variables) do not '
      f'divide the {model.num_blocks} blocks at {size} pixels; '
      f'take {_listed(_divisors(model.num_blocks))}'
    )
  if model.decoder == 'structural' and num_stages != model.num_variables:
    raise ConfigError(
      f'model.num_stages is {model.num_stages}; a structural decoder has one '
      f'for each of its {model.num_variables} variables'
    )
  if model.width % model.num_groups:
    raise ConfigError(
      f'model.width is {model.width}, not a multiple of model.num_groups '
      f'{model.num_groups}'
    )
  halvings = size.bit_length() - 2
  if model.num_blocks < halvings:
    raise ConfigError(
      f'model.num_blocks is {model.num_blocks}; {size} pixels are halved '
      f'{halvings} times, once a block'
    )


def _check_train(train: Any) -> None:
  if train.validate_every % train.log_every:
    raise ConfigError(
      f'train.validate_every is {train.validate_every}, not a multiple of '
      f'train.log_every {train.log_every}'
    )
  if train.steps_per_dispatch and train.log_every % train.steps_per_dispatch:
    raise ConfigError(
      f'train.steps_per_dispatch is {train.steps_per_dispatch}, which does not '
      f'divide train.log_every {train.log_every}'
    )
  if train.warmup_steps >= train.num_steps:
    raise ConfigError(
      f'train.warmup_steps is {train.warmup_steps}; expected fewer than the '
      f'{train.num_steps} of train.num_steps'
    )


def _divisors(number: int) -> list[int]:
  return [d for d in range(1, number + 1) if number % d == 0]


def _listed(numbers: Any) -> str:
  *most, last = [str(number) for number in numbers]
  return f'{", ".join(most)} or {last}' if most else last


def identity(config: Any) -> dict[str, Any]:
  """The fields that decide what a run computes, by dotted name."""
  fields = flat(config)
  # A cosine ends at num_steps, so there the number shapes every step.
  free = RESUMABLE - ({'train.num_steps'} if _is_scheduled(fields) else set())
  return {name: value for name, value in fields.items() if name not in free}


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
  before, after = identity(old), identity(new)
  lines = [
    f'{name} was {before.get(name)!r}, now {after.get(name)!r}'
    for name in sorted({*before, *after})
    if before.get(name) != after.get(name)
  ]
  steps = [flat(c)['train.num_steps'] for c in (old, new)]
  if steps[1] < steps[0] and not lines:
    lines.append(f'train.num_steps was {steps[0]}, and may only grow')
  return lines
