"""Some images of a data set, read when they are asked for."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from structae.data import sources


@dataclasses.dataclass(frozen=True)
class Selection:
  """Images of a source by their numbers; `len`, `shape`, `[rows]` as an array.

  Attributes:
    source: the data set.
    indices: `[N]` numbers of its images.
  """

  source: sources.Source
  indices: np.ndarray

  @property
  def shape(self) -> tuple[int, ...]:
    """`(N, H, W, C)`, or `(N, X)` of feature vectors."""
    return (len(self), *self.source.image_shape)

  @property
  def dtype(self) -> np.dtype:
    """uint8 of images, float32 of feature vectors."""
    return np.dtype(np.uint8 if len(self.shape) == 4 else np.float32)

  def __len__(self) -> int:
    """N."""
    return len(self.indices)

  def load(self, rows: np.ndarray) -> tuple[Callable, tuple[Any, ...]]:
    """A pure function and its arguments: the images of some rows."""
    return self.source.images, self.source.load(self.indices[rows])

  def __getitem__(self, rows: Any) -> jax.Array:
    """The images of some rows, on the device."""
    read, batch = self.load(rows)
    return _images(read, *batch)

  def read(self, batch_size: int = 128) -> np.ndarray:
    """All of them, `[N, ...]`, read `batch_size` at a time."""
    size = min(batch_size, len(self)) or 1
    # Every batch is whole, so that one shape is compiled.
    rows = np.resize(np.arange(len(self)), (-(-len(self) // size), size))
    parts = [jax.device_get(self[r]) for r in rows]
    return np.concatenate(parts)[: len(self)]


@functools.partial(jax.jit, static_argnums=0)
def _images(images: Callable, arrays: Any, indices: jax.Array) -> jax.Array:
  return images(arrays, indices)
