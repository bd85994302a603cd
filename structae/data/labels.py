"""Batches with labels: a few examples whose factors a loss may see."""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from structae.data import sources


class Labelled(NamedTuple):
  """A batch of training examples, and one of labelled examples beside it.

  Attributes:
    images: `[B, ...]`, what a loss without labels is given.
    labelled: `[B, ...]`, examples whose factors are known.
    factors: `[B, F]` int32, theirs.
  """

  images: jax.Array
  labelled: jax.Array
  factors: jax.Array


def choose(part: np.ndarray, fraction: float, seed: int) -> np.ndarray:
  """Draws the numbers of the examples whose factors are known, sorted.

  Args:
    part: `[N]` numbers of the training examples.
    fraction: of them, above 0 to 1; at least one is drawn.
    seed: of the draw; a larger fraction contains a smaller one.

  Returns:
    `[M]` of them.
  """
  num = max(round(fraction * len(part)), 1)
  return np.sort(np.random.RandomState(seed).permutation(part)[:num])


def with_labels(source: sources.Source, known: np.ndarray) -> sources.Source:
  """A source whose batches are `Labelled`.

  Which labelled examples stand beside a batch follows from the batch's own
  numbers, as their remainders, so that it depends on seed and step alone.

  Args:
    source: one whose images lie on the device, or are made there.
    known: `[M]`, the numbers of the examples whose factors are known.

  Returns:
    The source; only its batches differ.

  Raises:
    ValueError: if the images stay on the host.
  """
  if source.arrays is None or source.storage == 'sharded':
    raise ValueError(
      f'labels need images that lie whole on the device; {source.name} is '
      f'{source.storage}'
    )
  images = source.images

  def labelled(arrays: Any, indices: jax.Array) -> Any:
    own, known, factors = arrays
    rows = indices % len(known)
    return Labelled(
      images(own, indices), images(own, known[rows]), factors[rows]
    )

  arrays = (
    source.arrays,
    jnp.asarray(known, jnp.int32),
    jnp.asarray(source.factors(known), jnp.int32),
  )
  return dataclasses.replace(source, arrays=arrays, images=labelled)
