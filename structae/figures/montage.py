"""Sheets of images put together under titles."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from structae.figures import grids

_SHOWN = 830  # the width of a README on a large screen, in pixels
_POINT = 18  # how high titles are then


def beside(sheets: Sequence[np.ndarray], gap: int) -> np.ndarray:
  """Sheets `[H, W, C]` uint8 from left to right, flush at the top."""
  height = max(len(sheet) for sheet in sheets)
  parts = [_padded(sheet, height, sheet.shape[1]) for sheet in sheets]
  blank = np.full((height, gap, 3), grids.WHITE, np.uint8)
  return np.concatenate([p for part in parts for p in (blank, part)][1:], 1)


def above(sheets: Sequence[np.ndarray], gap: int) -> np.ndarray:
  """Sheets `[H, W, C]` uint8 from top to bottom, flush on the left."""
  width = max(sheet.shape[1] for sheet in sheets)
  parts = [_padded(sheet, len(sheet), width) for sheet in sheets]
  blank = np.full((gap, width, 3), grids.WHITE, np.uint8)
  return np.concatenate([p for part in parts for p in (blank, part)][1:])


def titled(
  sheets: Sequence[np.ndarray],
  titles: Sequence[str],
  columns: int,
  *,
  gap: int = 4 * grids.WIDE_GAP,
) -> np.ndarray:
  """Sheets in rows, each under its title.

  Args:
    sheets: `[H, W, C]` uint8 each, `C` 1 or 3.
    titles: one a sheet.
    columns: sheets in a row.
    gap: pixels between sheets.

  Returns:
    `[H', W', 3]` uint8. Titles are as large as text where the whole is shown
    as wide as a README, and are cut where they are wider than their sheet.
  """
  columns = min(columns, len(sheets))
  wide = max(sheet.shape[1] for sheet in sheets)
  size = text_size(columns * (wide + gap) - gap)
  parts = [
    above([label(title, sheet.shape[1], size), sheet], size // 3)
    for title, sheet in zip(titles, sheets)
  ]
  rows = [
    beside([_padded(p, len(p), wide) for p in parts[i : i + columns]], gap)
    for i in range(0, len(parts), columns)
  ]
  return above(rows, gap // 2)


def balanced(count: int, most: int) -> int:
  """Columns, at most `most`, that leave few gaps in the last of the rows."""
  return -(-count // -(-count // most))


def text_size(width: int) -> int:
  """How high text is on a sheet of that width that is shown in a README."""
  return max(11, round(width * _POINT / _SHOWN))


def label(
  text: str, width: int, size: int, *, height: int | None = None
) -> np.ndarray:
  """A line of text on white, cut where it is wider.

  Args:
    text: what it says; further lines below each other.
    width: of the image, in pixels.
    size: of the text, in pixels.
    height: of the image; by default that of the text.

  Returns:
    `[height, width, 3]` uint8, the text in the middle of the height.
  """
  font = grids.typeface(size)
  lines = [_cut(line, width, size) for line in text.split('\n')]
  step = round(1.3 * size)
  height = height or step * len(lines)
  image = Image.new('RGB', (width, height), (grids.WHITE,) * 3)
  draw = ImageDraw.Draw(image)
  top = (height - step * len(lines)) / 2
  for i, line in enumerate(lines):
    place = (0, top + (i + 0.5) * step)
    draw.text(place, line, grids.INK, font, anchor='lm')
  return np.asarray(image)


def _cut(text: str, width: int, size: int) -> str:
  font = grids.typeface(size)
  cut = text
  while len(cut) > 1 and font.getlength(cut) > width:
    cut = f'{cut[:-2]}…'
  return cut


def _padded(sheet: np.ndarray, height: int, width: int) -> np.ndarray:
  padded = np.full((height, width, 3), grids.WHITE, np.uint8)
  padded[: len(sheet), : sheet.shape[1]] = sheet
  return padded
