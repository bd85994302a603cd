"""Anybody's pictures or feature vectors, in the form that a model takes."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from structae.config import ConfigError
from structae.data import decoding, pixels
from structae.data.readers import folder, reading


def open_examples(
  path: Path, shape: tuple[int, ...], crop: str
) -> reading.Reading:
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
    raise ConfigError(f'{path}: no such file or folder')
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
    raise ConfigError(
      f'{path}: images have {found.image_shape[-1]} channels, the model takes '
      f'{channels}'
    )
  return found


def usual_crop(data: Any) -> str:
  """How pictures become square for a model, by its configuration's `data`."""
  return data.crop if data.name == 'folder' and data.crop else 'centre'


def check_readable(examples: reading.Reading, path: Path) -> None:
  """Refuses examples of which some could not be read.

  Raises:
    ConfigError: names the first few.
  """
  if examples.corrupt:
    rows = sorted(examples.corrupt)
    names = [examples.names[row] for row in rows]
    reasons = [examples.corrupt[row] for row in rows]
    raise ConfigError(f'{path}: {decoding.describe_corrupt(names, reasons)}')


def _picture(
  path: Path, size: int, crop: str, channels: int
) -> reading.Reading:
  try:
    picture = decoding.decode(path.read_bytes(), 'RGB' if channels > 1 else 'L')
  except ValueError as error:
    raise ConfigError(f'{path}: no picture, .npy, .npz or .h5 file') from error
  image = folder.square(picture, size, crop)
  return reading.Reading(
    num_examples=1,
    image_shape=(size, size, channels),
    read=lambda start, stop: image[None][start:stop],
    factors=np.zeros((1, 0), np.int32),
    names=[path.name],
  )


def _array(path: Path, size: int, crop: str) -> reading.Reading:
  array = _map(path)
  good = array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3))
  if array.dtype != np.uint8 or not good or 0 in array.shape:
    raise ConfigError(
      f'{path}: images are {array.dtype} {array.shape}, expected uint8 '
      '[N, H, W] or [N, H, W, 1 or 3]'
    )

  def read(start: int, stop: int) -> np.ndarray:
    rows = np.asarray(array[start:stop])
    rows = rows[..., None] if rows.ndim == 3 else rows
    if crop == 'centre':
      return pixels.resize(pixels.centre_square(rows), size)
    return np.stack([folder.square(row, size, crop) for row in rows])

  return reading.Reading(
    num_examples=len(array),
    image_shape=(size, size, array.shape[3] if array.ndim == 4 else 1),
    read=read,
    factors=np.zeros((len(array), 0), np.int32),
  )


def _vectors(path: Path, width: int) -> reading.Reading:
  if path.suffix.lower() != '.npy':
    raise ConfigError(
      f'{path}: this model takes feature vectors, an .npy file of floats '
      f'[N, {width}]'
    )
  array = _map(path)
  good = array.ndim == 2 and array.shape[1] == width and len(array)
  if not good or array.dtype.kind != 'f':
    raise ConfigError(
      f'{path}: {array.dtype} {array.shape}, expected floats [N, {width}]'
    )
  return reading.Reading(
    num_examples=len(array),
    image_shape=(1, 1, width),
    read=lambda start, stop: np.asarray(array[start:stop]),
    factors=np.zeros((len(array), 0), np.int32),
  )


def _map(path: Path) -> np.ndarray:
  try:
    return np.load(path, mmap_mode='r', allow_pickle=False)
  except (ValueError, EOFError, OSError) as error:
    raise ConfigError(f'{path}: no .npy file of numbers') from error


def is_picture(value: Any) -> bool:
  """Whether it is a Pillow image, or may be the path of a picture."""
  return isinstance(value, str | os.PathLike | Image.Image)


def read_pictures(
  pictures: Sequence[Any], shape: tuple[int, ...]
) -> np.ndarray:
  """Pillow images, or the files of pictures, as a model takes them.

  Args:
    pictures: B of them.
    shape: `(size, size, C)`, what the model takes.

  Returns:
    uint8 `[B, size, size, C]`, the largest centred square of each.

  Raises:
    ValueError: names the first that cannot be read.
  """
  size, channels = shape[0], shape[-1]
  mode = 'RGB' if channels > 1 else 'L'
  found = []
  for i, picture in enumerate(pictures):
    named = picture if isinstance(picture, str | os.PathLike) else f'image {i}'
    try:
      if isinstance(picture, Image.Image):
        array = decoding.as_array(picture, mode)
      else:
        array = decoding.decode(Path(picture).read_bytes(), mode)
    except (ValueError, OSError) as error:
      raise ValueError(f'{named} is no picture: {error}.') from error
    found.append(folder.square(array, size, 'centre'))
  return np.stack(found)
