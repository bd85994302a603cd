"""Many encoded pictures -> uint8 arrays, on every core."""

import io
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent import futures

import numpy as np
from PIL import Image, ImageOps


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
  try:
    with warnings.catch_warnings():
      warnings.simplefilter('ignore', Image.DecompressionBombWarning)
      with Image.open(io.BytesIO(data)) as picture:
        return as_array(picture, mode)
  except Exception as error:  # Pillow's plugins raise what they like.
    raise ValueError(str(error) or type(error).__name__) from error


def as_array(picture: Image.Image, mode: str = 'RGB') -> np.ndarray:
  """The pixels of a Pillow image in a mode, uint8 [H, W, C]."""
  pixels = np.asarray(_eight_bits(picture).convert(mode))
  return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _eight_bits(picture: Image.Image) -> Image.Image:
  """Turned as its EXIF tag says; 16-bit grey scaled, where Pillow clips."""
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

  # Pillow lets go of the interpreter while it decodes.
  with futures.ThreadPoolExecutor(num_threads()) as pool:
    for _ in pool.map(one, range(start, start + len(out))):
      pass


def num_threads() -> int:
  """The number of cores that this process may use."""
  if hasattr(os, 'sched_getaffinity'):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def describe_corrupt(names: Sequence[str], reasons: Sequence[str]) -> str:
  """One line that names the first few pictures that could not be read."""
  shown = '; '.join(f'{n} ({r})' for n, r in zip(names[:3], reasons[:3]))
  more = f' and {len(names) - 3} more' if len(names) > 3 else ''
  return f'{len(names)} unreadable: {shown}{more}'
