"""Which images a step sees: a pure function of (seed, step)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np


class Splits(NamedTuple):
  """Image numbers of the three parts, each sorted, int32."""

  train: np.ndarray
  validation: np.ndarray
  test: np.ndarray


def split(num_images: int, seed: int) -> Splits:
  """Cuts a data set 70-10-20 by a permutation that is the same for ever.

  Args:
    num_images: the number of images.
    seed: of the permutation; numpy froze this generator.

  Returns:
    The parts.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 3.
  """
  order = np.random.RandomState(seed).permutation(num_images).astype(np.int32)
  first, second = num_images * 7 // 10, num_images * 8 // 10
  parts = order[:first], order[first:second], order[second:]
  return Splits(*(np.sort(part) for part in parts))


def subset(part: np.ndarray, num: int, seed: int) -> np.ndarray:
  """Draws `num` image numbers of a part, sorted; all of them if `num` is 0."""
  if not num or num >= len(part):
    return part
  return np.sort(np.random.RandomState(seed).permutation(part)[:num])


def batch_indices(
  key: jax.Array, step: jax.Array, part: jax.Array, batch_size: int
) -> jax.Array:
  """Draws the image numbers of one step, with replacement.

  No state is carried from step to step, so a resumed run sees what an
  uninterrupted one would have.

  Args:
    key: the PRNG key of the run's batches.
    step: the step, from 0.
    part: `[N]` image numbers to draw from.
    batch_size: how many.

  Returns:
    `[batch_size]` image numbers.
  """
  rows = jax.random.randint(
    jax.random.fold_in(key, step), (batch_size,), 0, len(part)
  )
  return part[rows]


def map_batches(
  function: Callable[[Any], Any], inputs: Any, batch_size: int
) -> Any:
  """Applies a function of a batch to any number of rows.

  Every batch is whole, so that one shape is compiled: the last one is filled
  up with rows from the start, whose results are dropped.

  Args:
    function: maps `[batch_size, ...]` to a tree of `[batch_size, ...]`.
    inputs: `[N, ...]`, numpy.
    batch_size: rows at a time.

  Returns:
    A tree of numpy arrays `[N, ...]`.
  """
  num_batches = -(-len(inputs) // batch_size)
  rows = np.resize(np.arange(len(inputs)), (num_batches, batch_size))
  parts = [jax.device_get(function(inputs[r])) for r in rows]
  joined = jax.tree.map(lambda *p: np.concatenate(p), *parts)
  return jax.tree.map(lambda a: a[: len(inputs)], joined)
