"""small NORB: binary matrices (magic, number of axes, sizes, numbers)."""

import gzip
import pathlib
import zlib
from typing import BinaryIO

import numpy as np

from structae.data import reading
from structae.data.data_set import DataSet, File, Tfds
from structae.data.reading import Originals, Reading

_HOMEPAGE = 'https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/'
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


def _read(data_set: DataSet, originals: Originals) -> Reading:
  """Opens small NORB: the training pictures, then those for testing.

  Of each stereo pair the left picture (the first) is kept. `partition` (0
  training, 2 test) is kept as an extra.
  """
  parts = [_read_part(originals, split) for split in ('training', 'testing')]
  images = np.concatenate([images for images, _ in parts])
  factors = np.concatenate([factors for _, factors in parts])
  where = originals.path.parent
  reading.require_length(len(images), data_set.num_examples, where)
  partition = np.repeat([0, 2], [len(images) for images, _ in parts])
  return Reading(
    num_examples=len(images),
    image_shape=images.shape[1:],
    read=lambda start, stop: images[start:stop],
    factors=reading.require_factors(
      factors, data_set.factor_names, data_set.factor_sizes, where
    ),
    extras={'partition': partition.astype(np.int32)},
  )


def _read_part(
  originals: Originals, split: str
) -> tuple[np.ndarray, np.ndarray]:
  dat, cat, info = (
    next(p for name, p in originals.paths.items() if f'{split}-{kind}.' in name)
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


def _file(part: str, num_bytes: int, sha256: str) -> File:
  name = f'smallnorb-5x{part}.mat'
  return File(
    name=f'{name}.gz',
    urls=(f'{_HOMEPAGE}{name}.gz',),
    num_bytes=num_bytes,
    sha256=sha256,
    aliases=(name,),
  )


DATA_SET = DataSet(
  name='smallnorb',
  title='small NORB',
  image_shape=(64, 64, 1),
  sizes=(32, 64, 96),
  num_examples=48_600,
  factors={
    'category': ('animal', 'human', 'airplane', 'truck', 'car'),
    'instance': tuple(range(10)),
    'elevation': tuple(range(30, 75, 5)),
    'azimuth': tuple(range(0, 360, 20)),
    'lighting': tuple(range(6)),
  },
  periodic=('azimuth',),
  read=_read,
  files=(
    _file(
      '46789x9x18x6x2x96x96-training-dat',
      131_896_188,
      '5ffd6272a07d32695ee1082a26a41a93a37aab8c28da047f8c34ed348d214873',
    ),
    _file(
      '46789x9x18x6x2x96x96-training-cat',
      348,
      '2784e542c1922060691090952b6cd6278879a216c90f81476f0f00256d42cdaa',
    ),
    _file(
      '46789x9x18x6x2x96x96-training-info',
      71_052,
      'de7eb932ebe7a4ee16217fead60660d0eb3d23632c2f4d1c51f88c501c17bf32',
    ),
    _file(
      '01235x9x18x6x2x96x96-testing-dat',
      130_799_817,
      'cf7104eed3e51174d2f65b66d1e5878b9da233b886f161b0d88f4510ba2c7474',
    ),
    _file(
      '01235x9x18x6x2x96x96-testing-cat',
      347,
      'ecaf6d5bb8c3bc5eab9cf0258f6d2198dd474e016e374836fc097f2e5ff509ff',
    ),
    _file(
      '01235x9x18x6x2x96x96-testing-info',
      10_428,
      '16adf314226327ee006d1a44db8cfef52773c06c829951d5653a9f6f310248a2',
    ),
  ),
  official=True,
  homepage=_HOMEPAGE,
  licence='research only',
  citation=(
    'LeCun et al., Learning Methods for Generic Object Recognition with '
    'Invariance to Pose and Lighting, CVPR 2004'
  ),
  tfds=Tfds('smallnorb', labels={'instance': 'instance'}),
  note='The left camera; the 24,300 training pictures stand first.',
)
