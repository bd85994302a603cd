"""Where uint8 images come from: here, composed on the device."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from structae.data import shapes3d_synth


@dataclasses.dataclass(frozen=True)
class Source:
  """A data set as a pure function of its image numbers.

  Attributes:
    name: the data set.
    image_shape: (H, W, C).
    size: the number of images.
    factor_names: F names.
    factor_sizes: F sizes.
    arrays: what the device holds: the tables that images are composed of, or
      the images themselves. Passed to jitted functions as an argument, since a
      constant of this size would be compiled into the program.
    images: `(arrays, indices [B]) -> uint8 [B, H, W, C]`, pure, jittable.
    factors: `indices [B] -> int32 [B, F]`, numpy.
  """

  name: str
  image_shape: tuple[int, int, int]
  size: int
  factor_names: tuple[str, ...]
  factor_sizes: tuple[int, ...]
  arrays: Any
  images: Callable[[Any, jax.Array], jax.Array]
  factors: Callable[[np.ndarray], np.ndarray]


def shapes3d(size: int) -> Source:
  """All 480,000 images of `shapes3d_synth`, `size` pixels wide."""
  return Source(
    name='shapes3d_synth',
    image_shape=(size, size, 3),
    size=shapes3d_synth.NUM_IMAGES,
    factor_names=shapes3d_synth.FACTOR_NAMES,
    factor_sizes=shapes3d_synth.FACTOR_SIZES,
    arrays=shapes3d_synth.tables(size),
    images=shapes3d_synth.images,
    factors=shapes3d_synth.factors,
  )
