"""Hybrid consistency: the encoder finds a hybrid code in its image again.

It asks for images of recombined codes that show what was recombined, without
any prior on codes. A term for any loss of an encoder and a decoder.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from structae import sampling
from structae.objectives import autoencoding, reconstruction
from structae.objectives.autoencoding import Decode, Encode, Loss, Metrics

# Added to variances that are divided by: numbers that do not vary count little.
_LEAST = 1e-4


def hybrid_consistency(
  loss: Loss,
  encode: Encode,
  decode: Decode,
  weight: float,
  likelihood: reconstruction.Likelihood = reconstruction.BERNOULLI,
) -> Loss:
  """Adds weight times the distance of hybrid codes from those of their images.

  Hybrids are of the batch's own codes, one variable from one example; they are
  held fixed, so that the term is made small by what the decoder shows and the
  encoder reads, not by codes that move together.

  Args:
    loss: `(params, images, key) -> (nats per example, its terms)`.
    encode: `(params, images) -> Posterior`.
    decode: `(params, codes) -> outputs`.
    weight: of the term; 0 leaves the loss as it is.
    likelihood: whose mean the outputs stand for: the images that are encoded.

  Returns:
    The loss, with the term `consistency`.

  Source: Hu et al., Disentangling factors of variation by mixing them, CVPR
    2018, https://arxiv.org/abs/1711.07410, of hybrids of two examples; here
    every variable may come from another one.
  """
  if not weight:
    return loss

  def consistent(
    params: Any, images: jax.Array, key: jax.Array, step: jax.Array | int = 0
  ) -> tuple[jax.Array, Metrics]:
    value, terms = autoencoding.at(loss, step)(params, images, key)
    codes = jax.lax.stop_gradient(encode(params, images).mean)
    # Neither the key that drew the codes, nor that of the prior.
    hybrids = sampling.hybrid(jax.random.fold_in(key, 2), codes, len(codes))
    shown = likelihood.mean(decode(params, hybrids))
    found = encode(params, shown).mean
    distance = code_distance(found, hybrids, codes)
    return value + weight * distance, {**terms, 'consistency': distance}

  return consistent


def code_distance(
  found: jax.Array, wanted: jax.Array, codes: jax.Array
) -> jax.Array:
  """The squared distance of codes in units of the variance of each number.

  Without units, codes could come near each other by shrinking.

  Args:
    found: `[S, K, D]`.
    wanted: `[S, K, D]`.
    codes: `[B, K, D]`, whose variance over the batch is the unit.

  Returns:
    A scalar: summed over numbers and halved, as of a normal distribution of
    unit variance, and averaged over examples.
  """
  variance = jnp.var(codes, 0) + _LEAST
  squares: Callable = lambda x: jnp.square(x) / variance
  return squares(found - wanted).sum((1, 2)).mean() / 2
