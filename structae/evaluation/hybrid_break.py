"""Which variable breaks hybrids: one recombined at a time.

A hybrid takes every variable from another example, and may look like nothing in
the data for the sake of a single one that depends on others. Here each variable
alone is exchanged in the codes of test examples; what the images lose by that
is the break that this variable makes.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from structae.evaluation import scene_distance as scenes
from structae.evaluation import uncertainty
from structae.evaluation.codes import Codes, numbered
from structae.evaluation.images import compare, fid
from structae.evaluation.inputs import Answer, Found, Images, Inputs

# Each is decoded once, and once more for every variable.
NUM_SCENE_CODES = 256
NUM_FID_CODES = 5000
_BATCH = 512


def exchanged(codes: np.ndarray, k: int) -> np.ndarray:
  """Codes `[N, K, D]` with variable k of the example before, never their own.

  Every value of the variable is there once more, so its marginal is the same
  to the last digit; only what it goes with has changed.
  """
  mixed = codes.copy()
  mixed[:, k] = np.roll(codes[:, k], 1, axis=0)
  return mixed


def scene_break(inputs: Inputs) -> Answer:
  """How far each variable alone leads from the scenes of the data.

  Raises:
    ValueError: if there is no other example to take a variable from.
  """
  assert inputs.test and inputs.decode
  codes = _drawn(inputs.test, NUM_SCENE_CODES)
  whole = np.stack(
    [np.roll(codes[:, k], k + 1, axis=0) for k in range(codes.shape[1])], 1
  )
  before, hybrid = (_to_scenes(inputs, some) for some in (codes, whole))
  values = []
  for k, of in enumerate(_names(inputs.test)):
    added = _to_scenes(inputs, exchanged(codes, k)) - before
    found = uncertainty.mean(added)
    values.append(
      Found('scene_break', found.mean, found.num, of, found.interval)
    )
  details = {
    'reconstruction': float(before.mean()),
    'every_variable_exchanged': float(hybrid.mean()),
  }
  return Answer(
    values, _matrix('scene_break', values), {'scene_break': details}
  )


def fid_break(inputs: Inputs) -> Answer:
  """How much each variable alone adds to the FID of reconstructions.

  All sets are of as many images and beside the same real ones, so that the bias
  of few images is about the same in each and leaves their difference.

  Raises:
    ValueError: if there are no weights, or too few images.
  """
  assert inputs.test and inputs.decode and inputs.image_sets
  sets = inputs.image_sets()
  try:
    weights = sets.weights()
  except FileNotFoundError as error:
    inputs.log(f'fid_break: {error}')
    raise ValueError('no Inception weights') from error
  codes = _drawn(inputs.test, NUM_FID_CODES)
  real = compare.describe(sets.real, weights, ['fid'], cache=sets.cache)

  def distance(some: np.ndarray) -> float:
    images = compare.describe(_images(inputs, some), weights, ['fid'])
    found: dict[str, Any] = fid.fid(
      real.statistics,
      images.statistics,
      weights,
      num_dimensions=compare.NUM_DIMENSIONS,
    )
    return float(found['fid'])

  inputs.log('Inception features of reconstructions')
  before = distance(codes)
  values = []
  for k, of in enumerate(_names(inputs.test)):
    inputs.log(f'Inception features with the {of} of another example')
    added = distance(exchanged(codes, k)) - before
    values.append(Found('fid_break', added, len(codes), of))
  details = {'reconstruction': before}
  return Answer(values, _matrix('fid_break', values), {'fid_break': details})


def _drawn(test: Codes, num: int) -> np.ndarray:
  """Codes of some test examples, in random order."""
  if len(test.codes) < 2:
    raise ValueError('there is no other example to take a variable from.')
  # The saved codes are in the order of the data set, which is by factors.
  rows = np.random.RandomState(0).permutation(len(test.codes))[:num]
  return test.codes[rows]


def _names(codes: Codes) -> tuple[str, ...]:
  return codes.variable_names or numbered(codes.codes.shape[1])


def _to_scenes(inputs: Inputs, codes: np.ndarray) -> np.ndarray:
  assert inputs.decode
  return scenes.scene_distance(inputs.scenes, inputs.decode(codes))[0]


def _images(inputs: Inputs, codes: np.ndarray) -> Images:
  def batches() -> Iterator[np.ndarray]:
    assert inputs.decode
    for start in range(0, len(codes), _BATCH):
      yield inputs.decode(codes[start : start + _BATCH])

  return batches


def _matrix(name: str, values: list[Found]) -> dict[str, object]:
  matrix = {
    'values': [[found.value] for found in values],
    'rows': [found.of for found in values],
    'columns': ['break'],
  }
  return {name: matrix}
