"""Single images out of the sheets that a run saved."""

from pathlib import Path

import numpy as np
from PIL import Image

from structae.figures.grids import GAP, WIDE_GAP

COLUMNS = 8  # of the sheets of samples and reconstructions


def read(path: Path) -> np.ndarray:
  """A sheet as `[H, W, 3]` uint8.

  Raises:
    ValueError: if the file is no image.
  """
  try:
    with Image.open(path) as image:
      return np.asarray(image.convert('RGB'))
  except OSError as error:
    raise ValueError(f'{path} cannot be read as an image: {error}.') from error


def cut(
  path: Path, rows: int, columns: int, *, paired: bool = False
) -> list[np.ndarray]:
  """The first images of a sheet of square images, eight in a row.

  Args:
    path: the sheet, as `grids.grid` or `grids.pairs` arranges it.
    rows: the rows to take, at most those there are.
    columns: the images of a row to take, at most 8.
    paired: whether rows come in pairs, with a wider gap between pairs.

  Returns:
    For each row its images, `[columns, H, W, 3]` uint8.

  Raises:
    ValueError: if the sheet does not have eight images in a row.
  """
  sheet = read(path)
  side, rest = divmod(sheet.shape[1] + GAP, COLUMNS)
  side -= GAP
  if rest or side <= 0 or len(sheet) < side:
    raise ValueError(
      f'{path} is {sheet.shape[1]} pixels wide, which holds no row of '
      f'{COLUMNS} square images; draw it again with {COLUMNS} in a row.'
    )
  found: list[np.ndarray] = []
  top = 0
  while len(found) < rows and top + side <= len(sheet):
    strip = sheet[top : top + side]
    lefts = [i * (side + GAP) for i in range(min(columns, COLUMNS))]
    found.append(np.stack([strip[:, x : x + side] for x in lefts]))
    top += side + (WIDE_GAP if paired and len(found) % 2 == 0 else GAP)
  return found
