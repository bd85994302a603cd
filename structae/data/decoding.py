"""The file of a picture -> a uint8 array, in a memory that the file bounds.

What is transparent lies on white, and a picture is turned as its EXIF tag
demands. Nothing else is changed: no colour space, no contrast. Pillow is
imported when it is used, since most sets do not need it.
"""

import io
import re
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from structae.data import picture_bounds

if TYPE_CHECKING:
  from PIL import Image

_TILE = 512  # pixels: the side of what is converted at once

# EXIF's orientations: a view of the upright array in which the stored pixels
# lie as they are stored.
_STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
  2: lambda upright: upright[:, ::-1],
  3: lambda upright: upright[::-1, ::-1],
  4: lambda upright: upright[::-1],
  5: lambda upright: upright.swapaxes(0, 1),
  6: lambda upright: np.rot90(upright),
  7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
  8: lambda upright: np.rot90(upright, -1),
}
_ORIENTATION = 0x0112  # the EXIF tag


def decode(data: bytes, mode: str = 'RGB') -> np.ndarray:
  """Decodes one picture.

  Args:
    data: the file's bytes.
    mode: 'RGB' or 'L' (grey).

  Returns:
    uint8 [H, W, C].

  Raises:
    ValueError: if it cannot be read whole, or is far larger than its file.
  """
  from PIL import Image, UnidentifiedImageError

  try:
    with warnings.catch_warnings():
      warnings.simplefilter('ignore', Image.DecompressionBombWarning)
      Image.init()  # which finds the formats of this version of Pillow
      # Not all: EPS is a program, and others are decoded in Python.
      known = [name for name in picture_bounds.FORMATS if name in Image.OPEN]
      with Image.open(io.BytesIO(data), formats=known) as picture:
        picture_bounds.check(picture, data)
        return as_array(picture, mode)
  except UnidentifiedImageError as error:
    names = ', '.join(picture_bounds.FORMATS)
    raise ValueError(f'no picture of a known format ({names})') from error
  except Exception as error:  # Pillow's plugins raise what they like.
    # Some name the object that they read from.
    text = re.sub(r'<_io\.\S+ object at \w+>', 'it', str(error))
    raise ValueError(text or type(error).__name__) from error


def as_array(picture: 'Image.Image', mode: str = 'RGB') -> np.ndarray:
  """The pixels of a Pillow image in a mode, uint8 [H, W, C].

  Transparent pixels are mixed with white, as a page shows them; the colour that
  they hide is anybody's. Beside the image and the result there is no copy of
  the whole: Pillow's conversions make one each.
  """
  picture.load()  # some formats know their orientation only then
  orientation = picture.getexif().get(_ORIENTATION, 1)
  width, height = picture.size
  shape = (height, width) if orientation < 5 else (width, height)
  upright = np.empty((*shape, len(mode)), np.uint8)
  stored = _STORED.get(orientation, lambda upright: upright)(upright)
  for left, top, right, bottom in _tiles(width, height):
    tile = _on_white(_eight_bits(picture.crop((left, top, right, bottom))))
    part = stored[top:bottom, left:right]
    part[:] = np.asarray(tile.convert(mode)).reshape(part.shape)
  return upright


def _tiles(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
  for top in range(0, height, _TILE):
    for left in range(0, width, _TILE):
      yield left, top, min(left + _TILE, width), min(top + _TILE, height)


def _on_white(picture: 'Image.Image') -> 'Image.Image':
  from PIL import Image

  if not picture.has_transparency_data:
    return picture
  picture = picture.convert('RGBA')
  white = Image.new('RGBA', picture.size, 'white')
  return Image.alpha_composite(white, picture)


def _eight_bits(picture: 'Image.Image') -> 'Image.Image':
  """16-bit grey scaled, where Pillow clips."""
  from PIL import Image

  if picture.mode == 'F':
    raise ValueError('float pixels have no known range')
  if picture.mode.startswith('I'):
    return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
  return picture
