"""small NORB: binary matrices (magic, number of axes, sizes, numbers)."""

import gzip
import pathlib
import zlib
from typing import BinaryIO

import numpy as np

from structae.data import catalog
from structae.data.readers import reading

_TYPES: dict[int, np.dtype] = {
  0x1E3D4C55: np.dtype('uint8'),
  0x1E3D4C54: np.dtype('<i4'),
}


def read_matrix(path: pathlib.Path) -> np.ndarray:
  """Reads one matrix, compressed or not.

  Source: https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/, the file format.

  Raises:
    ValueError: if the magic number is unknown, or the file is cut off.
  """
  opener = gzip.open if path.suffix == '.gz' else open
  try:
    with opener(path, 'rb') as file:
      return _parse(file, path)  # type: ignore[arg-type]
  except (gzip.BadGzipFile, EOFError, zlib.error) as error:
    raise ValueError(f'{path}: damaged ({error}); fetch it again.') from error


def _parse(file: BinaryIO, path: pathlib.Path) -> np.ndarray:
  magic, num_axes = np.frombuffer(_take(file, 8, path), '<i4')
  if int(magic) not in _TYPES or not 1 <= num_axes <= 8:
    raise ValueError(f'{path}: no NORB matrix (magic number {magic:#x}).')
  dtype = _TYPES[int(magic)]
  # Three sizes are stored even if there are fewer axes.
  sizes = np.frombuffer(_take(file, 4 * max(3, num_axes), path), '<i4')
  shape = tuple(int(n) for n in sizes[:num_axes])
  data = _take(file, int(np.prod(shape)) * dtype.itemsize, path)
  return np.frombuffer(data, dtype).reshape(shape)


def _take(file: BinaryIO, num_bytes: int, path: pathlib.Path) -> bytes:
  data = file.read(num_bytes)
  if len(data) != num_bytes:
    raise ValueError(f'{path}: cut off; fetch it again.')
  return data


def read_smallnorb(
  data_set: catalog.DataSet, paths: dict[str, pathlib.Path]
) -> reading.Reading:
  """Opens small NORB: the training pictures, then those for testing.

  Of each stereo pair the left picture (the first) is kept. `partition` (0
  training, 2 test) is kept as an extra.
  """
  parts = [_read_part(paths, split) for split in ('training', 'testing')]
  images = np.concatenate([images for images, _ in parts])
  factors = np.concatenate([factors for _, factors in parts])
  where = next(iter(paths.values())).parent
  assert data_set.num_examples is not None
  reading.require_length(len(images), data_set.num_examples, where)
  partition = np.repeat([0, 2], [len(images) for images, _ in parts])
  return reading.Reading(
    num_examples=len(images),
    image_shape=images.shape[1:],
    read=lambda start, stop: images[start:stop],
    factor_names=data_set.factor_names,
    factor_sizes=data_set.factor_sizes,
    factors=reading.require_factors(
      factors, data_set.factor_names, data_set.factor_sizes, where
    ),
    extras={'partition': partition.astype(np.int32)},
  )


def _read_part(
  paths: dict[str, pathlib.Path], split: str
) -> tuple[np.ndarray, np.ndarray]:
  dat, cat, info = (
    next(path for name, path in paths.items() if f'{split}-{kind}.' in name)
    for kind in ('dat', 'cat', 'info')
  )
  pairs, categories, details = map(read_matrix, (dat, cat, info))
  if pairs.ndim != 4 or pairs.shape[1:] != (2, 96, 96):
    raise ValueError(
      f'{dat}: pictures have shape {pairs.shape}, expected (N, 2, 96, 96).'
    )
  if len(categories) != len(pairs) or details.shape != (len(pairs), 4):
    raise ValueError(f'{dat.parent}: pictures and labels of {split} differ.')
  factors = np.column_stack([categories, details])
  factors[:, 3] //= 2  # The file counts azimuths 0, 2, ..., 34.
  return pairs[:, 0, :, :, None], factors
