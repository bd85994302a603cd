"""Where uint8 images come from: composed, resident on the device, or mapped.

Whatever the storage, image i is the same image, and a batch the same batch.
"""

import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from structae import devices
from structae.data import catalog, manifest, prepare, reading

STORAGES = ('auto', 'resident', 'sharded', 'memmap')
# Share of a device's memory that images may take; the rest trains.
_SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class Source:
  """A data set as a pure function of its image numbers.

  Attributes:
    name: the data set.
    image_shape: (H, W, C), or (X,) for feature vectors.
    size: the number of images.
    factor_names: F names.
    factor_sizes: F sizes; those of size 1 are constant.
    arrays: what the device holds: the tables that images are composed of, or
      the images themselves. Passed to jitted functions as an argument, since a
      constant of this size would be compiled into the program. None if the
      images stay on the host.
    images: `(arrays, indices [B]) -> uint8 [B, H, W, C]`, or feature vectors
      float32 `[B, X]`; pure, jittable.
    factors: `indices [B] -> int32 [B, F]`, numpy.
    storage: 'composed' (made here), 'resident', 'sharded' or 'memmap'.
    host: the images as a memory map [N, H, W, C]; None where they are composed.
    extras: further arrays of N rows, such as `identity` and `partition`.
    digest: a sha256 of this content; '' if made here.
  """

  name: str
  image_shape: tuple[int, ...]
  size: int
  factor_names: tuple[str, ...]
  factor_sizes: tuple[int, ...]
  arrays: Any
  images: Callable[[Any, jax.Array], jax.Array]
  factors: Callable[[np.ndarray], np.ndarray]
  storage: str = 'composed'
  host: np.ndarray | None = None
  extras: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
  digest: str = ''

  def load(self, indices: np.ndarray) -> tuple[Any, Any]:
    """Arguments for `images`, whatever the storage, for a batch at a time.

    `source.images(*source.load(indices))` are the images: what stays on the
    host is gathered here, and the numbers then count within the batch.

    Args:
      indices: numpy [B].

    Returns:
      The arrays and the numbers.
    """
    if self.arrays is not None:
      return self.arrays, indices
    assert self.host is not None
    return jax.device_put(self.host[indices]), np.arange(len(indices))


def load(
  name: str,
  size: int,
  path: str = '',
  *,
  storage: str = 'auto',
  crop: int | str | None = None,
  verify: bool = True,
  skip_corrupt: bool = False,
  mesh: Mesh | None = None,
) -> Source:
  """Opens a data set by its name, and prepares it first where it must be.

  Args:
    name: one of `catalog.CATALOG`.
    size: the side of the images in pixels.
    path: the original files, or a prepared folder; see `prepare.prepare`.
    storage: 'resident' holds all images on every device, 'sharded' a part on
      each, 'memmap' leaves them on the host; 'auto' takes the first that fits
      into half of a device's memory.
    crop: see `prepare.Options`.
    verify: see `prepare.Options`.
    skip_corrupt: see `prepare.Options`.
    mesh: the devices, with one axis 'data'; by default those of all processes
      for a sharded set, of this one for a resident set.

  Returns:
    The source.

  Raises:
    ValueError: if there is no such set, size or storage, or if its files are
      missing or damaged.
  """
  data_set = catalog.get(name)
  if storage not in STORAGES:
    raise ValueError(
      f'Unknown storage {storage!r}; expected one of {", ".join(STORAGES)}.'
    )
  if data_set.make:
    return _made(data_set, size)
  folder = prepare.prepare(
    data_set,
    pathlib.Path(path).expanduser() if path else None,
    prepare.Options(
      size=size, crop=crop, verify=verify, skip_corrupt=skip_corrupt
    ),
  )
  return prepared(folder, storage, mesh)


def _made(data_set: catalog.DataSet, size: int) -> Source:
  """A data set that is computed."""
  assert data_set.make is not None and data_set.num_examples is not None
  arrays, images = data_set.make(size)
  sizes = data_set.factor_sizes
  shape = data_set.image_shape
  return Source(
    name=data_set.name,
    image_shape=(size, size, shape[2]) if len(shape) == 3 else shape,
    size=data_set.num_examples,
    factor_names=data_set.factor_names,
    factor_sizes=sizes,
    arrays=arrays,
    images=images,
    factors=lambda indices: reading.grid_factors(indices, sizes),
  )


def prepared(
  folder: pathlib.Path, storage: str = 'auto', mesh: Mesh | None = None
) -> Source:
  """Opens a prepared folder; see `load`."""
  made = manifest.load(folder)
  manifest.verify_once(folder, made)
  reading.require_names(made.factor_names, folder)  # before training
  host = manifest.map_images(folder, made)
  everywhere = mesh or devices.data_mesh()
  if storage == 'auto':
    storage = choose(host.nbytes, everywhere)
  if storage == 'sharded':
    _check_sharded(everywhere)
    mesh = everywhere
  arrays, images = _place(host, storage, mesh or devices.local_mesh())
  return Source(
    name=made.name,
    image_shape=made.image_shape,
    size=made.num_examples,
    factor_names=made.factor_names,
    factor_sizes=made.factor_sizes,
    arrays=arrays,
    images=images,
    factors=_factors(folder, made),
    storage=storage,
    host=host,
    extras={n: manifest.load_array(folder, n) for n in made.extras},
    digest=_digest(folder, made),
  )


