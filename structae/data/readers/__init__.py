"""Readers of the original files, one module for each form.

None needs TensorFlow, none extracts an archive, and none loads a pickle.
"""

import dataclasses
import pathlib

from structae.data import catalog, pixels
from structae.data.readers.reading import InPlace, Reading

__all__ = ['InPlace', 'Reading', 'open_original']


def open_original(
  data_set: catalog.DataSet,
  paths: dict[str, pathlib.Path],
  size: int,
  crop: int | str | None = None,
) -> Reading:
  """Opens the original files of a data set.

  Args:
    data_set: its catalog entry.
    paths: what `files.find` returned.
    size: the side of the images that come out, in pixels.
    crop: CelebA: the side in pixels of the centred square that is kept;
      `folder`: 'centre' or 'squash'. None is the default of the set.

  Returns:
    A reading whose images are [size, size, C].

  Raises:
    ValueError: if the files are damaged or not what they should be.
  """
  opened = _open(data_set, paths, size, crop)
  if opened.image_shape[0] == size:
    return opened
  return _resized(opened, size)


def _open(
  data_set: catalog.DataSet,
  paths: dict[str, pathlib.Path],
  size: int,
  crop: int | str | None,
) -> Reading:
  # Imported when used: each form brings libraries of its own.
  from structae.data.readers import (
    cars3d,
    celeba,
    folder,
    hdf5,
    mpi3d,
    rfd,
    smallnorb,
    tfds_directory,
  )

  name, path = data_set.name, next(iter(paths.values()))
  if name == 'folder':
    return folder.read_folder(path, size, crop or 'centre')
  if crop is not None and name != 'celeba':
    raise ValueError(f'{name} has no crop; leave it out.')
  side = _crop_side(crop)
  if 'tfds' in paths:
    return tfds_directory.read_tfds(data_set, path, side)
  if name == 'celeba':
    return celeba.read_celeba(data_set, paths, side)
  if name == 'cars3d':
    return cars3d.read_cars3d(data_set, paths, size)
  family = name.split('_')[0]
  readers = {
    'shapes3d': hdf5.read_shapes3d,
    'dsprites': hdf5.read_dsprites,
    'mpi3d': mpi3d.read_mpi3d,
    'rfd': rfd.read_rfd,
    'smallnorb': smallnorb.read_smallnorb,
  }
  return readers[family](data_set, paths)


def _crop_side(crop: int | str | None) -> int:
  side = 128 if crop is None else crop
  if not isinstance(side, int) or not 1 <= side <= 178:
    raise ValueError(
      f'The crop of celeba is a number of pixels from 1 to 178, got {crop!r}.'
    )
  return side


def _resized(opened: Reading, size: int) -> Reading:
  return dataclasses.replace(
    opened,
    image_shape=(size, size, opened.image_shape[2]),
    read=lambda start, stop: pixels.resize(opened.read(start, stop), size),
    in_place=None,
  )
