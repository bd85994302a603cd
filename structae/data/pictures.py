"""Pictures -> uint8 arrays on the host: decoded, cropped and resized.

One policy everywhere: a whole ratio is the exact mean over each block of
pixels, any other ratio is Pillow's Lanczos filter (which averages when it
shrinks). What is transparent lies on white. Nothing else is changed: no colour
space, no contrast. Pillow is imported when it is used, since most sets do not
need it.
"""

import io
import os
import re
import warnings
from collections.abc import Callable
from concurrent import futures
from typing import TYPE_CHECKING

import numpy as np

from structae import files

if TYPE_CHECKING:
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


def decode(data: bytes, mode: str = 'RGB') -> np.ndarray:
  """Decodes one picture of any format that Pillow reads.

  Args:
    data: the file's bytes.
    mode: 'RGB' or 'L' (grey).

  Returns:
    uint8 [H, W, C].

  Raises:
    ValueError: if it cannot be read whole.
  """
  from PIL import Image, UnidentifiedImageError

  try:
    with warnings.catch_warnings():
      warnings.simplefilter('ignore', Image.DecompressionBombWarning)
      with Image.open(io.BytesIO(data)) as picture:
        _check_size(picture, len(data))
        return as_array(picture, mode)
  except UnidentifiedImageError as error:
    raise ValueError('no picture of a format that Pillow reads') from error
  except Exception as error:  # Pillow's plugins raise what they like.
    # Some name the object that they read from.
    text = re.sub(r'<_io\.\S+ object at \w+>', 'it', str(error))
    raise ValueError(text or type(error).__name__) from error


def _check_size(picture: 'Image.Image', num_bytes: int) -> None:
  """Refuses, before it is unpacked, what is far larger than its file."""
  width, height = picture.size
  content = width * height * len(picture.getbands())
  if content > num_bytes + files.MOST_GROWTH:
    raise ValueError(
      f'{num_bytes:,} bytes would unpack to {width}x{height} pixels, '
      f'{content / 1e6:,.0f} MB; make it smaller'
    )


def as_array(picture: 'Image.Image', mode: str = 'RGB') -> np.ndarray:
  """The pixels of a Pillow image in a mode, uint8 [H, W, C].

  Transparent pixels are mixed with white, as a page shows them; the colour that
  they hide is anybody's.
  """
  picture = _on_white(_eight_bits(picture))
  pixels = np.asarray(picture.convert(mode))
  return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _on_white(picture: 'Image.Image') -> 'Image.Image':
  from PIL import Image

  if not picture.has_transparency_data:
    return picture
  picture = picture.convert('RGBA')
  white = Image.new('RGBA', picture.size, 'white')
  return Image.alpha_composite(white, picture)


def _eight_bits(picture: 'Image.Image') -> 'Image.Image':
  """Turned as its EXIF tag demands; 16-bit grey scaled, where Pillow clips."""
  from PIL import Image, ImageOps

  if picture.mode == 'F':
    raise ValueError('float pixels have no known range')
  if picture.mode.startswith('I'):
    return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
  return ImageOps.exif_transpose(picture)


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
      out[row - start] = shape(decode(load(row), mode))
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
