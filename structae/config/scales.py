"""What all configs share: the data sets and scales a token can name.

`--config=experiments/sae12.py:TOKEN,...`; a token is the name of a data set, of
a scale, of a size (64px, 128px) or of a preset (released, rfd_released).
"""

import difflib

import ml_collections

from structae import config as config_lib
from structae.data import catalog
from structae.evaluation import registry as metrics

# The backbone of the quick scale: minutes on two CPU cores.
_QUICK = {
  'data.size': 32,
  'model.width': 32,
  'model.initializer': 'lecun',
  'model.str_tfm': (64,),
  'train.batch_size': 16,
  'train.num_steps': 5500,
  'train.learning_rate': 1.5e-3,
  'train.schedule': 'cosine',
  'train.warmup_steps': 100,
  'train.validate_every': 500,
  'train.num_validation': 512,
  'evaluation.num_train': 10_000,
  'evaluation.num_validation': 2000,
  'evaluation.num_test': 5000,
  'evaluation.metrics': (*metrics.QUICK, *metrics.RUN_METRICS),
  'evaluation.num_fid_images': 5000,
}

_HOURGLASS_RATE = 3e-4

SCALES = {
  'paper': {},
  'quick': _QUICK,
  'smoke': _QUICK
  | {
    'model.width': 8,
    'model.head': (16,),
    'model.start': (16,),
    'model.str_tfm': (8, 8),
    'model.inference_rung': (8, 8),
    'model.generative_rung': (8, 8),
    'model.num_groups': 2,
    'objective.critic': (16, 16),
    'train.num_steps': 20,
    'train.warmup_steps': 0,
    'train.log_every': 10,
    'train.validate_every': 10,
    'train.num_validation': 32,
    'evaluation.num_train': 512,
    'evaluation.num_validation': 128,
    'evaluation.num_test': 256,
    'evaluation.num_samples': 32,
    'evaluation.metrics': ('mig', 'gaussian_dependence', *metrics.RUN_METRICS),
    'evaluation.num_fid_images': 16,
  },
}

# What a token can name, by kind.
TOKENS = {
  'data set': [*catalog.CATALOG],
  'scale': [*SCALES],
  'size': ['64px', '128px'],
  'preset': ['released', 'rfd_released'],
}


def get_config(
  tokens: str = '', family: str = '64px'
) -> ml_collections.ConfigDict:
  """The paper's settings, on the data set and at the scale of the tokens.

  Args:
    tokens: names of a data set, a size, a scale and a preset, comma-separated,
      in any order.
    family: the settings where neither data set nor size asks for others; a key
      of `config.PRESETS`.

  Returns:
    The configuration, which a config file then makes its own.

  Raises:
    ConfigError: on a token that is none of them, or two of a kind.
  """
  named = _parse(tokens)
  data, scale = named.get('data set', 'shapes3d_synth'), named.get('scale')
  preset = named.get('preset')
  usual = catalog.get(data).preset
  family = named.get('size') or (usual if usual != '64px' else family)
  if preset in config_lib.PRESETS:
    family = preset
  config = config_lib.default_config()
  config.scale = scale or 'paper'
  config.data.name = data
  if preset == 'released':
    config.model.preset = preset
  config_lib.update(config, config_lib.PRESETS[family])
  size = config.data.size
  config_lib.update(config, SCALES[config.scale])
  sizes = catalog.get(data).sizes
  if sizes and config.data.size not in sizes:
    config.data.size = size  # a scale's smaller images, where there are any
  return config


def get_hourglass_config(tokens: str = '') -> ml_collections.ConfigDict:
  """As `get_config`, with a decoder that reads all numbers of a code at once.

  Each number is a variable. Below the paper's scale the rate is lower: at that
  of the structural decoders an hourglass collapses to the mean image.
  """
  config = get_config(tokens)
  config.model.decoder = 'hourglass'
  config.model.num_variables = config.model.num_latents
  if config.scale != 'paper':
    config.train.learning_rate = _HOURGLASS_RATE
  return config


def _parse(tokens: str) -> dict[str, str]:
  """The tokens by their kind."""
  named: dict[str, str] = {}
  for token in filter(None, tokens.split(',')):
    kind = next((k for k, names in TOKENS.items() if token in names), None)
    if kind is None:
      names = [name for names in TOKENS.values() for name in names]
      close = difflib.get_close_matches(token, names, 1)
      hint = f'did you mean {close[0]}? ' if close else ''
      listed = [f'{k}s: {", ".join(names)}' for k, names in TOKENS.items()]
      raise config_lib.ConfigError(
        f'{token!r} names no data set, scale, size or preset; {hint}'
        f'{"; ".join(listed)}'
      )
    if kind in named:
      raise config_lib.ConfigError(
        f'two tokens name a {kind}: {named[kind]!r} and {token!r}; give one'
      )
    named[kind] = token
  return named
