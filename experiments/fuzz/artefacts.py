"""Tiny files of every kind that the package writes or reads."""

import json
from pathlib import Path

import numpy as np

from structae import config as config_lib
from structae.evaluation import codes as codes_lib
from structae.run import Run

VALID_CONFIG = """from structae import config

get_config = config.variant('sae12')
"""


def codes(num: int = 24, seed: int = 0) -> codes_lib.Codes:
  """Codes of `num` examples, four variables of one number, two factors."""
  rng = np.random.default_rng(seed)
  return codes_lib.from_arrays(
    rng.normal(size=(num, 4, 1)).astype(np.float32),
    np.arange(2 * num).reshape(num, 2) % 3,
    factor_names=('hue', 'scale'),
    meta={'data': 'blocks', 'step': 7},
  )


def pictures(num: int = 6, size: int = 8) -> np.ndarray:
  """`[num, size, size, 3]` uint8."""
  rng = np.random.default_rng(0)
  return rng.integers(0, 256, (num, size, size, 3), np.uint8)


def run(folder: Path) -> Run:
  """The folder of a finished run, but for checkpoints and figures."""
  made = Run(folder)
  folder.mkdir(parents=True)
  config = config_lib.get_config('sae12', 'smoke')
  made.begin('sae12', config, {'data': '0' * 64, 'train': '1' * 64})
  for seed, part in enumerate(('train', 'test')):
    made.save_codes(part, codes(seed=seed))
  rows = [{'step': n, 'loss': 5.5 / n} for n in range(1, 6)]
  text = '\n'.join(map(json.dumps, rows)) + '\n'
  (folder / 'metrics.jsonl').write_text(text)
  made.save_pool(codes().codes, config.train.num_steps)
  made.save_samples({'hybrid': pictures()})
  mig = {'value': 0.5, 'n': 24, 'definition': 'What MIG is.', 'metric': 'mig'}
  made.save_scores({
    'scores': {'mig': mig}, 'matrices': {}, 'details': {},
    'codes': {'meta': codes().meta}, 'versions': {},
  })  # fmt: skip
  made.complete(config)
  return made
