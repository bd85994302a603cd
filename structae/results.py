"""What a run leaves behind: codes, samples, scores, figures, the report."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from structae import build, memory, portable, sampling, score_inputs, versions
from structae import config as config_lib
from structae import keys as keys_lib
from structae.data import pipeline, sources
from structae.data.selection import Selection
from structae.evaluation import registry
from structae.evaluation import score as runner
from structae.evaluation.codes import Codes
from structae.figures import canvas, grids, matrices, plots, sheets
from structae.model import KINDS, Model
from structae.pages import report
from structae.run import Run
from structae.training import progress
from structae.training import stop as stop_lib

NUM_RECONSTRUCTIONS = 24
NUM_SAMPLES = 48
NUM_FRAMES = 11  # of a traversal


def write(
  run: Run, model: Model, source: sources.Source, stopping: stop_lib.Stop
) -> Model:
  """Writes codes, samples, scores, figures and the report of a trained model.

  Args:
    run: the folder.
    model: as it was trained, without stored codes.
    source: its data.
    stopping: whether the run was asked to stop.

  Returns:
    The model, with stored codes and scores.

  Raises:
    stop.Interrupted: if asked to stop.
  """
  config, log = model.config, progress.log
  codes = {}
  for name, part in build.split(config, source)._asdict().items():
    indices = pipeline.subset(part, config.evaluation[f'num_{name}'], seed=1)
    log(f'encoding {len(indices):,} {name} images')
    codes[name] = encode_split(model, source, name, indices)
    run.save_codes(name, codes[name])
    stopping.check(f'stopped while encoding {name}; training is complete')
  key, partial_key = jax.random.split(keys_lib.of_seed(config.seed).samples)
  model, drawn = draw(model, codes['train'].codes, key)
  run.save_pool(model.pool, model.about['step'])
  # The saved codes are in the order of the data set, which is by factors.
  order = np.random.RandomState(1).permutation(len(codes['test'].codes))
  if len(model.image_shape) == 3:
    run.save_samples(shown(model, source, codes, order, drawn, partial_key))
  memory.give_back()
  log('scoring')
  content = score(model, source, codes, drawn, order)
  run.save_scores(content)
  stopping.check('stopped after scoring; training is complete')
  save_decoder(run, model)
  memory.give_back()
  log('drawing')
  draw_figures(run)
  report.write_report(run.folder)
  log(run.table())
  scores = {
    name: {k: entry[k] for k in ('value', 'n', 'definition') if k in entry}
    for name, entry in run.scores.items()
    if entry.get('value') is not None
  }
  return dataclasses.replace(model, about={**model.about, 'scores': scores})


def save_decoder(run: Run, model: Model) -> None:
  """Writes the decoder for the report, if float16 can hold it."""
  if len(model.image_shape) != 3:
    return
  try:
    run.save_decoder(*portable.decoder(model), model.about['step'])
  except ValueError as error:
    progress.log(f'the report goes without a decoder: {error}')


def score(
  model: Model,
  source: sources.Source,
  codes: Mapping[str, Codes],
  drawn: Mapping[str, np.ndarray],
  order: np.ndarray,
) -> dict[str, Any]:
  """What `scores.json` of a run holds: the scores that its config asks for."""
  config = model.config
  inputs = score_inputs.of_model(
    model, source, codes, progress.log, samples=drawn, order=order
  )
  always = [
    name
    for name in registry.RUN_ALWAYS
    if name != 'scene_distance' or inputs.scenes is not None
  ]
  width = codes['train'].codes.shape[2]
  asked = registry.expand(config.evaluation.metrics, width)
  points = config.evaluation.points
  content = runner.score([*always, *asked], inputs, points=points)
  return {
    **content,
    'data': source.name,
    'step': config.train.num_steps,
    'config_hash': config_lib.config_hash(config),
    'versions': {
      **versions.installed(versions.TRAINING),
      **content['versions'],
    },
  }


def encode_split(
  model: Model, source: sources.Source, name: str, indices: np.ndarray
) -> Codes:
  """Encodes the images of one part of the data.

  Codes are posterior means: metrics then see what the encoder makes of an
  example and not its noise, as in the papers compared with, and hybrid samples
  recombine what the decoder reconstructs from. The log variances are saved
  beside them, so samples of the posterior can be drawn later.
  """
  config = model.config
  posterior = model.posterior(Selection(source, indices))
  log_var = posterior.log_var
  return Codes(
    codes=np.asarray(posterior.mean),
    log_var=log_var if log_var is None else np.asarray(log_var),
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
      'versions': versions.installed(versions.TRAINING),
    },
  )


def draw(
  model: Model, train: np.ndarray, key: jax.Array
) -> tuple[Model, dict[str, np.ndarray]]:
  """Draws stored codes for a model, and samples of every kind it then offers.

  Args:
    model: a model without stored codes.
    train: `[N, K, D]`, codes of training images.
    key: a PRNG key.

  Returns:
    The model with stored codes, and decoded samples by kind.
  """
  settings = model.config.evaluation
  pool_key, *rest = jax.random.split(key, 1 + len(KINDS))
  keys = dict(zip(KINDS, rest, strict=True))
  size = min(settings.pool_size, len(train))
  pool = sampling.pool(pool_key, jnp.asarray(train), size)
  model = dataclasses.replace(model, pool=pool)
  nums = dict.fromkeys(model.kinds, settings.num_samples)
  if 'prior' in nums and settings.num_prior_samples >= 0:
    nums['prior'] = settings.num_prior_samples
  return model, {
    kind: model.sample(keys[kind], num, kind)
    for kind, num in nums.items()
    if num
  }


def shown(
  model: Model,
  source: sources.Source,
  codes: Mapping[str, Codes],
  order: np.ndarray,
  drawn: Mapping[str, np.ndarray],
  key: jax.Array,
) -> dict[str, np.ndarray]:
  """The images that figures show, uint8.

  Args:
    model: with stored codes.
    source: its data.
    codes: of the parts by name.
    order: the test examples in the order in which they are shown.
    drawn: samples by kind.
    key: a PRNG key, for the partial hybrids.

  Returns:
    `images` `[N, H, W, C]` and their `reconstructions`; `hybrid`,
    `hybrid_by_dimension` and `prior` `[S, H, W, C]`, as far as there are;
    `partial_hybrid` `[R, 8, H, W, C]`, see `partial_hybrids`; `traversal`
    `[L, F, H, W, C]`; and `labels`, K names of variables.
  """
  train, test = codes['train'].codes, codes['test'].codes[order]
  rows = order[:NUM_RECONSTRUCTIONS]
  images = Selection(source, codes['test'].indices[rows])
  few = {name: x[:NUM_SAMPLES] for name, x in drawn.items() if name != 'hybrid'}
  return {
    'images': images.read(model.config.evaluation.batch_size),
    'reconstructions': model.decode(test[:NUM_RECONSTRUCTIONS]),
    'hybrid': drawn['hybrid'],
    **few,
    'partial_hybrid': partial_hybrids(model, test, key),
    'traversal': traversal_frames(model, test[0], train),
    'labels': np.array(
      grids.variable_labels(train.shape[1], model.variable_names)
    ),
  }


def partial_hybrids(
  model: Model, codes: np.ndarray, key: jax.Array
) -> np.ndarray:
  """One row an image: itself, then with a quarter of its variables recombined.

  Each row takes the next quarter of the variables, in decoder order.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figure 6a.
  """
  rows = []
  for i, variables in enumerate(sheets.quarters(codes.shape[1])):
    code = codes[[i % len(codes)]]  # of a tiny test set, some more than once
    mixed = sampling.partial_hybrid(
      jax.random.fold_in(key, i),
      jnp.asarray(model.pool),
      jnp.repeat(jnp.asarray(code), 7, 0),
      variables.tolist(),
    )
    rows.append(np.concatenate([code, mixed]))
  images = model.decode(np.concatenate(rows))
  return images.reshape(len(rows), -1, *images.shape[1:])


def traversal_frames(
  model: Model, code: np.ndarray, codes: np.ndarray
) -> np.ndarray:
  """Decodes a sweep of every number of a code, `[L, F, H, W, C]` uint8."""
  paths = sampling.traverse(
    jnp.asarray(code), codes.min(0), codes.max(0), NUM_FRAMES
  )
  images = model.decode(np.asarray(paths).reshape(-1, *code.shape))
  return images.reshape(code.size, NUM_FRAMES, *images.shape[1:])


def draw_figures(run: Run) -> None:
  """Draws the figures of a run from what its folder holds."""
  for stem, sheet in sheets.of_samples(run.samples).items():
    grids.save_png(run.figures / f'{stem}.png', sheet)
  # Without penalties, which are not validated.
  names = {'train': 'reconstruction', 'validation': 'validation_loss'}
  curves = {label: run.curve(name) for label, name in names.items()}
  plot = plots.loss_curve(curves, floor=run.floor)
  canvas.save_figure(run.figures / 'loss.png', plot)
  matrices.draw(run.figures, run.matrices)
