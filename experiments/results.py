"""What a run leaves behind: codes, scores, figures, the report."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments import drawing, workdir
from structae import config as config_lib
from structae import files, sampling
from structae.data import pipeline, shapes3d_synth, sources
from structae.evaluation import codes as codes_lib
from structae.evaluation import information, probe, scene_distance
from structae.figures import report
from structae.objectives import reconstruction
from structae.training import stop as stop_lib

# Images over which the variance of the pixels is taken.
MOST_VARIANCE_IMAGES = 10_000


class Trained(NamedTuple):
  """A trained model and its data, as functions of numpy arrays.

  Attributes:
    images: `indices [N] -> uint8 [N, H, W, C]`.
    encode: `indices [N] -> Posterior` of `[N, K, D]`.
    decode: `codes [N, K, D] -> uint8 [N, H, W, C]`.
    reconstruct: `indices [N] -> named scores [N]`.
  """

  images: Callable[[np.ndarray], np.ndarray]
  encode: Callable[[np.ndarray], Any]
  decode: Callable[[np.ndarray], np.ndarray]
  reconstruct: Callable[[np.ndarray], dict[str, np.ndarray]]


def trained(
  source: sources.Source, model: Any, params: Any, batch_size: int
) -> Trained:
  """Compiles the doors of a trained model."""
  variables = {'params': params}

  @jax.jit
  def encode(variables: Any, arrays: Any, indices: jax.Array) -> Any:
    images = source.images(arrays, indices)
    return model.apply(variables, images, method='encode')

  @jax.jit
  def decode(variables: Any, codes: jax.Array) -> jax.Array:
    logits = model.apply(variables, codes, method='decode')
    return jnp.round(255 * jax.nn.sigmoid(logits)).astype(jnp.uint8)

  @jax.jit
  def reconstruct(variables: Any, arrays: Any, indices: jax.Array) -> Any:
    targets = reconstruction.targets(source.images(arrays, indices))
    logits = model.apply(variables, targets)
    return {
      'cross_entropy': reconstruction.bernoulli_cross_entropy(logits, targets),
      'entropy': reconstruction.bernoulli_entropy(targets),
      'squared_error': reconstruction.squared_error(logits, targets),
    }

  def batched(function: Callable[[Any], Any]) -> Callable[[np.ndarray], Any]:
    return lambda inputs: pipeline.map_batches(function, inputs, batch_size)

  return Trained(
    images=batched(lambda i: source.images(source.arrays, i)),
    encode=batched(lambda i: encode(variables, source.arrays, i)),
    decode=batched(lambda codes: decode(variables, codes)),
    reconstruct=batched(lambda i: reconstruct(variables, source.arrays, i)),
  )


def write(
  config: Any,
  folder: Path,
  source: sources.Source,
  splits: pipeline.Splits,
  model: Any,
  params: Any,
  say: Callable[[str], None],
  stopping: stop_lib.Stop,
) -> None:
  """Writes codes, scores, figures and the report of a trained run."""
  doors = trained(source, model, params, config.evaluation.batch_size)
  codes = {}
  for name, part in splits._asdict().items():
    say(f'encoding {name}')
    indices = pipeline.subset(part, config.evaluation[f'num_{name}'], seed=1)
    codes[name] = encode_split(config, source, doors, name, indices)
    codes_lib.save(folder / 'codes' / f'{name}.npz', codes[name])
    stopping.check(f'stopped while encoding {name}; training is complete')
  key = jax.random.fold_in(jax.random.key(config.seed), 1)
  samples = draw_samples(config, doors, codes['train'], key)
  say('scoring')
  content = score(config, source, doors, codes, samples)
  files.write_text(folder / 'scores.json', json.dumps(content, indent=1) + '\n')
  stopping.check('stopped after scoring; training is complete')
  say('drawing')
  drawing.draw(folder, doors, codes, samples, content, key)
  report.write_report(folder)
  say(table(folder))


def encode_split(
  config: Any,
  source: sources.Source,
  doors: Trained,
  name: str,
  indices: np.ndarray,
) -> codes_lib.Codes:
  """Encodes the images of one part of the data."""
  posterior = doors.encode(indices)
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
      'split_seed': config.data.split_seed,
      'model': config.model.to_dict(),
      'step': config.train.num_steps,
      'seed': config.seed,
      'config_hash': config_lib.config_hash(config),
      'versions': workdir.versions(),
    },
  )


class Samples(NamedTuple):
  """Hybrid samples of a run: the stored codes and what came of them."""

  pool: np.ndarray
  codes: np.ndarray
  images: np.ndarray


def draw_samples(
  config: Any, doors: Trained, train: codes_lib.Codes, key: jax.Array
) -> Samples:
  """Draws hybrid samples from a pool of training codes."""
  pool_key, hybrid_key = jax.random.split(key)
  settings = config.evaluation
  size = min(settings.pool_size, len(train.codes))
  pool = sampling.pool(pool_key, jnp.asarray(train.codes), size)
  codes = sampling.hybrid(hybrid_key, pool, settings.num_samples)
  codes = np.asarray(codes)
  return Samples(np.asarray(pool), codes, doors.decode(codes))


def score(
  config: Any,
  source: sources.Source,
  doors: Trained,
  codes: dict[str, codes_lib.Codes],
  samples: Samples,
) -> dict[str, Any]:
  """All scores of a run, each with its definition and number of examples."""
  train, test = codes['train'], codes['test']
  scores = reconstruction_scores(doors, test.indices)
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
    num = config.evaluation.num_samples
    scores |= scene_scores(source, doors, test, samples, num)
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
  doors: Trained, indices: np.ndarray
) -> dict[str, dict[str, Any]]:
  """How well test images are reconstructed."""
  parts = doors.reconstruct(indices)
  bce, floor, mse = (
    float(parts[name].mean(dtype=np.float64))
    for name in ('cross_entropy', 'entropy', 'squared_error')
  )
  pixels = doors.images(indices[:MOST_VARIANCE_IMAGES]) / np.float32(255)
  variance = float(pixels.var(0, dtype=np.float64).mean())
  n = len(indices)
  return {
    'test_bce': entry(
      bce,
      'Cross entropy of test images, in nats per image, summed over pixels and '
      'channels.',
      n,
      floor=floor,
    ),
    'test_bce_above_floor': entry(
      bce - floor,
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


def scene_scores(
  source: sources.Source,
  doors: Trained,
  test: codes_lib.Codes,
  samples: Samples,
  num: int,
) -> dict[str, dict[str, Any]]:
  """How far decoded images are from the nearest of all images there are."""
  seen = slice(0, num)
  reconstructions = doors.decode(test.codes[seen])
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
  right = shapes3d_synth.factors(np.asarray(nearest)) == test.factors[seen]
  for name, value in zip(source.factor_names, right.mean(0)):
    scores[f'seen_{name}'] = entry(
      value,
      f'Share of test reconstructions whose nearest image has the right {name}.',
      len(right),
    )
  return scores


def table(folder: Path) -> str:
  """The score table of a finished run, for a terminal."""
  scores = json.loads((folder / 'scores.json').read_text())['scores']
  width = max(map(len, scores))
  return '\n'.join(
    f'{name:{width}}  {score["value"]:10.4f}' for name, score in scores.items()
  )
