"""Anybody's pictures or feature vectors, in the form that a model takes."""

from pathlib import Path

import numpy as np

from structae.data import pictures
from structae.data.reading import Reading
from structae.data.sets import folder

# How pictures can become square, the default first.
CROPS = tuple(map(str, folder.CROP.choices))


def open_examples(path: Path, shape: tuple[int, ...], crop: str) -> Reading:
  """Opens examples for a model; they are read a block at a time.

  Args:
    path: for images: a picture, a folder of them (to any depth), or an .npz or
      .h5 file with `images`, or an .npy file, uint8 `[N, H, W]` or
      `[N, H, W, C]`. For feature vectors: an .npy file, floats `[N, X]`.
    shape: `(size, size, C)` or `(X,)`, what the model takes.
    crop: 'centre' cuts the largest centred square out, 'squash' changes the
      aspect ratio; both then resize.

  Returns:
    The examples; `read` gives them in `shape`.

  Raises:
    ValueError: if there are none, or of another kind.
  """
  if not path.exists():
    raise ValueError(f'{path}: no such file or folder')
  if len(shape) == 1:
    return _vectors(path, shape[0])
  size, channels = shape[0], shape[-1]
  if path.suffix.lower() == '.npy':
    found = _array(path, size, crop)
  elif path.is_file() and path.suffix.lower() not in ('.npz', '.h5', '.hdf5'):
    found = _picture(path, size, crop, channels)
  else:
    found = folder.read_folder(path, size, crop, channels)
  if found.image_shape[-1] != channels:
    raise ValueError(
      f'{path}: images have {found.image_shape[-1]} channels, the model takes '
      f'{channels}'
    )
  return found


def check_readable(examples: Reading, path: Path) -> None:
  """Refuses examples of which some could not be read.

  Raises:
    ValueError: names the first few.
  """
  if examples.corrupt:
    rows = sorted(examples.corrupt)
    names = [examples.names[row] for row in rows]
    reasons = [examples.corrupt[row] for row in rows]
    raise ValueError(f'{path}: {pictures.describe_corrupt(names, reasons)}')


def _picture(path: Path, size: int, crop: str, channels: int) -> Reading:
  try:
    picture = pictures.decode(path.read_bytes(), 'RGB' if channels > 1 else 'L')
  except ValueError as error:
    raise ValueError(f'{path}: no picture, .npy, .npz or .h5 file') from error
  image = pictures.square(picture, size, crop)
  return Reading(
    num_examples=1,
    image_shape=(size, size, channels),
    read=lambda start, stop: image[None][start:stop],
    factors=np.zeros((1, 0), np.int32),
    names=[path.name],
  )


def _array(path: Path, size: int, crop: str) -> Reading:
  array = _map(path)
  good = array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3))
  if array.dtype != np.uint8 or not good or 0 in array.shape:
    raise ValueError(
      f'{path}: images are {array.dtype} {array.shape}, expected uint8 '
      '[N, H, W] or [N, H, W, 1 or 3]'
    )

  def read(start: int, stop: int) -> np.ndarray:
    rows = np.asarray(array[start:stop])
    rows = rows[..., None] if rows.ndim == 3 else rows
    return pictures.square(rows, size, crop)

  return Reading(
    num_examples=len(array),
    image_shape=(size, size, array.shape[3] if array.ndim == 4 else 1),
    read=read,
    factors=np.zeros((len(array), 0), np.int32),
  )


def _vectors(path: Path, width: int) -> Reading:
  if path.suffix.lower() != '.npy':
    raise ValueError(
      f'{path}: this model takes feature vectors, an .npy file of floats '
      f'[N, {width}]'
    )
  array = _map(path)
  good = array.ndim == 2 and array.shape[1] == width and len(array)
  if not good or array.dtype.kind != 'f':
    raise ValueError(
      f'{path}: {array.dtype} {array.shape}, expected floats [N, {width}]'
    )
  return Reading(
    num_examples=len(array),
    image_shape=(1, 1, width),
    read=lambda start, stop: np.asarray(array[start:stop]),
    factors=np.zeros((len(array), 0), np.int32),
  )


def _map(path: Path) -> np.ndarray:
  try:
    return np.load(path, mmap_mode='r', allow_pickle=False)
  except (ValueError, EOFError, OSError) as error:
    raise ValueError(f'{path}: no .npy file of numbers') from error
