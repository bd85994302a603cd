"""Images inside a page, as data URIs that keep to a budget of bytes."""

import base64
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from structae.data import decoding
from structae.figures.grids import as_pillow


def embed_frames(frames: np.ndarray, budget: int) -> list[str]:
  """Data URIs of small images: lossless where the budget allows it.

  Args:
    frames: `[N, H, W, C]` uint8.
    budget: how many bytes all URIs together may take.

  Returns:
    `N` URIs, or an empty list where even a coarse JPEG would not fit.
  """
  return _embed([as_pillow(frame) for frame in frames], budget)


def embed_files(paths: Sequence[Path], budget: int) -> list[str]:
  """Data URIs of PNG files, as they are or, over the budget, as JPEG.

  Args:
    paths: the files.
    budget: how many bytes all URIs together may take.

  Returns:
    One URI a file.

  Raises:
    ValueError: if a file is no image, or the budget is beyond reach.
  """
  as_they_are = [_uri('png', path.read_bytes()) for path in paths]
  images = [_open(path) for path in paths]
  if sum(map(len, as_they_are)) <= budget:
    return as_they_are
  for divisor in (1, 2, 3, 4, 6, 8):
    smaller = [
      x.reduce(divisor) if min(x.size) > divisor else x for x in images
    ]
    if uris := _embed(smaller, budget):
      return uris
  raise ValueError(
    f'{len(paths)} figures do not fit in {budget} bytes: '
    f'remove some, such as {paths[0]}.'
  )


def _embed(images: Sequence[Image.Image], budget: int) -> list[str]:
  codecs: list[Callable[[Image.Image], str]] = [_png]
  codecs += [lambda x, q=q: _jpeg(x, q) for q in (92, 82, 68)]  # type: ignore
  for codec in codecs:
    uris = [codec(image) for image in images]
    if sum(map(len, uris)) <= budget:
      return uris
  return []


def _open(path: Path) -> Image.Image:
  try:
    return Image.fromarray(decoding.decode(path.read_bytes()))
  except (ValueError, OSError) as error:
    raise ValueError(f'{path} cannot be read as an image.') from error


def _png(image: Image.Image) -> str:
  buffer = io.BytesIO()
  image.save(buffer, 'png', optimize=True)
  return _uri('png', buffer.getvalue())


def _jpeg(image: Image.Image, quality: int) -> str:
  buffer = io.BytesIO()
  image.save(buffer, 'jpeg', quality=quality, optimize=True)
  return _uri('jpeg', buffer.getvalue())


def _uri(kind: str, content: bytes) -> str:
  return f'data:image/{kind};base64,{base64.b64encode(content).decode()}'
