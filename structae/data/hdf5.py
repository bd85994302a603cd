"""Reading HDF5 files in order, their chunks unpacked on every core.

The HDF5 library unpacks one chunk after the other, which bounds the
preparation of 3D-Shapes; zlib releases the interpreter's lock. h5py is
imported when a file is opened, since most sets do not need it.
"""

import itertools
import math
import mmap
import pathlib
import zlib
from concurrent import futures
from typing import Any

import numpy as np

from structae import files
from structae.data import pictures
from structae.extras import require

# Rows read at a time where the file's own chunks leave a choice.
_BLOCK = 4096
_MAX_BLOCK_BYTES = 1 << 30
_MOST_ARRAY = 200_000_000  # bytes of labels
_HEAP = b'GCOL\x01\x00\x00\x00'  # begins a collection of strings


def open_h5(path: pathlib.Path) -> Any:
  """Opens an HDF5 file for reading.

  Raises:
    ValueError: if it is none or is cut off.
  """
  h5py = require('h5py', 'hdf5', f'reading {path}')
  try:
    return h5py.File(path, 'r')
  except OSError as error:
    reason = str(error).split('(')[-1].rstrip(')')
    raise ValueError(
      f'{path}: no HDF5 file, or cut off ({reason}); fetch it again.'
    ) from error


def member(file: Any, name: str, where: object, group: bool = False) -> Any:
  """The data set `name` of an open file, or the group of that name.

  Raises:
    ValueError: if there is none, or it only points at what lies elsewhere: a
      file would then hand over the bytes of any other one.
  """
  import h5py

  if not has(file, name):
    raise ValueError(
      f'{where}: no data set {name!r}; there are: {_listed(file)}.'
    )
  if not isinstance(file.get(name, getlink=True), h5py.HardLink):
    raise ValueError(
      f'{where}: {name!r} is a link to elsewhere, which is not followed.'
    )
  try:
    found = file[name]
  except (KeyError, OSError, RuntimeError) as error:
    raise ValueError(f'{where}: {name!r} is damaged.') from error
  kind, what = (h5py.Group, 'group') if group else (h5py.Dataset, 'data set')
  if not isinstance(found, kind):
    raise ValueError(f'{where}: {name!r} is no {what}.')
  if not group and (found.shape is None or found.external or found.is_virtual):
    raise ValueError(f'{where}: {name!r} does not lie in the file itself.')
  return found


def has(file: Any, name: str) -> bool:
  """Whether an open file or group has something of that name.

  Raises:
    ValueError: if the list of names is damaged.
  """
  try:
    return file.get(name, getlink=True) is not None
  except (OSError, RuntimeError) as error:
    raise ValueError(
      f'{file.file.filename}: its list of names is damaged; fetch it again.'
    ) from error


def _listed(file: Any) -> str:
  try:
    found = ', '.join(files.shown(n) for n in itertools.islice(file, 10))
  except (OSError, RuntimeError, UnicodeDecodeError):
    return 'others, whose names are damaged'
  return found or 'nothing'


def array(file: Any, name: str, where: object) -> np.ndarray:
  """A small data set of an open file, read whole.

  Raises:
    ValueError: as `member`; if it is too large, or is damaged.
  """
  found = member(file, name, where)
  if found.size * found.dtype.itemsize > _MOST_ARRAY:
    raise ValueError(f'{where}: {name!r} exceeds {_MOST_ARRAY} bytes.')
  if found.dtype.hasobject and _has_endless_heap(file.filename):
    raise ValueError(f'{where}: {name!r} is damaged; fetch it again.')
  try:
    return found[()]
  except (OSError, ValueError, TypeError, RuntimeError) as error:
    raise ValueError(
      f'{where}: {name!r} is damaged; fetch it again.'
    ) from error


def _has_endless_heap(path: str) -> bool:
  """Whether a list of strings in a file does not end.

  Strings lie in "global heap collections", lists of objects that each tell
  where the next begins. Where zeros have taken the place of one, the HDF5
  library reads it over and over, deaf to Ctrl-C.
  """
  with (
    open(path, 'rb') as stream,
    mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
  ):
    start = content.find(_HEAP)
    while start >= 0:
      size = int.from_bytes(content[start + 8 : start + 16], 'little')
      place, end = start + 16, min(start + size, len(content))
      while place + 16 <= end:
        length = int.from_bytes(content[place + 8 : place + 16], 'little')
        if content[place : place + 2] != bytes(2):  # no free space
          length = 16 + -(-length // 8) * 8
        length %= 2**64
        if not length:
          return True
        place += length
      start = content.find(_HEAP, start + 1)
  return False


def strings(file: Any, name: str, where: object) -> np.ndarray:
  """A small data set of text.

  Raises:
    ValueError: as `array`; if it holds anything else.
  """
  import h5py

  found = array(file, name, where)
  if h5py.check_string_dtype(file[name].dtype) is None:
    raise ValueError(f'{where}: {name!r} must be strings, got {found.dtype}.')
  try:
    return file[name].asstr()[()]
  except UnicodeDecodeError as error:
    raise ValueError(f'{where}: {name!r} must be UTF-8.') from error


def slices(images: Any, where: object) -> tuple[Any, int]:
  """A `read(start, stop)` for a data set, and how many rows suit it.

  Blocks are whole numbers of the file's chunks, so that each chunk is
  decompressed once: 3D-Shapes has chunks of thousands of rows.
  """
  row_bytes = max(1, math.prod(images.shape[1:]) * images.dtype.itemsize)
  rows = images.chunks[0] if images.chunks else 1
  chunk_bytes = math.prod(images.chunks or ()) * images.dtype.itemsize
  if max(row_bytes, chunk_bytes) > _MAX_BLOCK_BYTES:
    raise ValueError(
      f'{where}: an image, or a chunk, exceeds {_MAX_BLOCK_BYTES} bytes.'
    )
  block = max(1, _BLOCK // rows) * rows
  block = min(block, max(1, _MAX_BLOCK_BYTES // row_bytes))
  plain = is_plain_gzip(images)

  def read(start: int, stop: int) -> np.ndarray:
    try:
      if plain:
        return _read_chunks(images, start, stop)
      return images[start:stop]
    except (OSError, RuntimeError) as error:
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
  chunk_bytes = math.prod(shape) * dataset.dtype.itemsize
  first = start // shape[0] * shape[0]
  corners = itertools.product(
    range(first, stop, shape[0]),
    *(range(0, n, step) for n, step in zip(dataset.shape[1:], shape[1:])),
  )

  def one(corner: tuple[int, ...]) -> None:
    mask, packed = dataset.id.read_direct_chunk(corner)
    data = packed if mask else _unpacked(packed, chunk_bytes)
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


def _unpacked(packed: bytes, num_bytes: int) -> bytes:
  """A gzip stream of so many bytes; a longer one is not unpacked whole."""
  decoder = zlib.decompressobj()
  data = decoder.decompress(packed, num_bytes + 1)
  if len(data) != num_bytes or not decoder.eof:
    raise ValueError(f'a chunk does not hold {num_bytes} bytes')
  return data
