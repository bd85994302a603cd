"""Pairs that share factors: what a pair has in common is averaged.

Nobody says which factors are shared, nor how many: variables in which the two
are near are taken for shared, and decoded from their average. An encoder so
wrapped serves any loss of a batch whose odd places are the partners of the
even ones.
"""

from typing import Any

import jax
import jax.numpy as jnp

from structae.nn.posterior import Posterior
from structae.objectives.autoencoding import Encode


def averaging(encode: Encode) -> Encode:
  """An encoder that averages what the two of a pair share.

  Args:
    encode: `(params, images) -> Posterior`.

  Returns:
    The encoder, for batches of pairs `[2 P, ...]`.

  Source: Locatello et al., Weakly-supervised disentanglement without
    compromises, ICML 2020, https://arxiv.org/abs/2002.02886, section 4:
    Ada-GVAE; with deterministic codes a counterpart of this project's.
  """

  def encode_pairs(params: Any, images: jax.Array) -> Posterior:
    return average(encode(params, images))

  return encode_pairs


def average(posterior: Posterior) -> Posterior:
  """Averages the variables in which the two of each pair are near.

  A variable is shared if its distance is below the middle of the pair's largest
  and smallest. Means are averaged, and variances.

  Args:
    posterior: of codes `[2 P, K, D]`; places 2 p and 2 p + 1 are a pair.

  Returns:
    The posterior, the same for both where it is shared.
  """
  distance = distances(posterior)
  middle = (distance.max(1) + distance.min(1)) / 2
  # The choice is not differentiated, as it has two values.
  shared = jnp.repeat(distance < middle[:, None], 2, axis=0)[..., None]

  def mixed(x: jax.Array, average: jax.Array) -> jax.Array:
    return jnp.where(shared, jnp.repeat(average, 2, axis=0), x)

  mean, log_var = posterior.mean, posterior.log_var
  mean = mixed(mean, (mean[::2] + mean[1::2]) / 2)
  if log_var is None:
    return Posterior(mean)
  total = jnp.logaddexp(log_var[::2], log_var[1::2])
  return Posterior(mean, mixed(log_var, total - jnp.log(2.0)))


def distances(posterior: Posterior) -> jax.Array:
  """How far apart the two of each pair are, variable by variable.

  Args:
    posterior: of codes `[2 P, K, D]`.

  Returns:
    `[P, K]`: the KL divergence of the first from the second; without spread,
    half the squared distance in units of each number's variance in the batch.
  """
  mean, log_var = posterior.mean, posterior.log_var
  if log_var is None:
    variance = jnp.var(mean, 0) + 1e-12
    return (jnp.square(mean[::2] - mean[1::2]) / variance).sum(2) / 2
  ratio = log_var[::2] - log_var[1::2]
  square = jnp.square(mean[::2] - mean[1::2]) * jnp.exp(-log_var[1::2])
  return (jnp.exp(ratio) + square - 1 - ratio).sum(2) / 2
