"""Which images a step sees: a pure function of (seed, step)."""

import functools
from collections.abc import Callable
from concurrent import futures
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from structae import devices
from structae.data import epochs, sources

# `(key, step, part, batch_size)` to the image numbers of one step.
Draw = Callable[[jax.Array, jax.Array, jax.Array, int], jax.Array]


def subset(part: np.ndarray, num: int, seed: int) -> np.ndarray:
  """Draws `num` image numbers of a part, sorted; all of them if `num` is 0."""
  if not num or num >= len(part):
    return part
  return np.sort(np.random.RandomState(seed).permutation(part)[:num])


def batch_indices(
  key: jax.Array, step: jax.Array, part: jax.Array, batch_size: int
) -> jax.Array:
  """Draws the image numbers of one step, with replacement.

  No state is carried from step to step, so a resumed run sees what an
  uninterrupted one would have.

  Args:
    key: the PRNG key of the run's batches.
    step: the step, from 0.
    part: `[N]` image numbers to draw from.
    batch_size: how many.

  Returns:
    `[batch_size]` image numbers.
  """
  rows = jax.random.randint(
    jax.random.fold_in(key, step), (batch_size,), 0, len(part)
  )
  return part[rows]


# How images follow each other, by `train.order`.
DRAWS: dict[str, Draw] = {
  'replacement': batch_indices,
  'epochs': epochs.batch_indices,
}


class Batches(Protocol):
  """The batches of a run, as an argument and a function of a jitted step.

  `images(data(step, n), step + i)` is batch `step + i`, for i below n.
  """

  def data(self, step: int, num_steps: int) -> Any:
    """What a jitted function needs for steps [step, step + num_steps)."""

  def images(self, data: Any, step: jax.Array) -> jax.Array:
    """The batch of one step: uint8 [B, H, W, C]; pure, jittable."""

  def close(self) -> None:
    """Lets go of threads."""


def make_batches(
  source: sources.Source,
  part: np.ndarray,
  key: jax.Array,
  batch_size: int,
  mesh: Mesh,
  draw: Draw = batch_indices,
) -> Batches:
  """The batches of a run; the same ones whatever the source's storage.

  Args:
    source: where images come from.
    part: [N] image numbers to draw from.
    key: the PRNG key of the run's batches.
    batch_size: images per batch, a multiple of the devices.
    mesh: the devices, with one axis 'data'.
    draw: one of `DRAWS`.
  """
  kind = HostBatches if source.arrays is None else DeviceBatches
  return kind(source, part, key, batch_size, mesh, draw)


class DeviceBatches:
  """Batches of a source whose images, or what makes them, are on the device."""

  def __init__(
    self,
    source: sources.Source,
    part: np.ndarray,
    key: jax.Array,
    batch_size: int,
    mesh: Mesh,
    draw: Draw = batch_indices,
  ):
    """See `make_batches`."""
    replicated = NamedSharding(mesh, P())
    arrays = source.arrays
    if source.storage != 'sharded':
      arrays = devices.put(arrays, replicated)
    self._data = arrays, devices.put(jnp.asarray(part), replicated)
    self._draw = lambda step, part: draw(key, step, part, batch_size)
    # A sharded look-up needs all numbers on every device.
    spec = P() if source.storage == 'sharded' else P('data')
    self._sharding = NamedSharding(mesh, spec)
    self._images = source.images

  def data(self, step: int, num_steps: int) -> Any:
    """The same for all steps: the arrays, and the numbers to draw from."""
    del step, num_steps
    return self._data

  def images(self, data: Any, step: jax.Array) -> jax.Array:
    """The batch of one step, drawn and looked up on the device."""
    arrays, part = data
    indices = self._draw(step, part)
    indices = jax.lax.with_sharding_constraint(indices, self._sharding)
    return self._images(arrays, indices)

  def close(self) -> None:
    """Nothing to let go of."""


# A draw on the CPU costs as much for one step as for many.
_STEPS_PER_DRAW = 64


