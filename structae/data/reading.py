"""What every reader of original files is given, returns and checks."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from structae import files

_MOST_NAME = 100  # characters of a factor's name


class Originals(NamedTuple):
  """The original files of a data set, and the form that is wanted of them.

  Attributes:
    paths: published name -> file.
    size: the side in pixels of the images that come out in the end; a reader
      may return larger ones, which are resized.
    crop: one of `DataSet.crop.choices`; '' for a set without a crop.
  """

  paths: Mapping[str, pathlib.Path]
  size: int
  crop: int | str

  @property
  def path(self) -> pathlib.Path:
    """The first file, of most sets the only one."""
    return next(iter(self.paths.values()))


@dataclasses.dataclass(frozen=True)
class InPlace:
  """Images that lie uncompressed, row by row, inside an original file.

  Attributes:
    path: the file.
    offset: where the first image begins, in bytes.
  """

  path: pathlib.Path
  offset: int


@dataclasses.dataclass(frozen=True)
class Reading:
  """An opened data set.

  Attributes:
    num_examples: N, corrupt ones included.
    image_shape: (H, W, C) of what `read` returns.
    read: `read(start, stop)` -> uint8 [stop - start, H, W, C]. Cheap when
      called in order, correct in any order.
    factor_names: F names; () for those of the row.
    factor_sizes: F numbers of values, likewise.
    factors: int32 [N, F], or None for a full grid in row-major order.
    extras: arrays of N rows that are kept beside the images but are no
      factors, such as identities.
    in_place: where the images can be mapped from instead of being copied.
    block: how many rows to ask for at a time.
    corrupt: what could not be read, as {row: why}; `read` fills it, and
      leaves such rows black.
    names: N names of the pictures for messages; () where they have none.
  """

  num_examples: int
  image_shape: tuple[int, ...]
  read: Callable[[int, int], np.ndarray]
  factor_names: Sequence[str] = ()
  factor_sizes: Sequence[int] = ()
  factors: np.ndarray | None = None
  extras: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
  in_place: InPlace | None = None
  block: int = 1024
  corrupt: dict[int, str] = dataclasses.field(default_factory=dict)
  names: Sequence[str] = ()

  def name_of(self, row: int) -> str:
    """The name of a picture, or its number where it has none."""
    return self.names[row] if self.names else f'image {row}'

  def describe_corrupt(self) -> str:
    """One line that names the first few pictures that could not be read."""
    rows = sorted(self.corrupt)
    shown = '; '.join(
      f'{self.name_of(r)} ({self.corrupt[r]})' for r in rows[:3]
    )
    more = f' and {len(rows) - 3} more' if len(rows) > 3 else ''
    return f'{len(rows)} unreadable: {shown}{more}'


def require_images(
  array: Any, where: object, image_shape: tuple[int, ...]
) -> None:
  """Checks the shape and type of images: an array, or what stands for one.

  Raises:
    ValueError: naming what was found and what was expected.
  """
  shape, dtype = tuple(array.shape), array.dtype
  if len(shape) != 1 + len(image_shape) or shape[1:] != tuple(image_shape):
    expected = ', '.join(str(n) for n in ('N', *image_shape))
    raise ValueError(
      f'{where}: images have shape {shape}, expected ({expected}).'
    )
  if dtype != np.uint8:
    raise ValueError(f'{where}: images are {dtype}, expected uint8.')


def require_length(found: int, expected: int | None, where: object) -> None:
  """Checks the number of images; None expects any.

  Raises:
    ValueError: naming what was found and what was expected.
  """
  if expected is not None and found != expected:
    raise ValueError(
      f'{where}: {found:,} images, expected {expected:,}; is this another '
      'variant, or only a part? To train on a part, name it as the data set '
      '`folder`: sae12:folder --config.data.path=PICTURES or FILE.'
    )


def require_factors(
  factors: np.ndarray, names: Sequence[str], sizes: Sequence[int], where: object
) -> np.ndarray:
  """Checks indices of factor values, and returns them as int32 [N, F].

  Raises:
    ValueError: naming the factor that is out of range or not whole.
  """
  if factors.ndim != 2 or factors.shape[1] != len(names):
    raise ValueError(
      f'{where}: factors have shape {factors.shape}, '
      f'expected (N, {len(names)}).'
    )
  if factors.dtype.kind not in 'iufb':
    raise ValueError(f'{where}: factors must be whole numbers from 0 on.')
  with np.errstate(invalid='ignore'):
    indices = factors.astype(np.int32)
  if not np.array_equal(indices, factors):
    raise ValueError(f'{where}: factors must be whole numbers from 0 on.')
  for column, name, size in zip(indices.T, names, sizes):
    if len(column) and not 0 <= column.min() <= column.max() < size:
      raise ValueError(
        f'{where}: factor {name!r} runs from {column.min()} to '
        f'{column.max()}, expected 0 to {size - 1}.'
      )
  return indices


def require_names(names: Sequence[str], where: object) -> None:
  """Checks that factors can be told apart by their names, and be printed.

  Raises:
    ValueError: names the first that repeats, is empty or too long.
  """
  for i, name in enumerate(names):
    if name in names[:i]:
      raise ValueError(
        f'{where}: two factors are called {files.shown(name)!r}; give each a '
        'name of its own.'
      )
    if not name.isprintable() or not 0 < len(name) <= _MOST_NAME:
      raise ValueError(
        f'{where}: a factor is called {files.shown(name)!r}; expected 1 to '
        f'{_MOST_NAME} printable characters.'
      )


def nearest(values: np.ndarray, grid: Sequence, where: object) -> np.ndarray:
  """Ranks values on a known grid, so that a part of a set keeps its ranks.

  Args:
    values: float [N].
    grid: the allowed values, ascending.
    where: the file, for the error.

  Returns:
    int32 [N].

  Raises:
    ValueError: if a value lies off the grid.
  """
  points = np.asarray(grid, np.float64)
  indices = np.abs(np.asarray(values)[:, None] - points).argmin(axis=1)
  far = ~np.isclose(points[indices], values, atol=1e-4)
  if far.any():
    raise ValueError(
      f'{where}: label {values[far][0]} is none of '
      f'{points[0]:g} ... {points[-1]:g} ({len(points)} values).'
    )
  return indices.astype(np.int32)


def grid_factors(indices: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
  """Unravels indices [B] into a full grid to factors int32 [B, F]."""
  return np.stack(np.unravel_index(indices, tuple(sizes)), axis=-1).astype(
    np.int32
  )


def require_grid(
  factors: np.ndarray, sizes: Sequence[int], where: object
) -> None:
  """Checks that row i holds the i-th combination of a full grid.

  Raises:
    ValueError: naming the first row that does not.
  """
  expected = grid_factors(np.arange(len(factors)), sizes)
  wrong = np.flatnonzero((factors != expected).any(axis=1))
  if len(wrong):
    row = int(wrong[0])
    raise ValueError(
      f'{where}: row {row} has factors {factors[row].tolist()}, expected '
      f'{expected[row].tolist()}; the rows were reordered or changed.'
    )
