"""Images cropped and resized on the host.

One policy everywhere: a whole ratio is the exact mean over each block of
pixels, any other ratio is Pillow's Lanczos filter (which averages when it
shrinks). Pillow is imported when it is used, since most sets do not need it.
"""

import os
from collections.abc import Callable
from concurrent import futures

import numpy as np

from structae.data import decoding


def centre_crop(images: np.ndarray, height: int, width: int) -> np.ndarray:
  """Cuts the centre out of images [..., H, W, C].

  With an odd remainder the extra row or column is lost at the end.

  Raises:
    ValueError: if the images are smaller than the crop.
  """
  rows, columns = images.shape[-3:-1]
  if rows < height or columns < width:
    raise ValueError(
      f'Cannot cut {height}x{width} out of {rows}x{columns} pixels; '
      'choose a smaller crop.'
    )
  top, left = (rows - height) // 2, (columns - width) // 2
  return images[..., top : top + height, left : left + width, :]


def centre_square(images: np.ndarray) -> np.ndarray:
  """Cuts the largest centred square out of images [..., H, W, C]."""
  side = min(images.shape[-3:-1])
  return centre_crop(images, side, side)


def resize(images: np.ndarray, size: int) -> np.ndarray:
  """Resizes square uint8 images [..., S, S, C] to [..., size, size, C]."""
  side = images.shape[-3]
  if side == size:
    return images
  if side % size == 0:
    return _block_mean(images, side // size)
  return _squash(images, size)


def _block_mean(images: np.ndarray, ratio: int) -> np.ndarray:
  *batch, rows, columns, channels = images.shape
  blocks = images.reshape(
    *batch, rows // ratio, ratio, columns // ratio, ratio, channels
  )
  # Whole numbers, so that the result is the same on every machine.
  total = blocks.sum(axis=(-4, -2), dtype=np.uint32)
  return ((total + ratio * ratio // 2) // (ratio * ratio)).astype(np.uint8)


def _squash(images: np.ndarray, size: int) -> np.ndarray:
  """Resizes images [..., H, W, C] whatever their aspect ratio."""
  from PIL import Image

  height, width, channels = images.shape[-3:]
  resized = np.empty((*images.shape[:-3], size, size, channels), np.uint8)
  flat = resized.reshape(-1, size, size, channels)
  for row, image in enumerate(images.reshape(-1, height, width, channels)):
    picture = Image.fromarray(image[..., 0] if channels == 1 else image)
    picture = picture.resize((size, size), Image.Resampling.LANCZOS)
    flat[row] = np.asarray(picture).reshape(size, size, channels)
  return resized


def square(images: np.ndarray, size: int, crop: int | str) -> np.ndarray:
  """Makes images [..., H, W, C] square: [..., size, size, C].

  Args:
    images: uint8.
    size: the side in pixels.
    crop: 'centre' cuts the largest centred square out, 'squash' changes the
      aspect ratio instead.
  """
  if crop == 'centre':
    return resize(centre_square(images), size)
  return _squash(images, size)


def decode_rows(
  start: int,
  load: Callable[[int], bytes],
  shape: Callable[[np.ndarray], np.ndarray],
  out: np.ndarray,
  corrupt: dict[int, str],
  mode: str = 'RGB',
) -> None:
  """Fills `out` with pictures start, start + 1, ...; notes what failed.

  Args:
    start: the first row.
    load: row -> the file's bytes. Called from several threads.
    shape: uint8 [H', W', C] -> [H, W, C], the crop and the resize.
    out: uint8 [B, H, W, C], written; zeros where a picture is corrupt.
    corrupt: {row: why}, extended.
    mode: 'RGB' or 'L'.
  """

  def one(row: int) -> None:
    try:
      out[row - start] = shape(decoding.decode(load(row), mode))
    except (ValueError, OSError) as error:
      out[row - start] = 0
      corrupt[row] = str(error)

  # Pillow releases the interpreter's lock while it decodes.
  with futures.ThreadPoolExecutor(num_threads()) as pool:
    for _ in pool.map(one, range(start, start + len(out))):
      pass


def num_threads() -> int:
  """The number of cores that this process may use."""
  if hasattr(os, 'sched_getaffinity'):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1
