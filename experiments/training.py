"""One run: build, train, then results. Imported once the config is checked."""

import contextlib
import math
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from clu import parameter_overview
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from experiments import command, results
from experiments import doors as doors_lib
from structae import build
from structae import config as config_lib
from structae.data import pipeline, sources
from structae.training import checkpoint, loop, progress, step
from structae.training import stop as stop_lib

# More than this many updates per call gain nothing on an accelerator.
MOST_STEPS_PER_DISPATCH = 50
QUICK_HINT = 'Minutes, for a first look: --config=experiments/{name}.py:quick'


def check_devices(config: Any) -> None:
  """Refuses a batch that the devices do not divide.

  Raises:
    ConfigError: one line.
  """
  _check_devices_divide(config, 'train.batch_size')


def open_data(config: Any) -> sources.Source:
  """Opens the data of a run, and prepares them where they must be.

  Raises:
    ConfigError: if they cannot be used.
    stop.Interrupted: if stopped while they were prepared.
  """
  try:
    source = build.source(config)
  except KeyboardInterrupt as error:
    raise stop_lib.Interrupted('stopped while preparing the data') from error
  if source.storage == 'sharded':
    _check_devices_divide(config, 'evaluation.batch_size')
  return source


def _check_devices_divide(config: Any, field: str) -> None:
  batch, devices = config_lib.flat(config)[field], jax.device_count()
  if batch % devices:
    raise config_lib.ConfigError(
      f'{field} is {batch}, not a multiple of the {devices} devices'
    )


def run(config: Any, name: str, workdir: Path, source: sources.Source) -> None:
  """Trains, or goes on, and writes the results into `workdir`.

  Raises:
    ConfigError: if a checkpoint cannot be used.
    Failed: if the loss is no longer a number.
    stop.Interrupted: if asked to stop, once the state is saved.
  """
  try:
    _run(config, name, workdir, source)
  except checkpoint.CheckpointError as error:
    raise config_lib.ConfigError(str(error)) from error
  except loop.Diverged as error:
    raise command.Failed(str(error)) from error


def _run(config: Any, name: str, workdir: Path, source: sources.Source) -> None:
  with stop_lib.Stop() as stopping:
    show = progress.Progress(
      config.train.batch_size,
      QUICK_HINT.format(name=name) if jax.default_backend() == 'cpu' else '',
    )
    mesh, parts, model, doors = assemble(config, source)
    state, updates, batches = prepare(config, source, parts.train, model, mesh)
    describe(source, parts, state.params, show)
    held_out = pipeline.subset(
      parts.validation, config.train.num_validation, seed=0
    )
    with contextlib.closing(batches):
      state = loop.train(
        state,
        updates,
        batches,
        workdir=workdir,
        settings=config.train,
        validate=lambda params: validation(doors, params, held_out),
        show=show,
        stopping=stopping,
      )
    trained = results.Trained(config, source, doors, state.params)
    results.write(trained, workdir, parts, show.say, stopping)


class Parts(NamedTuple):
  """What a configuration asks for, before anything is trained."""

  mesh: Mesh
  splits: pipeline.Splits
  model: Any
  doors: doors_lib.Doors


def assemble(config: Any, source: sources.Source) -> Parts:
  """Splits the data of a checked configuration and builds its model."""
  mesh = step.data_mesh()
  model = build.model(config, source.image_shape[-1])
  doors = doors_lib.make_doors(
    source,
    model,
    config.evaluation.batch_size,
    mesh,
    build.likelihood(config),
  )
  return Parts(mesh, build.split(config, source), model, doors)


def prepare(
  config: Any, source: sources.Source, part: np.ndarray, model: Any, mesh: Mesh
) -> tuple[step.TrainState, dict[int, loop.Update], pipeline.Batches]:
  """Makes what the loop needs.

  Args:
    config: a checked configuration.
    source: the images.
    part: the numbers of those to train on.
    model: the autoencoder.
    mesh: the devices.

  Returns:
    The state before the first update, the updates by their number of steps,
    and the batches they draw from.
  """
  keys = jax.random.split(jax.random.key(config.seed), 3)
  loss = build.loss(config, model, len(part))
  optimizer = build.optimizer(config)
  params = build.init(config, model, keys[0], source.image_shape)
  num_images = build.images_per_update(config)
  batches = pipeline.make_batches(source, part, keys[1], num_images, mesh)
  images = jax.ShapeDtypeStruct(
    (num_images, *source.image_shape),
    jnp.uint8 if len(source.image_shape) == 3 else jnp.float32,
  )
  state = step.init_state(params, optimizer, loss, images)
  updates = {
    n: step.make_step(loss, optimizer, batches.images, keys[2], mesh, n)
    for n in sorted({1, steps_per_dispatch(config)})
  }
  return jax.device_put(state, NamedSharding(mesh, P())), updates, batches


def validation(
  doors: doors_lib.Doors, params: Any, indices: np.ndarray
) -> dict[str, float]:
  """Reconstruction loss and squared error on images held out."""
  scores = doors.reconstruct(params, indices)
  return {f'validation_{k}': float(scores[k].mean()) for k in ('loss', 'mse')}


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
  source: sources.Source,
  parts: pipeline.Splits,
  params: Any,
  show: progress.Progress,
) -> None:
  """Prints what is trained, on what."""
  device = jax.devices()[0]
  sizes = ', '.join(
    f'{len(part):,} {name}' for name, part in parts._asdict().items()
  )
  shape = 'x'.join(map(str, source.image_shape))
  table = parameter_overview.get_parameter_overview(params, include_stats=False)
  show.say(table)
  show.say(f'device: {jax.device_count()} x {device.device_kind}')
  show.say(f'data: {source.name}, {shape}, {sizes}')
