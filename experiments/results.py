"""What a run leaves behind: codes, scores, figures, the report."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments import doors as doors_lib
from experiments import drawing, workdir
from structae import build, files, sampling
from structae import config as config_lib
from structae.data import pipeline, shapes3d_synth, sources
from structae.evaluation import codes as codes_lib
from structae.evaluation import information, probe, scene_distance
from structae.figures import report
from structae.training import stop as stop_lib

# Images over which the variance of the pixels is taken.
MOST_VARIANCE_IMAGES = 10_000


class Trained(NamedTuple):
  """A trained model and what it was trained on."""

  config: Any
  source: sources.Source
  doors: doors_lib.Doors
  params: Any

  def decode(self, codes: np.ndarray) -> np.ndarray:
    """Maps codes `[N, K, D]` to uint8 images `[N, H, W, C]`."""
    return self.doors.decode(self.params, codes)


def write(
  run: Trained,
  folder: Path,
  splits: pipeline.Splits,
  say: Callable[[str], None],
  stopping: stop_lib.Stop,
) -> None:
  """Writes codes, scores, figures and the report of a trained run."""
  codes = {}
  for name, part in splits._asdict().items():
    num = run.config.evaluation[f'num_{name}']
    indices = pipeline.subset(part, num, seed=1)
    say(f'encoding {len(indices):,} {name} images')
    codes[name] = encode_split(run, name, indices)
    codes_lib.save(folder / 'codes' / f'{name}.npz', codes[name])
    stopping.check(f'stopped while encoding {name}; training is complete')
  key = jax.random.fold_in(jax.random.key(run.config.seed), 1)
  samples = draw_samples(run, codes['train'], key)
  # The saved codes are in the order of the data set, which is by factors.
  order = np.random.RandomState(1).permutation(len(codes['test'].codes))
  say('scoring')
  content = score(run, codes, samples, order)
  files.write_text(folder / 'scores.json', json.dumps(content, indent=1) + '\n')
  stopping.check('stopped after scoring; training is complete')
  say('drawing')
  drawing.draw(folder, run, codes, order, samples, content, key)
  report.write_report(folder)
  say(workdir.table(folder))


def encode_split(
  run: Trained, name: str, indices: np.ndarray
) -> codes_lib.Codes:
  """Encodes the images of one part of the data.

  Codes are posterior means: metrics then judge what the encoder says of an
  example and not its noise, as in the papers compared with, and hybrid samples
  recombine what the decoder reconstructs from. The log variances are saved
  beside them, so samples of the posterior can be drawn later.
  """
  config, source = run.config, run.source
  posterior = run.doors.encode(run.params, indices)
  return codes_lib.Codes(
    codes=posterior.mean,
    log_var=posterior.log_var,
    factors=source.factors(indices),
    factor_names=source.factor_names,
    factor_sizes=source.factor_sizes,
    indices=indices,
    meta={
      'data': source.name,
      'size': config.data.size,
      'split': name,
      'split_kind': config.data.split,
      'split_seed': config.data.split_seed,
      'hold_out': config.data.hold_out,
      'digests': build.digests(config, source),
      'model': config.model.to_dict(),
      'step': config.train.num_steps,
      'seed': config.seed,
      'config_hash': config_lib.config_hash(config),
      'versions': workdir.versions(),
    },
  )


class Samples(NamedTuple):
  """Samples of a run: the stored codes and what came of them.

  Attributes:
    pool: `[P, K, D]`, the stored codes.
    images: hybrid samples, every variable from another stored code.
    by_dimension: the same for every single number of a code; None where
      variables are single numbers.
    prior: samples of the prior; None where codes have none.
  """

  pool: np.ndarray
  images: np.ndarray
  by_dimension: np.ndarray | None
  prior: np.ndarray | None


def draw_samples(
  run: Trained, train: codes_lib.Codes, key: jax.Array
) -> Samples:
  """Draws hybrid samples from a pool of training codes, and prior samples."""
  pool_key, hybrid_key = jax.random.split(key)
  prior_key, flat_key = jax.random.split(jax.random.fold_in(key, 1))
  settings = run.config.evaluation
  size = min(settings.pool_size, len(train.codes))
  pool = sampling.pool(pool_key, jnp.asarray(train.codes), size)
  num = settings.num_samples
  decode = lambda codes: run.decode(
    np.asarray(codes).reshape(-1, *pool.shape[1:])
  )
  by_dimension = prior = None
  if pool.shape[2] > 1:
    single = pool.reshape(len(pool), -1, 1)
    by_dimension = decode(sampling.hybrid(flat_key, single, num))
  num_prior = settings.num_prior_samples
  if num_prior and run.config.objective.name in config_lib.WITH_PRIOR:
    num_prior = num if num_prior < 0 else num_prior
    prior = decode(sampling.prior(prior_key, num_prior, *pool.shape[1:]))
  images = decode(sampling.hybrid(hybrid_key, pool, num))
  return Samples(np.asarray(pool), images, by_dimension, prior)


def score(
  run: Trained,
  codes: dict[str, codes_lib.Codes],
  samples: Samples,
  order: np.ndarray,
) -> dict[str, Any]:
  """All scores of a run, each with its definition and number of examples."""
  config, source = run.config, run.source
  train, test = codes['train'], codes['test']
  scores = reconstruction_scores(run, test.indices)
  flat = [c.codes.reshape(len(c.codes), -1) for c in (train, test)]
  mig = information.mig(flat[0], train.factors)
  scores['mig'] = entry(
    mig['mig'],
    'Mutual information gap of the training codes, '
    f'{mig["num_bins"]} bins, mean over factors (Chen et al., 2018).',
    len(train.codes),
  )
  accuracy = probe.probe(flat[0], train.factors, flat[1], test.factors)
  for name, value in zip(source.factor_names, accuracy['accuracy']):
    scores[f'probe_{name}'] = entry(
      value,
      f'Test accuracy of a random forest that reads {name} from the code.',
      len(test.codes),
    )
  if source.name == 'shapes3d_synth':
    scores |= scene_scores(run, test, samples, order[: len(samples.images)])
  rows = drawing.latent_names(*train.codes.shape[1:])
  return {
    'scores': scores,
    'matrices': {
      'mutual_information': {
        'values': np.round(mig['mutual_information'], 4).tolist(),
        'rows': rows,
        'columns': list(source.factor_names),
      }
    },
    'data': source.name,
    'step': config.train.num_steps,
    'config_hash': config_lib.config_hash(config),
    'versions': workdir.versions(),
  }


def entry(value: Any, definition: str, n: int, **more: Any) -> dict[str, Any]:
  """A score with what it means and how many examples it was taken over."""
  return {'value': float(value), 'definition': definition, 'n': n, **more}


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
  variance = float(pixels.var(0, dtype=np.float64).mean())
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
    'explained_variance': entry(
      1 - mse / variance,
      'Share of the variance of test pixels about their mean image that the '
      'reconstruction explains.',
      n,
    ),
  }


def vector_scores(
  nats: float, mse: float, vectors: np.ndarray, n: int
) -> dict[str, dict[str, Any]]:
  """How well feature vectors are reconstructed."""
  variance = float(vectors.var(0, dtype=np.float64).mean())
  return {
    'test_loss': entry(
      nats,
      'Negative log likelihood of test examples, in nats per example, under a '
      'normal distribution about their reconstructions.',
      n,
    ),
    'test_mse': entry(mse, 'Mean squared error of test examples.', n),
    'explained_variance': entry(
      1 - mse / variance,
      'Share of the variance of test examples that reconstructions explain.',
      n,
    ),
  }


def scene_scores(
  run: Trained, test: codes_lib.Codes, samples: Samples, rows: np.ndarray
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
