"""Anybody's pictures or feature vectors, in the form that a model takes."""

from pathlib import Path

import numpy as np

from structae.data import archives
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
