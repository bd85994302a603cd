"""Streams of images from folders of pictures, `.npy` and `.npz` files."""

import math
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from structae import files

_ENDINGS = ('.png', '.jpg', '.jpeg', '.webp', '.bmp', '.ppm', '.gif', '.tiff')
_MOST_BYTES = 2**28  # of a batch


def stream(
  path: str | os.PathLike, batch_size: int = 256
) -> Iterator[np.ndarray]:
  """Reads images in order, a batch at a time.

  Args:
    path: a folder of pictures of one size, in the order of their names, or an
      `.npy` or `.npz` file with `images`, or one array: uint8
      `[N, H, W, 1 or 3]` or `[N, H, W]`.
    batch_size: the number of images of a batch, smaller for huge images.

  Yields:
    uint8 `[B, H, W, C]`.

  Raises:
    ValueError: if there is no such file, or no image, in it.
  """
  path = Path(path)
  if path.is_dir():
    yield from _folder(path, batch_size)
    return
  if not path.is_file():
    raise ValueError(f'{path}: no such file or folder of images.')
  with files.one_line(path, '.npy or .npz file of images') as file:
    if zipfile.is_zipfile(file):
      yield from _archive(file, batch_size)
      return
    file.seek(0)
    array = files.map_array(file)
    for start, stop in _batches(array.dtype, array.shape, batch_size):
      yield _channels(np.asarray(array[start:stop]))


def _folder(path: Path, batch_size: int) -> Iterator[np.ndarray]:
  # Here alone, so that arrays need no Pillow.
  from structae.data import decoding

  names = sorted(p for p in path.iterdir() if p.suffix.lower() in _ENDINGS)
  if not names:
    raise ValueError(f'{path}: no picture in it ({", ".join(_ENDINGS)}).')
  size = None
  for start in range(0, len(names), batch_size):
    batch = []
    for name in names[start : start + batch_size]:
      try:
        image = decoding.decode(name.read_bytes())
      except (ValueError, OSError) as error:
        raise ValueError(f'{name}: {error}') from error
      size = size or image.shape
      if image.shape != size:
        raise ValueError(
          f'{name} is {image.shape[1]} x {image.shape[0]}, the pictures before '
          f'it {size[1]} x {size[0]}; give one size.'
        )
      batch.append(image)
    yield np.stack(batch)


def _archive(stream: BinaryIO, batch_size: int) -> Iterator[np.ndarray]:
  """The rows of an array in an archive, which numpy would read whole."""
  with files.open_zip(stream, most_growth=None) as archive:
    names = [name.removesuffix('.npy') for name in archive.namelist()]
    if 'images' not in names and len(names) != 1:
      found = ', '.join(sorted(names)) or 'nothing'
      raise ValueError(f'expected an array "images", found {found:.100}.')
    name = 'images' if 'images' in names else names[0]
    with archive.open(f'{name}.npy') as file:
      shape, is_fortran, dtype = files.array_header(file)
      if is_fortran:
        raise ValueError('it is in Fortran order; save a C-ordered array.')
      for start, stop in _batches(dtype, shape, batch_size):
        num_bytes = (stop - start) * int(np.prod(shape[1:]))
        content = file.read(num_bytes)
        if len(content) < num_bytes:
          raise ValueError('the array ends early.')
        rows = np.frombuffer(content, dtype)
        yield _channels(rows.reshape(stop - start, *shape[1:]))


def _batches(
  dtype: np.dtype, shape: tuple[int, ...], batch_size: int
) -> Iterator[tuple[int, int]]:
  """The first and the last row, exclusive, of each batch of an array."""
  good = len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3))
  if dtype != np.uint8 or not good or min(shape) < 1:
    raise ValueError(
      f'images must be uint8 [N, H, W, 1 or 3], got {dtype} of shape {shape}.'
    )
  size = math.prod(shape[1:])
  if size > _MOST_BYTES:
    raise ValueError(f'an image of shape {shape[1:]} exceeds {_MOST_BYTES}.')
  step = min(batch_size, _MOST_BYTES // size)
  for start in range(0, shape[0], step):
    yield start, min(start + step, shape[0])


def _channels(images: np.ndarray) -> np.ndarray:
  return images[..., None] if images.ndim == 3 else images
