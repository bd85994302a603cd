"""One run: build, train, then results. Imported once the config is checked."""

import contextlib
from pathlib import Path
from typing import Any

import jax
import numpy as np
from clu import parameter_overview

from structae import assembly, build, restore, results
from structae import config as config_lib
from structae import doors as doors_lib
from structae.commands import parser as arguments
from structae.data import pipeline, sources
from structae.training import checkpoint, loop, progress, step
from structae.training import stop as stop_lib


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


def run(config: Any, path: Path, workdir: Path, source: sources.Source) -> None:
  """Trains, or goes on, and writes the results into `workdir`.

  Args:
    config: a checked configuration.
    path: its config file.
    workdir: the folder of the run.
    source: the data.

  Raises:
    ConfigError: if a checkpoint cannot be used.
    Failed: if the loss is no longer a number.
    stop.Interrupted: if asked to stop, once the state is saved.
  """
  try:
    _run(config, path, workdir, source)
  except checkpoint.CheckpointError as error:
    raise config_lib.ConfigError(str(error)) from error
  except step.NotFinite as error:
    raise arguments.Failed(
      f'{error} (train.learning_rate); the last good state is kept'
    ) from error


def _run(
  config: Any, path: Path, workdir: Path, source: sources.Source
) -> None:
  with stop_lib.Stop() as stopping:
    show = progress.Progress(config.train.batch_size, quick_hint(config, path))
    mesh, parts, model, doors = assembly.assemble(config, source)
    state, updates, batches = assembly.prepare(
      config, source, parts.train, model, mesh
    )
    describe(source, parts, state.params, show)
    if config.train.init_from:
      start = restore.restore(Path(config.train.init_from)).trained.params
      state = state._replace(params=start)
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


def quick_hint(config: Any, path: Path) -> str:
  """What to run instead where the paper's run would take days."""
  if config.scale != 'paper' or jax.default_backend() != 'cpu':
    return ''
  return f'Minutes, for a first look: --config={path}:quick'


def validation(
  doors: doors_lib.Doors, params: Any, indices: np.ndarray
) -> dict[str, float]:
  """Reconstruction loss and squared error on images held out."""
  scores = doors.reconstruct(params, indices)
  return {f'validation_{k}': float(scores[k].mean()) for k in ('loss', 'mse')}


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
