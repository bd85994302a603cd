"""One run: build, train, then results. Imported once the config is checked."""

import math
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from clu import parameter_overview
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from experiments import doors as doors_lib
from experiments import results
from structae import build
from structae import config as config_lib
from structae.data import pipeline, sources
from structae.training import loop, progress, step
from structae.training import stop as stop_lib

# More than this many updates per call gain nothing on an accelerator.
MOST_STEPS_PER_DISPATCH = 50
QUICK_HINT = 'Minutes, for a first look: --config=experiments/{name}.py:quick'


def check_devices(config: Any) -> None:
  """Refuses a batch that the devices do not divide.

  Raises:
    ConfigError: one line.
  """
  batch, devices = config.train.batch_size, jax.device_count()
  if batch % devices:
    raise config_lib.ConfigError(
      f'train.batch_size is {batch}, not a multiple of the {devices} devices'
    )


def run(config: Any, name: str, workdir: Path) -> None:
  """Trains, or goes on, and writes the results into `workdir`."""
  with stop_lib.Stop() as stopping:
    source = build.source(config)
    splits = pipeline.split(source.size, config.data.split_seed)
    model = build.model(config, source.image_shape[-1])
    show = progress.Progress(
      config.train.batch_size,
      QUICK_HINT.format(name=name) if jax.default_backend() == 'cpu' else '',
    )
    mesh = step.data_mesh()
    doors = doors_lib.make_doors(
      source, model, config.evaluation.batch_size, mesh
    )
    params = train(
      config, workdir, source, splits, model, doors, mesh, show, stopping
    )
    trained = results.Trained(config, source, doors, params)
    results.write(trained, workdir, splits, show.say, stopping)


def train(
  config: Any,
  workdir: Path,
  source: sources.Source,
  splits: pipeline.Splits,
  model: Any,
  doors: doors_lib.Doors,
  mesh: Mesh,
  show: progress.Progress,
  stopping: stop_lib.Stop,
) -> Any:
  """Trains a model to the last step and returns its parameters."""
  keys = jax.random.split(jax.random.key(config.seed), 3)
  loss = build.loss(config, model)
  optimizer = build.optimizer(config)
  params = build.init(model, keys[0], source.image_shape)
  images = jax.ShapeDtypeStruct(
    (config.train.batch_size, *source.image_shape), jnp.uint8
  )
  state = step.init_state(params, optimizer, loss, images)
  describe(config, source, splits, params, show)

  def batch(data: Any, now: jax.Array) -> jax.Array:
    arrays, part = data
    indices = pipeline.batch_indices(keys[1], now, part, config.train.batch_size)
    indices = jax.lax.with_sharding_constraint(
      indices, NamedSharding(mesh, P('data'))
    )
    return source.images(arrays, indices)

  replicated = NamedSharding(mesh, P())
  state, data = jax.device_put(
    (state, (source.arrays, jnp.asarray(splits.train))), replicated
  )
  updates = {
    n: step.make_step(loss, optimizer, batch, keys[2], mesh, n)
    for n in sorted({1, steps_per_dispatch(config)})
  }
  part = pipeline.subset(splits.validation, config.train.num_validation, seed=0)

  def validate(params: Any) -> dict[str, float]:
    scores = doors.reconstruct(params, part)
    return {f'validation_{k}': float(scores[k].mean()) for k in ('loss', 'mse')}

  return loop.train(
    state,
    updates,
    data,
    workdir=workdir,
    settings=config.train,
    validate=validate,
    show=show,
    stopping=stopping,
  ).params


def steps_per_dispatch(config: Any) -> int:
  """How many updates a call of the device makes: one on a CPU."""
  train = config.train
  if train.steps_per_dispatch:
    return train.steps_per_dispatch
  if jax.default_backend() == 'cpu':
    return 1
  common = math.gcd(train.log_every, train.num_steps)
  return max(
    n for n in range(1, MOST_STEPS_PER_DISPATCH + 1) if common % n == 0
  )


def describe(
  config: Any,
  source: sources.Source,
  splits: pipeline.Splits,
  params: Any,
  show: progress.Progress,
) -> None:
  """Prints what is trained on what."""
  device = jax.devices()[0]
  sizes = ', '.join(
    f'{len(part):,} {name}' for name, part in splits._asdict().items()
  )
  height, width, channels = source.image_shape
  show.say(f'device: {jax.device_count()} x {device.device_kind}')
  show.say(f'data: {source.name}, {height}x{width}x{channels}, {sizes}')
  show.say(parameter_overview.get_parameter_overview(params, include_stats=False))
