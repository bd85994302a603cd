"""How far a reconstruction is from its image, in nats per example."""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

EPSILON = 1e-7
_FORMS = 'expected uint8 in 0..255, or floats in [0, 1]'


def targets(images: jax.Array) -> jax.Array:
  """Maps uint8 images to probabilities, clamped to [1e-7, 1 - 1e-7].

  Unclamped, the entropy of a black or white pixel is 0 log 0.

  Raises:
    ValueError: if they are neither uint8 nor floats in [0, 1]. What floats
      hold is known, and looked at, outside of `jax.jit` alone.
  """
  if not isinstance(images, jax.core.Tracer) and images.dtype != jnp.uint8:
    _check_range(np.asarray(images))  # of numpy: jax would trace it
  return jnp.clip(as_floats(images), EPSILON, 1 - EPSILON)


def _check_range(values: np.ndarray) -> None:
  if values.size and not (values.min() >= 0 and values.max() <= 1):
    raise ValueError(
      f'images run from {values.min():g} to {values.max():g}; {_FORMS}.'
    )


def bernoulli_cross_entropy(
  logits: jax.Array, probabilities: jax.Array
) -> jax.Array:
  """-sum p log q + (1 - p) log(1 - q), q = sigmoid(logits).

  Args:
    logits: `[B, ...]`, the decoder's output.
    probabilities: the same shape, in [0, 1].

  Returns:
    `[B]`, nats per example, summed over pixels and channels.

  Raises:
    ValueError: if the shapes differ.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 2.2.
  """
  _check_shapes(logits, probabilities)
  terms = (
    jnp.maximum(logits, 0)
    - logits * probabilities
    + jnp.log1p(jnp.exp(-jnp.abs(logits)))
  )
  return _sum_per_example(terms)


def bernoulli_entropy(probabilities: jax.Array) -> jax.Array:
  """The least cross entropy that any reconstruction can reach.

  Args:
    probabilities: `[B, ...]`, in (0, 1).

  Returns:
    `[B]`, nats per example.
  """
  p, q = probabilities, 1 - probabilities
  return _sum_per_example(-p * jnp.log(p) - q * jnp.log(q))


class Likelihood(NamedTuple):
  """The distribution of the data given the outputs of a decoder.

  Attributes:
    nats: `(outputs, data) -> [B]`, -log p(data | outputs) of each example.
    floor: `data -> [B]`, the least that any outputs can reach.
    mean: `outputs -> data`, what is expected; images in [0, 1].
  """

  nats: Callable[[jax.Array, jax.Array], jax.Array]
  floor: Callable[[jax.Array], jax.Array]
  mean: Callable[[jax.Array], jax.Array]

  def squared_error(self, outputs: jax.Array, data: jax.Array) -> jax.Array:
    """Mean squared error over the numbers of each example, `[B]`."""
    errors = jnp.square(self.mean(outputs) - as_floats(data))
    return _sum_per_example(errors) / errors[0].size


BERNOULLI = Likelihood(
  nats=lambda logits, images: bernoulli_cross_entropy(logits, targets(images)),
  floor=lambda images: bernoulli_entropy(targets(images)),
  mean=jax.nn.sigmoid,
)


@functools.cache  # the same likelihood compiles the same programs
def gaussian(noise: float) -> Likelihood:
  """Independent normal numbers about the decoder's outputs.

  -log p = |x - outputs|^2 / (2 noise^2) + X/2 log(2 pi noise^2).

  Args:
    noise: their standard deviation.

  Returns:
    The likelihood; its outputs are the expected data themselves.
  """
  constant = math.log(noise) + math.log(2 * math.pi) / 2

  def nats(outputs: jax.Array, data: jax.Array) -> jax.Array:
    _check_shapes(outputs, data)
    errors = (outputs - as_floats(data)) / noise
    return _sum_per_example(jnp.square(errors) / 2 + constant)

  return Likelihood(
    nats=nats,
    floor=lambda data: jnp.full(len(data), constant * data[0].size),
    mean=lambda outputs: outputs,
  )


def as_floats(data: jax.Array) -> jax.Array:
  """Maps uint8 images to [0, 1]; floats stay as they are.

  Raises:
    ValueError: if they are of another type.
  """
  if data.dtype == jnp.uint8:
    return data.astype(jnp.float32) / 255
  if not jnp.issubdtype(data.dtype, jnp.floating):
    raise ValueError(f'images are {data.dtype}; {_FORMS}.')
  return data


def as_bytes(images: jax.Array) -> jax.Array:
  """Maps images in [0, 1] to uint8; feature vectors `[B, X]` stay as they are.

  The inverse of `as_floats` on images.
  """
  if images.ndim == 2:
    return images
  return jnp.round(255 * jnp.clip(images, 0, 1)).astype(jnp.uint8)


def _check_shapes(outputs: jax.Array, data: jax.Array) -> None:
  # They would broadcast, and every example meet every other.
  if outputs.shape != data.shape:
    raise ValueError(
      f'the decoder gives {outputs.shape} for data {data.shape}; expected the '
      'same shape.'
    )


def _sum_per_example(terms: jax.Array) -> jax.Array:
  return terms.sum(tuple(range(1, terms.ndim)))
