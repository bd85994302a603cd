"""Anybody's pictures or feature vectors, in the form that a model takes."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from structae.data import archives, decoding, pictures
from structae.data.reading import Reading
from structae.data.sets import folder

# How pictures can become square.
CROPS = folder.CROP.choices


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
  found = folder.read_folder(path, shape[0], crop, shape[-1])
  if found.image_shape[-1] != shape[-1]:
    raise ValueError(
      f'{path}: images have {found.image_shape[-1]} channels, the model takes '
      f'{shape[-1]}'
    )
  return found


def usual_crop(data: Any) -> str:
  """How pictures become square for a model, by its configuration's `data`."""
  return data.crop if data.crop in CROPS else 'centre'


def check_readable(examples: Reading, path: Path) -> None:
  """Refuses examples of which some could not be read.

  Raises:
    ValueError: names the first few.
  """
  if examples.corrupt:
    raise ValueError(f'{path}: {examples.describe_corrupt()}')


def _vectors(path: Path, width: int) -> Reading:
  if path.suffix.lower() != '.npy':
    raise ValueError(
      f'{path}: this model takes feature vectors, an .npy file of floats '
      f'[N, {width}]'
    )
  array = archives.map_npy(path)
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


def is_picture(value: Any) -> bool:
  """Whether it is a Pillow image, or may be the path of a picture."""
  from PIL import Image

  return isinstance(value, str | os.PathLike | Image.Image)


def read_pictures(images: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
  """Pillow images, or the files of pictures, as a model takes them.

  Args:
    images: B of them.
    shape: `(size, size, C)`, what the model takes.

  Returns:
    uint8 `[B, size, size, C]`, the largest centred square of each.

  Raises:
    ValueError: names the first that cannot be read.
  """
  mode = 'RGB' if shape[-1] > 1 else 'L'
  found = []
  for i, picture in enumerate(images):
    is_path = isinstance(picture, str | os.PathLike)
    try:
      if is_path:
        array = decoding.decode(Path(picture).read_bytes(), mode)
      else:
        array = decoding.as_array(picture, mode)
    except (ValueError, OSError) as error:
      name = picture if is_path else f'image {i}'
      raise ValueError(f'{name} is no picture: {error}.') from error
    found.append(pictures.square(array, shape[0], 'centre'))
  return np.stack(found)
