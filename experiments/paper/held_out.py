"""Errors of models on images with values that their base was trained without.

Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 3.2, A.3.3.
"""

from collections.abc import Mapping
from typing import Any

import ml_collections
import numpy as np

from structae import build, versions
from structae.config import ConfigError, flat
from structae.data import pipeline, splits
from structae.data.selection import Selection
from structae.data.sources import Source
from structae.run import Run
from structae.training import stop as stop_lib

NUM_SHOWN = 10
# What a published error must share with these.
SETTINGS = ('data.size', 'objective.beta', 'objective.mmd_weight')
DEFINITIONS = {
  'mse': 'Mean squared error, pixels in 0..1, of reconstructions of test '
  'images with the held-out values: images that no run has trained on.',
  'mse_familiar': 'The same of test images without them.',
  'none': 'The base, trained without the held-out values.',
  'encoder': 'The base with its encoder trained on, on all training images.',
  'decoder': 'The base with its decoder trained on, on all training images: '
  'for a structural decoder S_0, the Str-Tfm networks and the blocks.',
  'both': 'The base trained on as a whole, on all training images.',
  'optimizer': 'A continuation starts from the parameters of the base; the '
  'moments of Adam start at zero, and the learning rate takes its configured '
  'course over the updates of the continuation.',
}


def score(
  runs: Mapping[str, Run], stopping: stop_lib.Stop
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
  """Errors of finished runs on test images, new to all of them.

  Args:
    runs: by column, `none` (the base) among them.
    stopping: knows whether to stop.

  Returns:
    The errors by what was trained on (`mse` and `mse_familiar`) with what
    defines them; and `[N, H, W, C]` uint8, a few of the images with the
    held-out values as `input` and their reconstructions by run.

  Raises:
    ConfigError: if a run cannot be read, or has trained on a test image.
    stop.Interrupted: if asked to stop.
  """
  base = runs['none']
  config, source = base.config, base.source()
  num = config.evaluation.num_test
  found = test_images(config, source)
  parts = {
    name: Selection(source, pipeline.subset(part, num, seed=1))
    for name, part in found.items()
  }
  examples = Selection(source, shown(source, found['mse']))
  errors: dict[str, dict[str, float]] = {name: {} for name in parts}
  pictures = {'input': examples.read()}
  for column, run in runs.items():
    print(f'reconstructing with {column}', flush=True)
    run.check_digests(build.digests(run.config, source))
    model = run.model()
    for name, part in parts.items():
      mse = model.errors(part)['mse']
      errors[name][column] = float(mse.mean(dtype=np.float64))
    pictures[column] = model.reconstruct(examples)
    stopping.check(f'stopped after scoring {column}')
  content = {
    'model': base.name,
    'seed': config.seed,
    'hold_out': config.data.hold_out,
    'values': build.held_out(config, source),
    'data': config.data.name,
    'scale': config.scale,
    'settings': {name: flat(config)[name] for name in SETTINGS},
    'num_test': num,
    'num_images': len(parts['mse']),
    'num_familiar': len(parts['mse_familiar']),
    **errors,
    'definitions': DEFINITIONS,
    'versions': versions.installed(versions.TRAINING),
  }
  return content, pictures


def shown(source: Source, indices: np.ndarray) -> np.ndarray:
  """Images to look at: of objects that differ in scale, the largest.

  Args:
    source: the data.
    indices: the images to choose from.

  Returns:
    At most ten of them, at random among those that are alike.
  """
  mixed = np.random.RandomState(1).permutation(indices)
  if 'scale' in source.factor_names:
    scales = source.factors(mixed)[:, source.factor_names.index('scale')]
    mixed = mixed[np.argsort(-scales, kind='stable')]
  return mixed[:NUM_SHOWN]


def test_images(
  config: ml_collections.ConfigDict, source: Source
) -> dict[str, np.ndarray]:
  """The numbers of test images with the held-out values, and without.

  Args:
    config: the configuration of the base.
    source: its data.

  Returns:
    `mse`, those with the values, and `mse_familiar`, those without.

  Raises:
    ConfigError: if an image is among those that a run was trained on, or none
      is left.
  """
  base_train = build.split(config, source).train
  values = build.held_out(config, source)
  config = config.copy_and_resolve_references()
  config.data.hold_out = 'none'
  whole = build.split(config, source)
  kept, novel = splits.hold_out(
    whole, source.factors, source.factor_names, values
  )
  if not len(novel.test):
    raise ConfigError(f'no test image of {source.name} is held out')
  seen = np.union1d(whole.train, base_train)
  for part, train in ((novel.test, seen), (kept.test, seen),
                      (novel.train, base_train)):  # fmt: skip
    if np.intersect1d(part, train).size:
      raise ConfigError('a run was trained on images that test it')
  return {'mse': novel.test, 'mse_familiar': kept.test}
