"""The devices that a run uses, and what lies on them."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, Sharding


def check() -> None:
  """Refuses a platform that this machine does not have.

  Raises:
    ValueError: one line: what was asked for, and what there is.
  """
  try:
    jax.devices()
  except (RuntimeError, AssertionError) as error:
    asked = jax.config.jax_platforms  # type: ignore[attr-defined]
    jax.config.update('jax_platforms', '')  # whatever there is
    found = sorted({device.platform for device in jax.devices()})
    jax.config.update('jax_platforms', asked)
    raise ValueError(
      f'JAX_PLATFORMS is {asked!r}, which jax cannot use on this machine; '
      f'there is {", ".join(found)}: leave it out, or install jax for it'
    ) from error


def data_mesh() -> Mesh:
  """All devices in a row, along which batches are cut.

  Raises:
    ValueError: as `check`.
  """
  check()
  return _row(jax.devices())


_USED: contextvars.ContextVar[Mesh | None] = contextvars.ContextVar(
  'used', default=None
)


@contextlib.contextmanager
def using(mesh: Mesh) -> Iterator[None]:
  """Makes a row of devices those of the process, for what is inside."""
  token = _USED.set(mesh)
  try:
    yield
  finally:
    _USED.reset(token)


def local_mesh() -> Mesh:
  """The devices of this process in a row; all of them if it is the only one.

  Raises:
    ValueError: as `check`.
  """
  check()
  return _USED.get() or _row(jax.local_devices())


def _row(devices: list[jax.Device]) -> Mesh:
  return jax.make_mesh(
    (len(devices),), ('data',), axis_types=(AxisType.Auto,), devices=devices
  )


def put(tree: Any, sharding: Sharding) -> Any:
  """Places arrays that every process holds alike; nothing is sent.

  `jax.device_put` would send all of them, to compare them.

  Args:
    tree: of arrays, on the host or on the devices of this process.
    sharding: where they go.
  """
  if jax.process_count() == 1:
    return jax.device_put(tree, sharding)
  return jax.tree.map(lambda x: _put(x, sharding), tree)


def _put(x: Any, sharding: Sharding) -> jax.Array:
  here = {s.device: s.data for s in getattr(x, 'addressable_shards', ())}
  if here.keys() == sharding.addressable_devices and _is_whole(x, sharding):
    arrays = list(here.values())  # which stay where they are
    return jax.make_array_from_single_device_arrays(x.shape, sharding, arrays)
  x = np.asarray(x)
  return jax.make_array_from_callback(x.shape, sharding, lambda i: x[i])


def _is_whole(x: jax.Array, sharding: Sharding) -> bool:
  return x.is_fully_replicated and sharding.is_fully_replicated


def local(tree: Any) -> Any:
  """What all devices hold alike, for the devices of this process alone."""
  if jax.process_count() == 1:
    return tree
  return jax.tree.map(np.asarray, tree)
