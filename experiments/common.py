"""What all configs share: the data sets and scales a token can name.

`--config=experiments/sae12.py:TOKEN,...`; a token is the name of a data set or
of a scale.
"""

import difflib

import ml_collections

from structae import config as config_lib
from structae.data import catalog

# The backbone of the quick scale: minutes on two CPU cores.
_QUICK = {
  'data.size': 32,
  'model.width': 32,
  'model.initializer': 'lecun',
  'train.batch_size': 16,
  'train.num_steps': 5000,
  'train.learning_rate': 1.5e-3,
  'train.schedule': 'cosine',
  'train.warmup_steps': 200,
  'train.validate_every': 500,
  'train.num_validation': 512,
  'evaluation.num_train': 10_000,
  'evaluation.num_validation': 2000,
  'evaluation.num_test': 5000,
}

SCALES = {
  'paper': {},
  'quick': _QUICK,
  'smoke': _QUICK
  | {
    'model.width': 8,
    'train.num_steps': 20,
    'train.warmup_steps': 0,
    'train.log_every': 10,
    'train.validate_every': 10,
    'train.num_validation': 32,
    'evaluation.num_train': 512,
    'evaluation.num_validation': 128,
    'evaluation.num_test': 256,
    'evaluation.num_samples': 32,
  },
}


def get_config(tokens: str = '') -> ml_collections.ConfigDict:
  """The paper's settings, on the data set and at the scale of the tokens.

  Args:
    tokens: names of a data set and a scale, comma-separated, in any order.

  Returns:
    The configuration, which a config file then makes its own.

  Raises:
    ConfigError: on a token that is neither, or two of a kind.
  """
  data, scale = _parse(tokens)
  config = config_lib.default_config()
  config.scale = scale
  config.data.name = data
  config_lib.update(config, config_lib.PRESETS[config.data.size])
  config_lib.update(config, SCALES[scale])
  return config


def _parse(tokens: str) -> tuple[str, str]:
  chosen = {'data set': 'shapes3d_synth', 'scale': 'paper'}
  named: dict[str, str] = {}
  known = {'data set': [*catalog.CATALOG], 'scale': [*SCALES]}
  for token in filter(None, tokens.split(',')):
    kind = next((k for k, names in known.items() if token in names), None)
    if kind is None:
      names = [name for names in known.values() for name in names]
      close = difflib.get_close_matches(token, names, 1)
      hint = f'did you mean {close[0]}? ' if close else ''
      raise config_lib.ConfigError(
        f'{token!r} names no data set and no scale; {hint}data sets: '
        f'{", ".join(known["data set"])}; scales: {", ".join(known["scale"])}'
      )
    if kind in named:
      raise config_lib.ConfigError(
        f'two tokens name a {kind}: {named[kind]!r} and {token!r}; give one'
      )
    named[kind] = token
  chosen |= named
  return chosen['data set'], chosen['scale']
