"""Cars3D: MATLAB files of one car each, in a compressed tar."""

import io
import pathlib
import tarfile
import zlib

import numpy as np

from structae.data import archives, pictures, reading
from structae.data.data_set import DataSet, File, Tfds
from structae.data.reading import Originals, Reading

# Each car: [128, 128, 3, azimuth, elevation].
_SIDE, _AZIMUTHS, _ELEVATIONS = 128, 24, 4


def _read(data_set: DataSet, originals: Originals) -> Reading:
  """Opens Cars3D: 183 cars, seen from 24 azimuths and 4 elevations.

  The archive's own list orders the cars; rows are ordered as the grid
  (elevation, azimuth, car). The pictures are held at the wanted size, since the
  archive can only be read in its own order (128 px: 0.9 GB, 64 px: 0.2 GB).
  """
  path, size = originals.path, originals.size
  num_cars = data_set.factor_sizes[-1]
  with archives.open_tar(path) as archive:
    names, cars = _load(archive, path, size)
  if sorted(names) != sorted(cars):
    raise ValueError(
      f'{path}: list.txt names {len(names)} cars, the archive holds '
      f'{len(cars)}; fetch it again.'
    )
  reading.require_length(
    len(names) * _AZIMUTHS * _ELEVATIONS,
    num_cars * _AZIMUTHS * _ELEVATIONS,
    path,
  )
  # [car, elevation, azimuth, size, size, 3] -> [elevation, azimuth, car, ...].
  images = np.stack([cars[name] for name in names])
  images = images.transpose(1, 2, 0, 3, 4, 5).reshape(-1, size, size, 3)
  return Reading(
    num_examples=len(images),
    image_shape=(size, size, 3),
    read=lambda start, stop: images[start:stop],
  )


def _load(
  archive: tarfile.TarFile, where: pathlib.Path, size: int
) -> tuple[list[str], dict[str, np.ndarray]]:
  names: list[str] = []
  cars: dict[str, np.ndarray] = {}
  try:
    for member in archive:
      place = pathlib.PurePosixPath(member.name)
      if not member.isfile() or place.parent.name != 'cars':
        continue
      file = archive.extractfile(member)
      assert file is not None
      if place.name == 'list.txt':
        names = file.read().decode().split()
      elif place.suffix == '.mat':
        cars[place.stem] = _car(file.read(), f'{where}, {member.name}', size)
  except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
    raise ValueError(
      f'{where}: the archive is cut off or damaged ({error}); fetch it again.'
    ) from error
  if not names:
    raise ValueError(f'{where}: holds no cars/list.txt; fetch it again.')
  return names, cars


def _car(data: bytes, where: str, size: int) -> np.ndarray:
  """Returns uint8 [elevation, azimuth, size, size, 3]."""
  import scipy.io

  try:
    images = scipy.io.loadmat(io.BytesIO(data), variable_names=['im'])['im']
  except Exception as error:  # SciPy raises many kinds on damaged files.
    raise ValueError(f'{where}: no MATLAB file with `im` ({error}).') from error
  expected = (_SIDE, _SIDE, 3, _AZIMUTHS, _ELEVATIONS)
  if images.shape != expected or images.dtype != np.uint8:
    raise ValueError(
      f'{where}: `im` is {images.dtype} {images.shape}, '
      f'expected uint8 {expected}.'
    )
  return pictures.resize(images.transpose(4, 3, 0, 1, 2), size)


DATA_SET = DataSet(
  name='cars3d',
  title='Cars3D',
  image_shape=(64, 64, 3),
  sizes=(32, 64, 128),
  num_examples=17_568,
  factors={
    'elevation': tuple(range(_ELEVATIONS)),
    'azimuth': tuple(range(_AZIMUTHS)),
    'object_type': tuple(range(183)),
  },
  periodic=('azimuth',),
  grid=True,
  read=_read,
  files=(
    File(
      name='nips2015-analogy-data.tar.gz',
      urls=('http://www.scottreed.info/files/nips2015-analogy-data.tar.gz',),
      md5='4e866a7919c1beedf53964e6f7a23686',
    ),
  ),
  homepage='https://papers.nips.cc/paper/5845-deep-visual-analogy-making',
  licence='none stated',
  citation='Reed et al., Deep Visual Analogy-Making, NeurIPS 2015',
  tfds=Tfds('cars3d/default'),
)
