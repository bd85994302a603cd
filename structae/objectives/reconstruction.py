"""How far a reconstruction is from its image, in nats per example."""

import jax
import jax.numpy as jnp

EPSILON = 1e-7


def targets(images: jax.Array) -> jax.Array:
  """Maps uint8 images to probabilities, clamped to [1e-7, 1 - 1e-7].

  Unclamped, the entropy of a black or white pixel is 0 log 0. Values that are
  floats already are taken to lie in [0, 1].
  """
  if images.dtype == jnp.uint8:
    images = images.astype(jnp.float32) / 255
  return jnp.clip(images, EPSILON, 1 - EPSILON)


def bernoulli_cross_entropy(
  logits: jax.Array, probabilities: jax.Array
) -> jax.Array:
  """-sum p log q + (1 - p) log(1 - q), q = sigmoid(logits).

  Args:
    logits: `[B, ...]`, the decoder's output.
    probabilities: the same shape, in [0, 1].

  Returns:
    `[B]`, nats per example, summed over pixels and channels.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 2.2.
  """
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


def squared_error(logits: jax.Array, probabilities: jax.Array) -> jax.Array:
  """Mean squared error of sigmoid(logits) over pixels and channels, `[B]`."""
  errors = jnp.square(jax.nn.sigmoid(logits) - probabilities)
  return _sum_per_example(errors) / errors[0].size


def _sum_per_example(terms: jax.Array) -> jax.Array:
  return terms.sum(tuple(range(1, terms.ndim)))
