"""Anybody's images, a batch at a time: a folder of pictures, or an array."""

import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

_ENDINGS = ('.png', '.jpg', '.jpeg', '.webp', '.bmp', '.ppm', '.gif', '.tiff')


def stream(
  path: str | os.PathLike, batch_size: int = 256
) -> Iterator[np.ndarray]:
  """Reads images in order, few at a time.

  Args:
    path: a folder of pictures of one size, in the order of their names, or an
      `.npy` or `.npz` file with `images`, or one array: uint8
      `[N, H, W, 1 or 3]` or `[N, H, W]`.
    batch_size: images at a time.

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
  try:
    if zipfile.is_zipfile(path):
      yield from _archive(path, batch_size)
    else:
      yield from _array(path, batch_size)
  except (EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
    raise ValueError(f'{path}: damaged, or no images: {error}') from error


def _array(path: Path, batch_size: int) -> Iterator[np.ndarray]:
  try:
    array = np.load(path, mmap_mode='r', allow_pickle=False)
  except ValueError as error:
    raise ValueError(f'{path}: no folder, .npy or .npz of images.') from error
  _check(array.dtype, array.shape, path)
  for start in range(0, len(array), batch_size):
    yield _channels(np.asarray(array[start : start + batch_size]))


def _folder(path: Path, batch_size: int) -> Iterator[np.ndarray]:
  # Here alone, so that arrays need no Pillow.
  from structae.data import pictures

  names = sorted(p for p in path.iterdir() if p.suffix.lower() in _ENDINGS)
  if not names:
    raise ValueError(f'{path}: no picture in it ({", ".join(_ENDINGS)}).')
  size = None
  for start in range(0, len(names), batch_size):
    batch = []
    for name in names[start : start + batch_size]:
      try:
        image = pictures.decode(name.read_bytes())
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


def _archive(path: Path, batch_size: int) -> Iterator[np.ndarray]:
  """The rows of an array in an archive, which numpy would read whole."""
  with zipfile.ZipFile(path) as archive:
    names = [name.removesuffix('.npy') for name in archive.namelist()]
    if 'images' not in names and len(names) != 1:
      raise ValueError(
        f'{path}: expected an array "images", found '
        f'{", ".join(sorted(names)) or "nothing"}.'
      )
    name = 'images' if 'images' in names else names[0]
    with archive.open(f'{name}.npy') as file:
      shape, dtype = _header(file, path)
      row = int(np.prod(shape[1:]))
      for start in range(0, shape[0], batch_size):
        num = min(batch_size, shape[0] - start)
        content = file.read(num * row)
        if len(content) < num * row:
          raise ValueError(f'{path}: {name} ends early.')
        rows = np.frombuffer(content, dtype)
        yield _channels(rows.reshape(num, *shape[1:]))


def _header(file: Any, path: Path) -> tuple[tuple[int, ...], np.dtype]:
  version = np.lib.format.read_magic(file)
  read = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
  }
  if version not in read:
    raise ValueError(f'{path}: unknown version {version} of the npy format.')
  shape, is_fortran, dtype = read[version](file)
  _check(dtype, shape, path)
  if is_fortran:
    raise ValueError(f'{path}: in Fortran order; save a C-ordered array.')
  return shape, dtype


def _check(dtype: np.dtype, shape: tuple[int, ...], path: Path) -> None:
  good = len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3))
  if dtype != np.uint8 or not good or 0 in shape:
    raise ValueError(
      f'{path}: images must be uint8 [N, H, W, 1 or 3], got {dtype} of shape '
      f'{shape}.'
    )


def _channels(images: np.ndarray) -> np.ndarray:
  return images[..., None] if images.ndim == 3 else images