class HostBatches:
  """Batches gathered from a memory map by a thread, ahead of their use.

  While the device works on one dispatch, the next is gathered whole and sent
  as uint8. Every process gathers only the rows of its own devices.
  """

  def __init__(
    self,
    source: sources.Source,
    part: np.ndarray,
    key: jax.Array,
    batch_size: int,
    mesh: Mesh,
    draw: Draw = batch_indices,
  ):
    """See `make_batches`."""
    assert source.host is not None
    self._host = source.host
    self._sharding = NamedSharding(mesh, P(None, 'data'))
    device = _host_device()
    key, rows = jax.device_put((key, jnp.asarray(part)), device)

    @jax.jit
    def draw_block(first: jax.Array) -> jax.Array:
      return jax.vmap(lambda step: draw(key, step, rows, batch_size))(
        first + jnp.arange(_STEPS_PER_DRAW)
      )

    @functools.lru_cache(maxsize=2)
    def drawn(block: int) -> np.ndarray:
      first = np.int32(block * _STEPS_PER_DRAW)
      return np.asarray(draw_block(jax.device_put(first, device)))

    self._drawn = drawn
    self._thread = futures.ThreadPoolExecutor(1, 'gather')
    self._pending: dict[tuple[int, int], futures.Future] = {}

  def data(self, step: int, num_steps: int) -> Any:
    """The first step, and the images of all: uint8 [n, B, H, W, C]."""
    wanted, following = (step, num_steps), (step + num_steps, num_steps)
    # Where the order changes, what was gathered ahead is of no use.
    for key in set(self._pending) - {wanted, following}:
      self._pending.pop(key).cancel()
    for key in (wanted, following):
      if key not in self._pending:
        self._pending[key] = self._thread.submit(self._gather, *key)
    return self._pending.pop(wanted).result()

  def images(self, data: Any, step: jax.Array) -> jax.Array:
    """The batch of one step, out of those that were sent."""
    first, images = data
    return jax.lax.dynamic_index_in_dim(
      images, step - first, axis=0, keepdims=False
    )

  def close(self) -> None:
    """Stops the thread; batches already gathered are dropped."""
    self._thread.shutdown(wait=True, cancel_futures=True)

  def _gather(self, step: int, num_steps: int) -> Any:
    rows = np.stack(
      [
        self._drawn(now // _STEPS_PER_DRAW)[now % _STEPS_PER_DRAW]
        for now in range(step, step + num_steps)
      ]
    )
    shape = (*rows.shape, *self._host.shape[1:])

    def gather(index: Any) -> np.ndarray:
      return self._host[rows[index[:2]]]

    images = jax.make_array_from_callback(shape, self._sharding, gather)
    return np.int32(step), images


def _host_device() -> jax.Device:
  """A CPU device to draw numbers on, so that the thread need not wait."""
  try:
    return jax.local_devices(backend='cpu')[0]
  except RuntimeError:  # Only the accelerator was asked for.
    return jax.local_devices()[0]


def map_batches(
  function: Callable[[Any], Any], inputs: Any, batch_size: int
) -> Any:
  """Applies a function of a batch to one row or more.

  Every batch is whole, so that one shape is compiled: the last one is filled
  up with rows from the start, whose results are dropped.

  Args:
    function: maps `[batch_size, ...]` to a tree of `[batch_size, ...]`.
    inputs: `[N, ...]`, numpy.
    batch_size: rows at a time.

  Returns:
    A tree of numpy arrays `[N, ...]`.

  Raises:
    ValueError: if there are no rows.
  """
  if not len(inputs):
    raise ValueError('there are no rows to work on.')
  num_batches = -(-len(inputs) // batch_size)
  rows = np.resize(np.arange(len(inputs)), (num_batches, batch_size))
  parts = [jax.device_get(function(inputs[r])) for r in rows]
  joined = jax.tree.map(lambda *p: np.concatenate(p), *parts)
  return jax.tree.map(lambda a: a[: len(inputs)], joined)
