"""Reading HDF5 files in order, their chunks unpacked on every core.

The HDF5 library unpacks one chunk after the other, which bounds the
preparation of 3D-Shapes; zlib releases the interpreter's lock. h5py is
imported when a file is opened, since most sets do not need it.
"""

import itertools
import pathlib
import zlib
from concurrent import futures
from typing import Any

import numpy as np

from structae.data import pictures

# Rows read at a time where the file's own chunks leave a choice.
_BLOCK = 4096
_MAX_BLOCK_BYTES = 1 << 30


def open_h5(path: pathlib.Path) -> Any:
  """Opens an HDF5 file for reading.

  Raises:
    ValueError: if it is none or is cut off.
  """
  try:
    import h5py
  except ImportError as error:
    raise ValueError(
      f'{path}: reading HDF5 needs h5py: pip install h5py.'
    ) from error
  try:
    return h5py.File(path, 'r')
  except OSError as error:
    reason = str(error).split('(')[-1].rstrip(')')
    raise ValueError(
      f'{path}: no HDF5 file, or cut off ({reason}); fetch it again.'
    ) from error


def member(file: Any, name: str, where: object) -> Any:
  """Returns the data set `name` of an open file, or a one-line ValueError."""
  if name not in file:
    found = ', '.join(sorted(file)) or 'nothing'
    raise ValueError(f'{where}: no data set {name!r}; there are: {found}.')
  return file[name]


def slices(images: Any, where: object) -> tuple[Any, int]:
  """A `read(start, stop)` for a data set, and how many rows suit it.

  Blocks are whole numbers of the file's chunks, so that each chunk is
  decompressed once: 3D-Shapes has chunks of thousands of rows.
  """
  row_bytes = int(np.prod(images.shape[1:])) * images.dtype.itemsize
  rows = images.chunks[0] if images.chunks else 1
  block = max(1, _BLOCK // rows) * rows
  block = min(block, max(1, _MAX_BLOCK_BYTES // row_bytes))
  plain = is_plain_gzip(images)

  def read(start: int, stop: int) -> np.ndarray:
    try:
      if plain:
        return _read_chunks(images, start, stop)
      return images[start:stop]
    except OSError as error:
      raise ValueError(
        f'{where}: rows {start} to {stop} are damaged; fetch it again.'
      ) from error

  return read, block


def is_plain_gzip(dataset: Any) -> bool:
  """Whether chunks are gzip streams of plain rows, and nothing else."""
  return (
    dataset.chunks is not None
    and dataset.compression == 'gzip'
    and not (dataset.shuffle or dataset.fletcher32)
    and dataset.scaleoffset is None
  )


def _read_chunks(dataset: Any, start: int, stop: int) -> np.ndarray:
  """Returns rows [start, stop) of a data set that `is_plain_gzip`.

  Raises:
    OSError: if a chunk is damaged.
  """
  out = np.empty((stop - start, *dataset.shape[1:]), dataset.dtype)
  shape = dataset.chunks
  first = start // shape[0] * shape[0]
  corners = itertools.product(
    range(first, stop, shape[0]),
    *(range(0, n, step) for n, step in zip(dataset.shape[1:], shape[1:])),
  )

  def one(corner: tuple[int, ...]) -> None:
    mask, packed = dataset.id.read_direct_chunk(corner)
    data = packed if mask else zlib.decompress(packed)
    chunk = np.frombuffer(data, dataset.dtype).reshape(shape)
    ends = (stop, *dataset.shape[1:])
    begins = (start, *(0 for _ in dataset.shape[1:]))
    source, target = [], []
    for corner_i, step, begin, end in zip(corner, shape, begins, ends):
      low, high = max(corner_i, begin), min(corner_i + step, end)
      source.append(slice(low - corner_i, high - corner_i))
      target.append(slice(low - begin, high - begin))
    out[tuple(target)] = chunk[tuple(source)]

  with futures.ThreadPoolExecutor(pictures.num_threads()) as pool:
    try:
      for _ in pool.map(one, corners):
        pass
    except (zlib.error, ValueError) as error:
      raise OSError(f'a damaged chunk: {error}') from error
  return out
