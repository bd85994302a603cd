"""Scores that need a decoder or the data set besides the codes.

The runner calls them where there is what the registry lists as their needs.
"""

import numpy as np

from structae.data import pipeline, shapes3d_synth
from structae.evaluation import scene_distance as scenes
from structae.evaluation import uncertainty
from structae.evaluation.codes import varying
from structae.evaluation.inputs import Answer, Found, Inputs
from structae.evaluation.metrics import order, probes
from structae.evaluation.metrics import variable_effect as effects
from structae.evaluation.metrics.mutual_information import entropy

# Examples over which the variance of the data is taken.
MOST_VARIANCE_EXAMPLES = 10_000
# Each is decoded once, and once more for every variable: a standard error of
# about a tenth of an effect.
NUM_EFFECT_CODES = 128
# Combinations of factors whose images give the levels of the factors; there
# are as many again for each factor, and the levels are good to about .03.
NUM_LEVEL_DRAWS = 500


def reconstruction(inputs: Inputs) -> Answer:
  """How well test examples are reconstructed."""
  assert inputs.test and inputs.reconstruct and inputs.examples
  indices = inputs.test.indices
  parts = inputs.reconstruct(indices)
  nats, floor, mse = (
    float(parts[name].mean(dtype=np.float64))
    for name in ('loss', 'floor', 'mse')
  )
  of_nats, of_mse = (
    uncertainty.mean(parts[name]).interval for name in ('loss', 'mse')
  )
  above = parts['loss'].astype(np.float64) - parts['floor']
  of_above = uncertainty.mean(above).interval
  n = len(indices)
  seen = pipeline.subset(indices, MOST_VARIANCE_EXAMPLES, seed=1)
  examples = inputs.examples(seen)
  variance = _variance(examples)
  if examples.dtype == np.uint8:
    variance /= 255**2
    values = [
      Found('test_bce', nats, n, '', {'floor': floor, **of_nats}),
      Found('test_bce_above_floor', nats - floor, n, '', of_above),
    ]
  else:
    values = [Found('test_loss', nats, n, '', of_nats)]
  values.append(Found('test_mse', mse, n, '', of_mse))
  name = 'explained_variance'
  if variance:
    values.append(Found(name, 1 - mse / variance, n))
  else:
    reason = 'all test examples are alike.'
    values.append(Found(name, None, n, missing=reason))
  return Answer(values)


def _variance(examples: np.ndarray) -> float:
  """The mean variance of a number over examples; few are widened at once."""
  mean = examples.mean(0, dtype=np.float64)
  parts = np.array_split(examples, -(-len(examples) // 256))
  total = sum(np.square(part - mean).sum(0) for part in parts)
  return float(np.mean(total)) / len(examples)


def probe(inputs: Inputs) -> Answer:
  """How well a random forest reads each factor that varies from the codes."""
  train, test = inputs.train, inputs.test
  assert train and test
  varies = varying(train)
  fitted, held_out = (c.codes.reshape(len(c.codes), -1) for c in (train, test))
  found = probes.probe(
    fitted, train.factors[:, varies], held_out, test.factors[:, varies]
  )
  names = [train.factor_names[j] for j in varies]
  return Answer(
    [
      Found('probe', float(value), len(held_out), of, {'chance': float(chance)})
      for of, value, chance in zip(names, found['accuracy'], found['chance'])
    ]
  )


def scene_distance(inputs: Inputs) -> Answer:
  """How far decoded images are from the nearest of all images there are."""
  values: list[Found] = []
  nearest = None
  for of, images in _compared(inputs).items():
    errors, numbers = scenes.scene_distance(inputs.scenes, images)
    found = uncertainty.mean(errors)
    values += [
      Found('scene_distance', found.mean, found.num, of, found.interval),
      Found('scene_diversity', diversity(numbers), len(errors), of),
    ]
    if of == 'reconstruction':
      nearest = np.asarray(numbers)
  if nearest is not None:
    assert inputs.test and inputs.shown is not None
    factors = inputs.test.factors[inputs.shown]
    right = shapes3d_synth.factors(nearest) == factors
    for of, value in zip(inputs.test.factor_names, right.mean(0)):
      values.append(Found('seen', float(value), len(right), of))
  return Answer(values)


def diversity(numbers: np.ndarray) -> float:
  """The mean entropy of factors over scenes `[S]`, of the largest possible."""
  factors = shapes3d_synth.factors(np.asarray(numbers))
  most = np.minimum(shapes3d_synth.FACTOR_SIZES, max(len(factors), 2))
  return float(np.mean(entropy(factors) / np.log(most)))


def _compared(inputs: Inputs) -> dict[str, np.ndarray]:
  """Images by the name of their set; reconstructions follow the hybrids."""
  found = {of: inputs.samples[of] for of in inputs.samples if of == 'hybrid'}
  if inputs.test is not None and inputs.shown is not None:
    assert inputs.decode
    found['reconstruction'] = inputs.decode(inputs.test.codes[inputs.shown])
  return {**found, **inputs.samples}


def variable_effect(inputs: Inputs) -> Answer:
  """What each variable does to the decoded image."""
  train = inputs.train
  assert train and inputs.decode
  rows = np.random.RandomState(0).permutation(len(train.codes))
  codes = train.codes[np.sort(rows[:NUM_EFFECT_CODES])]
  details = effects.variable_effect(inputs.decode, codes)
  used = Found('used_variables', details.pop('used_variables'), len(codes))
  matrix = {
    'values': details.pop('variable_effect').tolist(),
    'rows': [f'U_{k + 1}' for k in range(codes.shape[1])],
    'columns': ['effect'],
  }
  return Answer(
    [used], {'variable_effect': matrix}, {'variable_effect': details}
  )


def order_correlation(inputs: Inputs) -> Answer:
  """Whether variables stand in the order of the levels of factors.

  Raises:
    ValueError: if decoder, codes or data have no order.
  """
  train = inputs.train
  assert train and inputs.render
  if not inputs.in_order:
    raise ValueError('the decoder reads its variables in no order.')
  if train.codes.shape[1] < 2:
    raise ValueError('there is one variable, and so no order.')
  varies = varying(train)
  if len(varies) < 2:
    raise ValueError('fewer than two factors vary.')
  levels = order.factor_levels(
    inputs.render, train.factor_sizes, num=NUM_LEVEL_DRAWS
  )[varies]
  shares = order.information_shares(train.codes, train.factors[:, varies])
  value = order.order_correlation(shares, levels)
  names = [train.factor_names[j] for j in varies]
  details = {
    'information_shares': shares.tolist(),
    'factor_levels': dict(zip(names, levels.tolist())),
    'num_level_draws': NUM_LEVEL_DRAWS,
  }
  values = [Found('order_correlation', value, len(train.codes))]
  return Answer(values, details={'order': details})
