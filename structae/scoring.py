"""The scores of a run: of its codes, its reconstructions and its samples."""

from collections.abc import Callable
from typing import Any

import numpy as np

from structae import config as config_lib
from structae import image_scoring, run_scoring
from structae.data import pipeline, shapes3d_synth

Trained = Any
from structae.evaluation import registry as metrics
from structae.evaluation import scene_distance, score_file
from structae.evaluation.codes import Codes
from structae.evaluation.metrics import probes as forests
from structae.evaluation.score import score_codes

Samples = Any

# Images over which the variance of the pixels is taken.
MOST_VARIANCE_IMAGES = 10_000


def score(
  run: Trained,
  codes: dict[str, Codes],
  samples: Samples,
  order: np.ndarray,
  say: Callable[[str], None],
) -> dict[str, Any]:
  """All scores of a run, each with its definition and number of examples.

  Args:
    run: the trained model.
    codes: the codes of the splits by name.
    samples: samples of the model.
    order: the test examples in the order in which they are shown.
    say: tells a person what cannot be scored.

  Returns:
    What `scores.json` holds; see `score_file`.
  """
  config, source = run.config, run.source
  train, test = codes['train'], codes['test']
  asked = metrics.select(config.evaluation.metrics, train.codes.shape[2])
  content = code_scores(train, test, asked.of_codes, say)
  scores = reconstruction_scores(run, test.indices) | content['scores']
  scores |= probe_scores(train, test)
  if catalog.get(config.data.name).scene_distance:
    scores |= scene_scores(run, test, samples, order[: len(samples.images)])
  of_run = run_scoring.score(run, train, asked.of_run, say)
  scores |= of_run['scores']
  if asked.of_images:
    scores |= image_scoring.score_or_say(run, codes, asked.of_images, say)
  return {
    **content,
    'scores': scores,
    'matrices': content['matrices'] | of_run['matrices'],
    'details': content['details'] | of_run['details'],
    'data': source.name,
    'step': config.train.num_steps,
    'config_hash': config_lib.config_hash(config),
    'versions': {
      **__import__('structae.versions').versions.installed(
        ('jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'numpy')
      ),
      **content['versions'],
    },
  }


def code_scores(
  train: Codes, test: Codes, names: list[str], say: Callable[[str], None]
) -> dict[str, Any]:
  """What the metrics say; a trained run does not fail for one that cannot."""
  try:
    content = score_codes(train, test, names)
  except ValueError as error:
    say(f'the codes are not scored: {error}')
    return score_codes(train, test, [])
  for line in score_file.missing(content):
    say(line)
  return content


def probe_scores(train: Codes, test: Codes) -> dict[str, dict[str, Any]]:
  """How well a classifier reads each factor that varies from the codes."""
  varies = np.flatnonzero(train.factors.min(0) < train.factors.max(0))
  if not len(varies):
    return {}
  flat = [c.codes.reshape(len(c.codes), -1) for c in (train, test)]
  found = forests.probe(
    flat[0], train.factors[:, varies], flat[1], test.factors[:, varies]
  )
  names = [train.factor_names[j] for j in varies]
  return {
    f'probe_{name}': entry(
      value,
      f'Test accuracy of a random forest that reads {name} from the code.',
      len(test.codes),
      chance=float(chance),
    )
    for name, value, chance in zip(names, found['accuracy'], found['chance'])
  }


def entry(value: Any, definition: str, n: int, **more: Any) -> dict[str, Any]:
  """A score with what it means and how many examples it was taken over."""
  return {'value': float(value), 'definition': definition, 'n': n, **more}


def explained_variance(
  mse: float, examples: np.ndarray, definition: str, n: int
) -> dict[str, Any]:
  """One less the share of the variance of `[N, ...]` examples that is left."""
  variance = float(examples.var(0, dtype=np.float64).mean())
  if variance:
    return entry(1 - mse / variance, definition, n)
  reason = 'all test examples are alike.'
  return {'value': None, 'definition': definition, 'n': n, 'missing': reason}


def reconstruction_scores(
  run: Trained, indices: np.ndarray
) -> dict[str, dict[str, Any]]:
  """How well test images are reconstructed."""
  parts = run.doors.reconstruct(run.params, indices)
  nats, floor, mse = (
    float(parts[name].mean(dtype=np.float64))
    for name in ('loss', 'floor', 'mse')
  )
  seen = pipeline.subset(indices, MOST_VARIANCE_IMAGES, seed=1)
  pixels = run.doors.images(seen)
  if pixels.dtype != np.uint8:
    return vector_scores(nats, mse, pixels, len(indices))
  pixels = pixels / np.float32(255)
  n = len(indices)
  return {
    'test_bce': entry(
      nats,
      'Cross entropy of test images, in nats per image, summed over pixels and '
      'channels.',
      n,
      floor=floor,
    ),
    'test_bce_above_floor': entry(
      nats - floor,
      'Test cross entropy above the entropy of the images themselves, which no '
      'reconstruction can beat.',
      n,
    ),
    'test_mse': entry(
      mse, 'Mean squared error of test images, pixels in 0..1.', n
    ),
    'explained_variance': explained_variance(
      mse,
      pixels,
      'Share of the variance of test pixels about their mean image that the '
      'reconstruction explains.',
      n,
    ),
  }


def vector_scores(
  nats: float, mse: float, vectors: np.ndarray, n: int
) -> dict[str, dict[str, Any]]:
  """How well feature vectors are reconstructed."""
  return {
    'test_loss': entry(
      nats,
      'Negative log likelihood of test examples, in nats per example, under a '
      'normal distribution about their reconstructions.',
      n,
    ),
    'test_mse': entry(mse, 'Mean squared error of test examples.', n),
    'explained_variance': explained_variance(
      mse,
      vectors,
      'Share of the variance of test examples that reconstructions explain.',
      n,
    ),
  }


def scene_scores(
  run: Trained, test: Codes, samples: Samples, rows: np.ndarray
) -> dict[str, dict[str, Any]]:
  """How far decoded images are from the nearest of all images there are."""
  source = run.source
  reconstructions = run.decode(test.codes[rows])
  distance, nearest = scene_distance.scene_distance(
    source.arrays, reconstructions
  )
  hybrid, _ = scene_distance.scene_distance(source.arrays, samples.images)
  scores = {
    'scene_distance_hybrid': entry(
      np.mean(hybrid),
      'Mean squared error from a hybrid sample to the nearest of all 480,000 '
      'images.',
      len(hybrid),
    ),
    'scene_distance_reconstruction': entry(
      np.mean(distance),
      'The same from a test reconstruction.',
      len(distance),
    ),
  }
  others = {
    'hybrid_by_dimension': (
      samples.by_dimension,
      'from a hybrid of single numbers instead of whole variables',
    ),
    'prior': (samples.prior, 'from a sample of the prior'),
  }
  for name, (images, words) in others.items():
    if images is not None:
      errors, _ = scene_distance.scene_distance(source.arrays, images)
      scores[f'scene_distance_{name}'] = entry(
        np.mean(errors), f'The same {words}.', len(errors)
      )
  right = shapes3d_synth.factors(np.asarray(nearest)) == test.factors[rows]
  for name, value in zip(source.factor_names, right.mean(0)):
    scores[f'seen_{name}'] = entry(
      value,
      f'Share of test reconstructions whose nearest image has their {name}.',
      len(right),
    )
  return scores
