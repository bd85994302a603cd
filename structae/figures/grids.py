"""Arrays of images arranged on sheets."""

import functools
import io
import math
import os
import re
from collections.abc import Sequence

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from structae import files

GAP = 3  # between neighbours, in pixels of the sheet
WIDE_GAP = 12  # between groups
WHITE = 255
INK = (28, 29, 31)
VISIBLE_SIDE = 96  # small images are enlarged to at least this many pixels
_SUBSCRIPTS = str.maketrans('0123456789', '₀₁₂₃₄₅₆₇₈₉')


def grid(
  images: np.ndarray,
  columns: int | None = None,
  *,
  scale: int | None = None,
  gap: int = GAP,
  fill: int = WHITE,
) -> np.ndarray:
  """Arranges images in rows, left to right and top to bottom.

  Args:
    images: `[N, H, W, C]` uint8, `C` 1 or 3.
    columns: images in a row; by default the sheet is about square.
    scale: how often each pixel is repeated; by default small images are
      enlarged to 96 pixels or more.
    gap: pixels between neighbours; there are none around the sheet.
    fill: the brightness of gaps and of empty cells.

  Returns:
    `[R*H*scale + (R-1)*gap, columns*W*scale + (columns-1)*gap, C]` uint8 for
    `R` rows.

  Raises:
    ValueError: if the images are no such array, or there are none.
  """
  _check(images, 4)
  images = enlarge(images, scale)
  count, height, width, channels = images.shape
  columns = columns or math.ceil(math.sqrt(count))
  rows = math.ceil(count / columns)
  sheet = np.full(
    (
      rows * (height + gap) - gap,
      columns * (width + gap) - gap,
      channels,
    ),
    fill,
    np.uint8,
  )
  for i, image in enumerate(images):
    top, left = np.array(divmod(i, columns)) * (height + gap, width + gap)
    sheet[top : top + height, left : left + width] = image
  return sheet


def pairs(
  originals: np.ndarray,
  reconstructions: np.ndarray,
  columns: int = 8,
  *,
  scale: int | None = None,
) -> np.ndarray:
  """Sets each original above its reconstruction.

  Args:
    originals: `[N, H, W, C]` uint8.
    reconstructions: the same shape, in the same order.
    columns: pairs in a row.
    scale: as in `grid`.

  Returns:
    The sheet `[H', W', C]` uint8: double rows, a wider gap between them.

  Raises:
    ValueError: if the shapes differ.
  """
  if originals.shape != reconstructions.shape:
    raise ValueError(
      f'originals {originals.shape} and reconstructions '
      f'{reconstructions.shape} must have one shape.'
    )
  _check(originals, 4)
  columns = min(columns, len(originals))
  sheets = []
  for i in range(0, len(originals), columns):
    above = _pad(originals[i : i + columns], columns)
    below = reconstructions[i : i + columns]
    rows = np.concatenate([above, below])
    sheets.append(grid(rows, columns, scale=scale))
  return _stack(sheets)


