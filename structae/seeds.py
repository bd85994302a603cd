"""Several seeds of one configuration, trained in one program.

Every run has a folder of its own, which holds what it would hold if it had been
trained alone.
"""

import contextlib
import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from structae import build, devices, results, trainer
from structae import keys as keys_lib
from structae.config import ConfigError
from structae.data import pipeline, sources
from structae.data.selection import Selection
from structae.run import Run
from structae.training import hooks, lockstep, progress, side_by_side, step
from structae.training import stop as stop_lib


def make(
  runs: list[Run], name: str, configs: list[Any], num_parts: int
) -> None:
  """Makes runs of several seeds, or goes on with them, to the end.

  Args:
    runs: their folders, which have been checked.
    name: of the model.
    configs: checked configurations, one each; they differ in their seeds and
      learning rates at most.
    num_parts: of the devices; each run has one, also when others are finished.

  Raises:
    ConfigError: if data, devices or checkpoints cannot be used.
    CannotSave: if a folder takes no more, as on a full disk.
    step.NotFinite: if the loss of a run was no longer a number; the others
      are finished.
    stop.Interrupted: if asked to stop, once the states are saved.
  """
  devices.check()
  mesh = _mesh(configs[0], len(runs), num_parts)
  source = build.source(configs[0])
  if source.arrays is None or source.storage == 'sharded':
    raise ConfigError(
      f'train.num_runs takes data that lie on each device, not '
      f'{source.storage}; leave it out, or give --config.data.storage=resident'
    )
  digests = build.digests(configs[0], source)
  with contextlib.ExitStack() as held:
    for run in runs:
      held.enter_context(run.locked())
      held.enter_context(trainer.one_line(run))
    stopping = held.enter_context(stop_lib.Stop(trainer.STOPPING))
    for run, config in zip(runs, configs):
      run.sweep()
      run.begin(name, config, digests)
    failures = _make(runs, configs, source, mesh, stopping)
  if failures:
    raise step.NotFinite('; '.join(failures))


def _mesh(config: Any, num_runs: int, num_parts: int) -> Mesh:
  num, batch = jax.device_count(), config.train.batch_size
  each, rest = divmod(num, num_parts)
  if rest:
    raise ConfigError(
      f'train.num_runs is {num_parts}, which does not divide the {num} '
      'devices; each run takes an equal part of them'
    )
  if batch % each:
    raise ConfigError(
      f'train.batch_size is {batch}, not a multiple of the {each} devices of a '
      'run'
    )
  return side_by_side.make_mesh(num_runs, jax.devices()[: num_runs * each])


def _make(
  runs: list[Run],
  configs: list[Any],
  source: sources.Source,
  mesh: Mesh,
  stopping: stop_lib.Stop,
) -> list[str]:
  """Trains and writes results; returns a line for each run that failed."""
  config, part = configs[0], build.split(configs[0], source).train
  rows = [side_by_side.row(mesh, i) for i in range(len(runs))]
  states = [trainer.start(c, source, part, at) for c, at in zip(configs, rows)]
  # Two checkpoints are kept while the next is written.
  num_bytes = sum(x.nbytes for x in jax.tree.leaves(states[0]))
  for run, state in zip(runs, states):
    run.check_space(3 * num_bytes * len(runs))
    trainer.list_parameters(run, state.params)
  checkpoints = [run.checkpoints() for run in runs]
  for one in checkpoints:
    one.sweep()
  states = lockstep.restore(checkpoints, states)
  own = [_on_row(source, at) for at in rows]
  num_images = build.images_per_update(config)
  members = []
  for i, run in enumerate(runs):
    hook = hooks.load(configs[i].train.hook, seed=configs[i].seed)
    metrics = run.metrics(int(states[i].step), num_images, hook)
    metrics.check(checkpoints[i].rows(int(states[i].step)))
    validate = _validation(configs[i], own[i], states[i].params, rows[i])
    member = lockstep.Member(str(run.folder), checkpoints[i], metrics, validate)
    members.append(member)
  show = progress.Progress(len(runs) * config.train.batch_size)
  show.log(
    f'device: {jax.device_count()} x {jax.devices()[0].device_kind}, '
    f'{len(runs)} runs of {mesh.shape["data"]} each'
  )
  states = lockstep.train(
    states,
    _updates(config, source, len(part), states[0], mesh),
    _data(configs, source, part, mesh),
    mesh,
    members,
    config.train,
    show,
    stopping,
  )
  for i, run in enumerate(runs):
    if not members[i].failure:
      with devices.using(rows[i]):
        _finish(run, configs[i], states[i], own[i], stopping)
  return [f'{m.name}: {m.failure}' for m in members if m.failure]


def _on_row(source: sources.Source, at: Mesh) -> sources.Source:
  """The data as the devices of a run have them."""
  arrays = jax.device_put(source.arrays, NamedSharding(at, P()))
  return dataclasses.replace(source, arrays=arrays)


def _updates(
  config: Any, source: sources.Source, num: int, like: Any, mesh: Mesh
) -> dict[int, Any]:
  module = build.model(config, source.image_shape[-1])
  loss = build.loss(config, module, num)
  optimizer = functools.partial(build.optimizer, config)
  like = jax.eval_shape(lambda: like)
  num_images = build.images_per_update(config)
  draw = pipeline.DRAWS[config.train.order]
  return {
    n: side_by_side.make_step(
      like, loss, optimizer, source, num_images, mesh, n, draw
    )
    for n in sorted({1, trainer.steps_per_dispatch(config)})
  }


def _data(
  configs: list[Any], source: sources.Source, part: Any, mesh: Mesh
) -> Any:
  keys = [keys_lib.of_seed(config.seed) for config in configs]
  drawn = jnp.stack([jnp.stack([k.batches, k.noise]) for k in keys])
  rates = [config.train.learning_rate for config in configs]
  return side_by_side.make_data(source, part, drawn, rates, mesh)


def _validation(
  config: Any, source: sources.Source, params: Any, at: Mesh
) -> Any:
  module = build.model(config, source.image_shape[-1])
  part = build.split(config, source).validation
  part = pipeline.subset(part, config.train.num_validation, seed=0)
  with devices.using(at):
    validate = trainer.validation(
      build.codec(config, module, params), Selection(source, part)
    )

  def on_row(params: Any) -> dict[str, float]:
    with devices.using(at):
      return validate(params)

  return on_row


def _finish(
  run: Run,
  config: Any,
  state: step.TrainState,
  source: sources.Source,
  stopping: stop_lib.Stop,
) -> None:
  model = trainer.trained(run, config, state)
  results.write(run, model, source, stopping)
  run.complete(config)
  progress.log(f'report: {run.folder / "report.html"}')
