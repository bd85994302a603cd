"""Batches of pairs that share most factors, which nobody has to name."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from structae.data import sources

# Of a partner: those that are no training examples are passed over.
_TRIES = 8


def with_pairs(
  source: sources.Source, part: np.ndarray, num_changed: int, seed: int
) -> sources.Source:
  """A source in whose batches every second example is the partner of another.

  The examples of odd places differ from those before them in `num_changed`
  factors, drawn for each pair, and share all others; where none of eight draws
  is a training example, it is the same example again. Partners follow from the
  batch's own numbers, so that they depend on seed and step alone.

  Args:
    source: of the full grid of its factors, on the device.
    part: `[N]`, the numbers of the training examples.
    num_changed: 1 or more, of the factors that vary.
    seed: of the draws.

  Returns:
    The source; only its batches differ.

  Raises:
    ValueError: if the images stay on the host.

  Source: Locatello et al., Weakly-supervised disentanglement without
    compromises, ICML 2020, https://arxiv.org/abs/2002.02886, section 5.
  """
  if source.arrays is None or source.storage == 'sharded':
    raise ValueError(
      f'pairs need images that lie whole on the device; {source.name} is '
      f'{source.storage}'
    )
  sizes, images = source.factor_sizes, source.images
  trained = np.zeros(source.size, bool)
  trained[part] = True

  def paired(arrays: Any, indices: jax.Array) -> jax.Array:
    own, trained = arrays
    key = jax.random.fold_in(
      jax.random.key(seed), indices.astype(jnp.uint32).sum()
    )
    first = indices[::2]
    tried = jax.vmap(lambda k: partners(k, first, sizes, num_changed))(
      jax.random.split(key, _TRIES)
    )
    good = trained[tried]
    chosen = tried[good.argmax(0), jnp.arange(len(first))]
    second = jnp.where(good.any(0), chosen, first)
    return images(own, jnp.stack([first, second], 1).reshape(-1))

  arrays = (source.arrays, jnp.asarray(trained))
  return dataclasses.replace(source, arrays=arrays, images=paired)


def partners(
  key: jax.Array, indices: jax.Array, sizes: tuple[int, ...], num_changed: int
) -> jax.Array:
  """Numbers of examples that differ in so many factors from given ones.

  Args:
    key: a PRNG key.
    indices: `[B]`, numbers in a grid of factors, the last one fastest.
    sizes: F numbers of values.
    num_changed: the number of factors that get another value.

  Returns:
    `[B]` int32.
  """
  which, values = jax.random.split(key)
  order = jax.random.uniform(which, (len(indices), len(sizes)))
  most = jnp.asarray(sizes)
  order = jnp.where(most > 1, order, 2.0)  # constant factors come last
  changes = order.argsort(1).argsort(1) < num_changed
  strides = np.cumprod([1, *sizes[:0:-1]])[::-1].copy()
  now = indices[:, None] // strides % most
  # A step of 1 ... n - 1 around the values leads to each other one.
  step = jax.random.randint(values, now.shape, 1, jnp.maximum(most, 2))
  new = jnp.where(changes, (now + step) % most, now)
  return (new * strides).sum(1).astype(jnp.int32)