def traversal_sheet(
  images: np.ndarray,
  labels: Sequence[str],
  *,
  scale: int | None = None,
) -> np.ndarray:
  """One row a latent dimension, in decoder order, grouped by variable.

  Args:
    images: `[K*D, S, H, W, C]` uint8, `S` frames of each dimension, the `D`
      dimensions of a variable one after the other.
    labels: the names of the `K` variables, see `variable_labels`.
    scale: as in `grid`.

  Returns:
    The sheet `[H', W', 3]` uint8: labels on the left, a bar beside the rows
    of a variable that has several, a wider gap between variables.

  Raises:
    ValueError: if the labels do not divide the rows.
  """
  _check(images, 5)
  if not labels or len(images) % len(labels):
    raise ValueError(
      f'{len(images)} rows cannot be shared by {len(labels)} labels: '
      'give one label a variable.'
    )
  scale = scale or _visible_scale(images.shape[2])
  groups = images.reshape(len(labels), -1, *images.shape[1:])
  num_rows, num_frames = groups.shape[1:3]
  sheets = [
    _as_rgb(grid(g.reshape(-1, *g.shape[2:]), num_frames, scale=scale))
    for g in groups
  ]
  font = typeface(max(18, min(32, images.shape[2] * scale // 3)))
  margin = 24 + max(math.ceil(font.getlength(label)) for label in labels)
  labelled = [
    np.concatenate(
      [_label(label, len(sheet), margin, num_rows > 1, font), sheet], 1
    )
    for label, sheet in zip(labels, sheets)
  ]
  return _stack(labelled, WIDE_GAP if num_rows > 1 else GAP)


def variable_labels(num_variables: int, names: Sequence[str] = ()) -> list[str]:
  """`U₁`, `U₂`, ... in the order of the code, `U₁ room` of those with names."""
  plain = [f'U{k}' for k in range(1, num_variables + 1)]
  return [
    subscript(label) + f' {name}' * (name != label)
    for label, name in zip(plain, names or plain)
  ]


def subscript(name: str) -> str:
  """`U12` as `U₁₂`."""
  return name.translate(_SUBSCRIPTS)


def number_name(row: str) -> str:
  """`U_3` as `U₃`, `U_3.1` as `U₃, 1`; other names as they are."""
  match = re.fullmatch(r'U_(\d+)(?:\.(\d+))?', row)
  if not match:
    return row
  return subscript(f'U{match[1]}') + (f', {match[2]}' if match[2] else '')


def enlarge(images: np.ndarray, scale: int | None = None) -> np.ndarray:
  """Repeats pixels: `[..., H, W, C]` to `[..., H*scale, W*scale, C]`."""
  scale = scale or _visible_scale(images.shape[-3])
  return images.repeat(scale, axis=-3).repeat(scale, axis=-2)


def png(image: np.ndarray) -> bytes:
  """The image `[H, W, C]` uint8, `C` 1 or 3, as the bytes of a PNG file."""
  _check(image, 3)
  buffer = io.BytesIO()
  as_pillow(image).save(buffer, 'png', optimize=True)
  return buffer.getvalue()


def save_png(path: str | os.PathLike[str], image: np.ndarray) -> None:
  """Saves an image `[H, W, C]` uint8; the file is whole or absent."""
  content = png(image)
  with files.replacing(path) as temporary:
    temporary.write_bytes(content)


def as_pillow(image: np.ndarray) -> Image.Image:
  """The image `[H, W, C]` uint8 as Pillow's, grey if `C` is 1."""
  return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def _check(images: np.ndarray, ndim: int) -> None:
  axes = {3: 'HWC', 4: 'NHWC', 5: 'LSHWC'}[ndim]
  good = images.ndim == ndim and images.shape[-1] in (1, 3) and images.size
  if images.dtype != np.uint8 or not good:
    raise ValueError(
      f'expected uint8 [{", ".join(axes)}] with C 1 or 3 and no axis of '
      f'length 0, got {images.dtype} {list(images.shape)}.'
    )


def _visible_scale(height: int) -> int:
  return max(1, math.ceil(VISIBLE_SIDE / height))


def _pad(images: np.ndarray, count: int) -> np.ndarray:
  blank = np.full((count - len(images), *images.shape[1:]), WHITE, np.uint8)
  return np.concatenate([images, blank])


def _stack(sheets: Sequence[np.ndarray], gap: int = WIDE_GAP) -> np.ndarray:
  blank = np.full((gap, *sheets[0].shape[1:]), WHITE, np.uint8)
  parts = [part for sheet in sheets for part in (blank, sheet)]
  return np.concatenate(parts[1:])


def _as_rgb(image: np.ndarray) -> np.ndarray:
  return np.broadcast_to(image, (*image.shape[:2], 3))


@functools.cache
def typeface(size: int) -> ImageFont.FreeTypeFont:
  """The font of labels, `size` pixels high."""
  folder = os.path.join(matplotlib.get_data_path(), 'fonts', 'ttf')
  return ImageFont.truetype(os.path.join(folder, 'DejaVuSans.ttf'), size)


def _label(
  text: str, height: int, width: int, bar: bool, font: ImageFont.FreeTypeFont
) -> np.ndarray:
  image = Image.new('RGB', (width, height), (WHITE,) * 3)
  draw = ImageDraw.Draw(image)
  draw.text((width - 18, height / 2), text, INK, font, anchor='rm')
  if bar:
    draw.rectangle((width - 9, 0, width - 7, height - 1), INK)
  return np.asarray(image)
