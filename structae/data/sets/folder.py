"""The user's own images: pictures, or one .npy, .npz or .h5 file."""

import os
import pathlib
from typing import Any

import numpy as np

from structae.data import archives, hdf5, picture_files, pictures, reading
from structae.data.data_set import Crop, DataSet
from structae.data.reading import Originals, Reading

CROP = Crop(('centre', 'squash'), 'centre')
_ARRAYS = ('.npy', '.npz', '.h5', '.hdf5')


def _read(data_set: DataSet, originals: Originals) -> Reading:
  del data_set  # which knows nothing of the user's files
  return read_folder(originals.path, originals.size, originals.crop)


def read_folder(
  path: pathlib.Path,
  size: int,
  crop: int | str = CROP.default,
  channels: int = 3,
) -> Reading:
  """Opens a picture, a directory of them, or a file of images.

  Pictures are sorted by their path, so that the order is the same everywhere.
  They are turned as their EXIF tag demands, converted to RGB (or grey),
  made square, and resized to `size`.

  Args:
    path: a picture (`picture_bounds.FORMATS`); a directory, searched to its
      depths; an .npz or .h5 file with `images`, uint8 [N, H, W] or
      [N, H, W, C], and perhaps `factors`, whole numbers [N, F] from 0 on, and
      `factor_names`, text [F]; without `factors`, `labels`, any numbers [N, F]
      or [N], count by the ranks of their values; or an .npy file of images.
    size: the side of the images that come out, in pixels.
    crop: see `pictures.square`.
    channels: 3, or 1 for grey (pictures only).

  Raises:
    ValueError: if there are no images, or their form is another.
  """
  if path.is_dir():
    files = picture_files.find(path)
    if not files:
      raise ValueError(f'{path}: holds no images (PNG, JPEG, ...).')
    return _read_pictures(files, path, size, crop, channels)
  if path.suffix.lower() in _ARRAYS:
    return _read_file(path, size, crop)
  if path.suffix.lower() in picture_files.suffixes():
    return _read_pictures([path], path.parent, size, crop, channels)
  raise ValueError(
    f'{path}: expected a directory of images, a picture, or an .npy, .npz or '
    '.h5 file.'
  )


def _read_pictures(
  files: list[pathlib.Path],
  directory: pathlib.Path,
  size: int,
  crop: int | str,
  channels: int,
) -> Reading:
  corrupt: dict[int, str] = {}

  def read(start: int, stop: int) -> np.ndarray:
    out = np.empty((stop - start, size, size, channels), np.uint8)
    pictures.decode_rows(
      start,
      lambda row: files[row].read_bytes(),
      lambda picture: pictures.square(picture, size, crop),
      out,
      corrupt,
      'RGB' if channels == 3 else 'L',
    )
    return out

  return Reading(
    num_examples=len(files),
    image_shape=(size, size, channels),
    read=read,
    factors=np.zeros((len(files), 0), np.int32),
    corrupt=corrupt,
    names=[_name(file.relative_to(directory)) for file in files],
  )


def _name(file: pathlib.Path) -> str:
  """The name of a picture, bytes that are no UTF-8 replaced by a mark."""
  return os.fsencode(file.as_posix()).decode('utf-8', 'replace')


def _read_file(path: pathlib.Path, size: int, crop: int | str) -> Reading:
  images, read_raw, block, arrays = _open(path)
  shape = tuple(images.shape)
  good = len(shape) in (3, 4) and min(shape) > 0
  if images.dtype != np.uint8 or not good:
    raise ValueError(
      f'{path}: images are {images.dtype} {shape}, expected uint8 [N, H, W] '
      'or [N, H, W, C] with values from 0 to 255.'
    )
  if len(shape) == 4 and shape[3] not in (1, 3):
    raise ValueError(
      f'{path}: images have {shape[3]} channels in the last axis, '
      'expected 1 or 3.'
    )
  names, sizes, factors = _file_factors(arrays, shape[0], path)

  def read(start: int, stop: int) -> np.ndarray:
    rows = read_raw(start, stop)
    rows = rows[..., None] if rows.ndim == 3 else rows
    return pictures.square(rows, size, crop)

  return Reading(
    num_examples=shape[0],
    image_shape=(size, size, shape[3] if len(shape) == 4 else 1),
    read=read,
    factor_names=names,
    factor_sizes=sizes,
    factors=factors,
    block=block,
  )


