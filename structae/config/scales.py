"""Scales, and what else the token of a config can name.

`sae12:TOKEN,...`; a token is the name of a data set, of a scale, of a size
(64px, 128px) or of a preset (released, rfd_released).
"""

import difflib
from typing import Any

from structae.config.errors import ConfigError
from structae.data import catalog
from structae.evaluation import registry as metrics

# What needs a decoder, and no more than a few seconds.
_OF_RUNS = ('variable_effect', 'order')

# The backbone of the quick scale: minutes on two CPU cores.
_QUICK = {
  'data.size': 32,
  'model.width': 32,
  'model.initializer': 'lecun',
  'model.str_tfm': (64,),
  'train.batch_size': 16,
  'train.num_steps': 11_000,
  'train.learning_rate': 2.2e-3,
  'train.schedule': 'cosine',
  'train.warmup_steps': 100,
  'train.validate_every': 500,
  'train.num_validation': 512,
  'evaluation.num_train': 10_000,
  'evaluation.num_validation': 2000,
  'evaluation.num_test': 5000,
  'evaluation.metrics': (*metrics.QUICK, *_OF_RUNS),
  'evaluation.num_fid_images': 5000,
}

# At the rate of the structural decoders an hourglass collapses to the mean
# image, below the paper's scale.
HOURGLASS_RATE = 3e-4

SCALES: dict[str, dict[str, Any]] = {
  # Its published scores are of points drawn from the whole set.
  'paper': {'evaluation.points': 'full'},
  'quick': _QUICK,
  # About an hour on two CPU cores: 1.3 million images.
  'hour': _QUICK
  | {
    'train.num_steps': 80_000,
    'train.learning_rate': 1e-3,
    'train.validate_every': 2000,
    'evaluation.metrics': ('all',),
    'evaluation.points': 'full',
  },
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
    'evaluation.metrics': ('mig', 'gaussian_dependence', *_OF_RUNS),
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


def parse(tokens: str) -> dict[str, str]:
  """The names in tokens by their kind, a key of `TOKENS`.

  Args:
    tokens: names, comma-separated, in any order.

  Raises:
    ConfigError: on a token that is none of them, or two of a kind.
  """
  named: dict[str, str] = {}
  for token in filter(None, tokens.split(',')):
    kind = next((k for k, names in TOKENS.items() if token in names), None)
    if kind is None:
      names = [name for names in TOKENS.values() for name in names]
      close = difflib.get_close_matches(token, names, 1)
      hint = f'did you mean {close[0]}? ' if close else ''
      listed = [f'{k}s: {", ".join(names)}' for k, names in TOKENS.items()]
      raise ConfigError(
        f'{token!r} names no data set, scale, size or preset; {hint}'
        f'{"; ".join(listed)}'
      )
    if kind in named:
      raise ConfigError(
        f'two tokens name a {kind}: {named[kind]!r} and {token!r}; give one'
      )
    named[kind] = token
  return named
