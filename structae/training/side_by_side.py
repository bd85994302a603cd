"""Updates of several runs in one program, each run on devices of its own.

The arrays of S runs lie behind one another along their first axis, which is cut
over the axis 'run' of a mesh `(run, data)`; a number becomes an array of S. The
update is that of one run, of the same shapes: nothing is batched, and gradients
are summed within a run only. (With an axis of S in front, XLA:CPU rounds the
last bit of Adam's update otherwise.)
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from structae.data import pipeline, sources
from structae.objectives.autoencoding import Loss
from structae.training import loop, step


def make_mesh(num_runs: int, devices: list[jax.Device]) -> Mesh:
  """Devices in as many rows as there are runs, `(run, data)`."""
  shape = (num_runs, len(devices) // num_runs)
  kinds = (AxisType.Auto, AxisType.Auto)
  return jax.make_mesh(shape, ('run', 'data'), kinds, devices=devices)


def row(mesh: Mesh, i: int) -> Mesh:
  """The devices of run i, as if there were no others."""
  return Mesh(mesh.devices[i], ('data',), axis_types=(AxisType.Auto,))


def stack(states: list[Any], mesh: Mesh) -> Any:
  """The state of all runs out of one state each, whole on its row of devices.

  Nothing is copied.
  """
  cut = NamedSharding(mesh, P('run'))

  def stacked(*arrays: jax.Array) -> jax.Array:
    first, *rest = arrays[0].shape or (1,)
    shards = [s.data for x in arrays for s in x.addressable_shards]
    if not arrays[0].ndim:
      shards = [x[None] for x in shards]
    shape = (len(arrays) * first, *rest)
    return jax.make_array_from_single_device_arrays(shape, cut, shards)

  return jax.tree.map(stacked, *states)


def parts(state: Any, like: Any, mesh: Mesh) -> list[Any]:
  """The state of each run, whole on its row of devices; undoes `stack`.

  Args:
    state: of all runs.
    like: a state of one, or its shapes.
    mesh: the devices.
  """

  def part(i: int, x: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    mine = {*mesh.devices[i]}
    shards = [s.data for s in x.addressable_shards if s.device in mine]
    if not shape:
      shards = [x[0] for x in shards]
    whole = NamedSharding(row(mesh, i), P())
    return jax.make_array_from_single_device_arrays(shape, whole, shards)

  return [
    jax.tree.map(lambda x, one, i=i: part(i, x, one.shape), state, like)
    for i in range(len(mesh.devices))
  ]


def make_step(
  like: Any,
  loss: Loss,
  optimizer: Callable[[jax.Array], optax.GradientTransformation],
  source: sources.Source,
  batch_size: int,
  mesh: Mesh,
  steps_per_dispatch: int = 1,
  draw: pipeline.Draw = pipeline.batch_indices,
) -> loop.Update:
  """Makes the compiled update of S runs.

  Args:
    like: a state of one run, or its shapes.
    loss: see `step.make_step`.
    optimizer: see `step.make_step`; out of a run's learning rate.
    source: the data, which lie on the devices.
    batch_size: images of an update of one run.
    mesh: see `make_mesh`.
    steps_per_dispatch: see `step.make_step`.
    draw: one of `pipeline.DRAWS`.

  Returns:
    `step(state, data) -> state` with the data of `make_data`; the old state is
    donated.
  """

  def one(state: step.TrainState, data: Any) -> step.TrainState:
    arrays, numbers, keys, rate = data
    indices = draw(keys[0], state.step, numbers, batch_size)
    indices = jax.lax.with_sharding_constraint(indices, P('data'))
    images = source.images(arrays, indices)
    images = jax.lax.with_sharding_constraint(images, P('data'))
    return step.update(loss, optimizer(rate), state, images, keys[1])

  def of_a_row(
    state: Any, arrays: Any, numbers: Any, keys: Any, rates: Any
  ) -> Any:
    state = jax.tree.map(lambda x, y: x.reshape(y.shape), state, like)
    data = arrays, numbers, keys[0], rates[0]
    state = step.repeated(one, state, data, steps_per_dispatch)
    return jax.tree.map(lambda x: x if x.ndim else x[None], state)

  of_all = jax.shard_map(
    of_a_row,
    mesh=mesh,
    axis_names={'run'},
    in_specs=(P('run'), P(), P(), P('run'), P('run')),
    out_specs=P('run'),
    check_vma=False,
  )
  cut, whole = NamedSharding(mesh, P('run')), NamedSharding(mesh, P())
  compiled = jax.jit(
    of_all,
    in_shardings=(cut, whole, whole, cut, cut),
    out_shardings=cut,
    donate_argnums=0,
  )
  return lambda state, data: compiled(state, *data)


def make_data(
  source: sources.Source,
  numbers: np.ndarray,
  keys: jax.Array,
  rates: Sequence[float],
  mesh: Mesh,
) -> Any:
  """What updates draw from, on all devices, and what tells runs apart.

  Args:
    source: the data.
    numbers: of the training images.
    keys: `[S, 2]`, of the batches and of the noise of each run.
    rates: of length S, the learning rates of the runs.
    mesh: the devices.
  """
  cut, whole = NamedSharding(mesh, P('run')), NamedSharding(mesh, P())
  arrays, part = jax.device_put((source.arrays, numbers), whole)
  apart = keys, jnp.asarray(rates, jnp.float32)
  return arrays, part, *jax.device_put(apart, cut)