def _open(path: pathlib.Path) -> tuple[Any, Any, int, dict[str, np.ndarray]]:
  """Returns the images, `read(start, stop)`, its block, and small arrays."""
  if path.suffix.lower() == '.npy':
    images: Any = archives.map_npy(path)
    return images, lambda a, b: np.asarray(images[a:b]), 1024, {}
  small = ('factors', 'factor_names', 'labels')
  if path.suffix.lower() == '.npz':
    images = archives.NpzMember(path, 'images')
    arrays = {
      name: archives.load_npz(path, name, path)
      for name in small
      if name in images.names
    }
    return images, images.read, 1024, arrays
  file = hdf5.open_h5(path)
  images = hdf5.member(file, 'images', path)
  arrays = {
    name: (hdf5.strings if name == 'factor_names' else hdf5.array)(
      file, name, path
    )
    for name in small
    if hdf5.has(file, name)
  }
  return images, *hdf5.slices(images, path), arrays


def _file_factors(
  arrays: dict[str, np.ndarray], num_examples: int, path: pathlib.Path
) -> tuple[tuple[str, ...], tuple[int, ...], np.ndarray]:
  factors = arrays.get('factors', np.zeros((num_examples, 0), np.int32))
  if 'factors' not in arrays and 'labels' in arrays:
    factors = _ranks(arrays['labels'], num_examples, path)
  if factors.ndim != 2 or len(factors) != num_examples:
    raise ValueError(
      f'{path}: factors have shape {factors.shape}, '
      f'expected ({num_examples}, F).'
    )
  num_factors = factors.shape[1]
  if 'factor_names' in arrays:
    names = tuple(str(name) for name in arrays['factor_names'])
  else:
    names = tuple(f'factor{i}' for i in range(num_factors))
  if len(names) != num_factors:
    raise ValueError(
      f'{path}: {len(names)} factor names for {num_factors} factors.'
    )
  reading.require_names(names, path)
  try:
    sizes = tuple(int(column.max()) + 1 for column in factors.T)
  except (TypeError, ValueError) as error:
    raise ValueError(f'{path}: factors must be whole numbers.') from error
  return names, sizes, reading.require_factors(factors, names, sizes, path)


def _ranks(
  labels: np.ndarray, num_examples: int, path: pathlib.Path
) -> np.ndarray:
  """Labels of any numbers as factors: each value by its rank in its column."""
  labels = labels[:, None] if labels.ndim == 1 else labels
  good = labels.ndim == 2 and len(labels) == num_examples
  if not good or labels.dtype.kind not in 'iufb':
    raise ValueError(
      f'{path}: labels are {labels.dtype} {labels.shape}, expected numbers '
      f'({num_examples}, F); rename or remove them if they are no factors.'
    )
  if not np.isfinite(labels).all():
    raise ValueError(f'{path}: labels are not finite.')
  ranks = [np.unique(column, return_inverse=True)[1] for column in labels.T]
  return np.stack(ranks, 1) if ranks else np.zeros((num_examples, 0), int)


DATA_SET = DataSet(
  name='folder',
  title="the user's own images",
  image_shape=(),
  sizes=(),
  num_examples=None,
  read=_read,
  crop=CROP,
  note=(
    'A directory of PNG, JPEG, WebP, GIF, BMP, TIFF, PPM, TGA, JPEG 2000 or '
    'AVIF pictures, or one .npz or .h5 file with `images` and, if there are '
    'any, `factors` (or `labels`, which count by the ranks of their values), '
    'or an .npy file of images. '
    'What is transparent lies on white.'
  ),
)
