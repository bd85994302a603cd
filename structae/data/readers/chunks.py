"""Compressed chunks of an HDF5 data set, unpacked on every core.

The HDF5 library unpacks one chunk after the other, which bounds the
preparation of 3D-Shapes; zlib lets go of the interpreter.
"""

import itertools
import zlib
from concurrent import futures
from typing import Any

import numpy as np

from structae.data import decoding


def is_plain_gzip(dataset: Any) -> bool:
  """Whether chunks are gzip streams of plain rows, and nothing else."""
  return (
    dataset.chunks is not None
    and dataset.compression == 'gzip'
    and not (dataset.shuffle or dataset.fletcher32)
    and dataset.scaleoffset is None
  )


def read_rows(dataset: Any, start: int, stop: int) -> np.ndarray:
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

  with futures.ThreadPoolExecutor(decoding.num_threads()) as pool:
    try:
      for _ in pool.map(one, corners):
        pass
    except (zlib.error, ValueError) as error:
      raise OSError(f'a damaged chunk: {error}') from error
  return out