def _digest(folder: pathlib.Path, made: manifest.Manifest) -> str:
  """A sha256 of images, factors and extras."""
  sha256 = hashlib.sha256(made.images_sha256.encode())
  if not made.images_sha256:  # mapped where the original holds them
    sha256.update('+'.join(s['sha256'] for s in made.sources).encode())
  sha256.update(repr((made.factor_names, made.factor_sizes)).encode())
  for name in (*(() if made.grid else ('factors',)), *made.extras):
    array = manifest.load_array(folder, name)
    sha256.update(f'{name} {array.dtype.str} {array.shape}'.encode())
    sha256.update(array.tobytes())
  return sha256.hexdigest()


def choose(num_bytes: int, mesh: Mesh) -> str:
  """The storage for so many bytes of images: the first that fits."""
  budget = _SHARE * min(map(_memory, mesh.local_devices))
  if num_bytes <= budget:
    return 'resident'
  if num_bytes <= budget * mesh.devices.size and not _hangs(mesh):
    return 'sharded'
  return 'memmap'


def _hangs(mesh: Mesh) -> bool:
  """Whether a look-up that is sharded may end a run, 30 s late or never.

  Source: https://github.com/jax-ml/jax/issues/40831, of `psum_scatter` on CPUs.
  """
  return mesh.is_multi_process and mesh.devices.flat[0].platform == 'cpu'


def _check_sharded(mesh: Mesh) -> None:
  if _hangs(mesh):
    raise ValueError(
      "data.storage is 'sharded', which CPUs of several processes cannot be "
      "relied on for; use 'resident' or 'memmap'."
    )


def _memory(device: jax.Device) -> float:
  """Bytes that a device can hold; devices made of the host share its memory."""
  stats = device.memory_stats() or {}
  if 'bytes_limit' in stats:
    return stats['bytes_limit']
  if device.platform != 'cpu' or not hasattr(os, 'sysconf'):
    return 0.0
  total = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
  return total / jax.local_device_count()


def _factors(
  folder: pathlib.Path, made: manifest.Manifest
) -> Callable[[np.ndarray], np.ndarray]:
  if made.grid:
    return lambda indices: reading.grid_factors(indices, made.factor_sizes)
  factors = manifest.load_array(folder, 'factors')
  return lambda indices: factors[indices]


def _place(
  host: np.ndarray, storage: str, mesh: Mesh
) -> tuple[Any, Callable[[Any, jax.Array], jax.Array]]:
  if storage == 'resident':
    return put(host, NamedSharding(mesh, P())), take
  if storage == 'sharded':
    num_shards = mesh.devices.size
    rows = -(-len(host) // num_shards) * num_shards
    arrays = put(host, NamedSharding(mesh, P('data')), rows)
    return arrays, sharded_take(mesh)
  return None, take


def put(
  host: np.ndarray, sharding: NamedSharding, num_rows: int | None = None
) -> jax.Array:
  """Copies images to the devices, each reading its own rows only.

  Args:
    host: [N, ...].
    sharding: how the first axis is cut.
    num_rows: N by default; rows beyond N are zeros.
  """
  shape = (num_rows or len(host), *host.shape[1:])

  def rows(index: Any) -> np.ndarray:
    start, stop, _ = index[0].indices(shape[0])
    part = host[start:stop]
    if len(part) == stop - start:
      return np.asarray(part)
    padding = np.zeros((stop - start - len(part), *shape[1:]), host.dtype)
    return np.concatenate([part, padding])

  return jax.make_array_from_callback(shape, sharding, rows)


def near(source: Source) -> Source:
  """A data set for this process alone.

  A set that is cut over the devices of all processes is read from its memory
  map; the others lie on every process's own devices.
  """
  if source.storage != 'sharded' or jax.process_count() == 1:
    return source
  return dataclasses.replace(source, arrays=None, images=take)


def take(arrays: jax.Array, indices: jax.Array) -> jax.Array:
  """Images by their numbers: uint8 [B, H, W, C]."""
  return arrays[indices]


def sharded_take(mesh: Mesh) -> Callable[[jax.Array, jax.Array], jax.Array]:
  """A `take` for images of which each device holds an equal part.

  Every device looks up the numbers that are its own and puts zeros for the
  rest; the sum over devices is the batch, of which each keeps its part. So
  the batch is that of a single device, for any number of them.
  """

  def local(rows: jax.Array, indices: jax.Array) -> jax.Array:
    mine = indices - jax.lax.axis_index('data') * len(rows)
    here = (mine >= 0) & (mine < len(rows))
    found = rows[jnp.where(here, mine, 0)]
    found = jnp.where(here[:, None, None, None], found, 0)
    return jax.lax.psum_scatter(found, 'data', scatter_dimension=0, tiled=True)

  return jax.shard_map(
    local, mesh=mesh, in_specs=(P('data'), P()), out_specs=P('data')
  )
