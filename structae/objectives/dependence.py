"""How much the numbers of a code depend on each other and on the example.

The KL divergence to the prior has three parts, each of which needs the density
of all codes, q(z) = 1/N sum_n q(z | x_n); a batch estimates it.

Source: Chen et al., Isolating Sources of Disentanglement in VAEs,
https://arxiv.org/abs/1802.04942.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from structae.nn.posterior import Posterior


class Parts(NamedTuple):
  """Parts of the KL divergence, scalars in nats per example.

  Attributes:
    mutual_information: of code and example.
    total_correlation: of the numbers of a code.
    dimension_kl: of each number's marginal to the prior, summed.
  """

  mutual_information: jax.Array
  total_correlation: jax.Array
  dimension_kl: jax.Array


def decompose(
  posterior: Posterior, codes: jax.Array, log_weights: np.ndarray
) -> Parts:
  """Estimates the parts of the KL divergence from one batch.

  Args:
    posterior: of codes `[B, K, D]`, Gaussian.
    codes: `[B, K, D]`, one draw for each example.
    log_weights: `[B, B]`: entry i, j is the logarithm of the weight of
      q(z_i | x_j) in the estimate of q(z_i); see `weighted` and `stratified`.

  Returns:
    The parts; their sum is the mean of log q(z | x) - log p(z).
  """
  if posterior.log_var is None:
    raise ValueError(
      'Total correlation needs a Gaussian posterior, got one without log_var; '
      'let the encoder return it.'
    )
  flat = lambda x: x.reshape(len(x), -1)
  z, mean, log_var = map(flat, (codes, posterior.mean, posterior.log_var))
  pairs = log_normal(z[:, None], mean[None], log_var[None])  # [i, j, L]
  of_own = log_normal(z, mean, log_var).sum(-1)
  of_all = jax.nn.logsumexp(log_weights + pairs.sum(-1), 1)
  of_each = jax.nn.logsumexp(log_weights[..., None] + pairs, 1).sum(-1)
  of_prior = log_normal(z, jnp.zeros_like(z), jnp.zeros_like(z)).sum(-1)
  return Parts(
    mutual_information=(of_own - of_all).mean(),
    total_correlation=(of_all - of_each).mean(),
    dimension_kl=(of_each - of_prior).mean(),
  )


def weighted(batch_size: int, num_examples: int) -> np.ndarray:
  """Log weights of minibatch-weighted sampling: 1 / (N B) for all.

  They do not sum to 1: the logarithm of q(z) is low by about log N, which is a
  constant for the gradient, but not in the numbers that are logged.

  Args:
    batch_size: the examples B of a batch.
    num_examples: the examples N of the data set.

  Returns:
    `[B, B]` float32.

  Source: Chen et al., https://arxiv.org/abs/1802.04942, appendix C.1.
  """
  weights = np.full((batch_size, batch_size), 1 / (batch_size * num_examples))
  return np.log(weights).astype(np.float32)


def stratified(batch_size: int, num_examples: int) -> np.ndarray:
  """Log weights of minibatch-stratified sampling, which sum to 1.

  An example stands for itself with weight 1/N, the others of the batch for the
  rest of the data, one of them with less, so that the estimate of q(z) is
  right on average over batches.

  Args:
    batch_size: the examples B of a batch, at least 2.
    num_examples: the examples N of the data set, at least B.

  Returns:
    `[B, B]` float32.

  Raises:
    ValueError: if the batch is too small, or larger than the data set.

  Source: Chen et al., https://arxiv.org/abs/1802.04942, appendix C.2.
  """
  if not 2 <= batch_size <= num_examples:
    raise ValueError(
      f'batch_size must lie between 2 and the {num_examples} examples, '
      f'got {batch_size}.'
    )
  others = batch_size - 1
  weights = np.full((batch_size, batch_size), 1 / others)
  rows = np.arange(batch_size)
  rest = (num_examples - others) / (num_examples * others)
  weights[rows, (rows + 1) % batch_size] = rest
  weights[rows, rows] = 1 / num_examples
  return np.log(weights).astype(np.float32)


def log_normal(z: jax.Array, mean: jax.Array, log_var: jax.Array) -> jax.Array:
  """Log density of normal numbers, elementwise."""
  scaled = jnp.square(z - mean) * jnp.exp(-log_var)
  return -(scaled + log_var + np.log(2 * np.pi)) / 2
