"""Cropping and resizing uint8 images on the host, once, when preparing.

One policy everywhere: a whole ratio is the exact mean over each block of
pixels, any other ratio is Pillow's Lanczos filter (which averages when it
shrinks). Nothing else is changed: no colour space, no contrast.
"""

import numpy as np
from PIL import Image


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
  flat = images.reshape(-1, *images.shape[-3:])
  resized = np.stack([_lanczos(image, size) for image in flat])
  return resized.reshape(*images.shape[:-3], size, size, images.shape[-1])


def _block_mean(images: np.ndarray, ratio: int) -> np.ndarray:
  *batch, rows, columns, channels = images.shape
  blocks = images.reshape(
    *batch, rows // ratio, ratio, columns // ratio, ratio, channels
  )
  # Whole numbers, so that the result is the same on every machine.
  total = blocks.sum(axis=(-4, -2), dtype=np.uint32)
  return ((total + ratio * ratio // 2) // (ratio * ratio)).astype(np.uint8)


def _lanczos(image: np.ndarray, size: int) -> np.ndarray:
  single = image.shape[-1] == 1
  picture = Image.fromarray(image[..., 0] if single else image)
  resized = picture.resize((size, size), Image.Resampling.LANCZOS)
  return np.asarray(resized).reshape(size, size, image.shape[-1])
