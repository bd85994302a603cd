"""DIP-VAE: the covariance of all codes is drawn to that of the prior.

Source: Kumar et al., Variational inference of disentangled latent concepts from
unlabeled observations, ICLR 2018, https://arxiv.org/abs/1711.00848.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from structae.nn.posterior import Posterior
from structae.objectives import divergences
from structae.objectives.autoencoding import Metrics, Penalty


def dip_penalty(
  weight_off: float,
  weight_diagonal: float,
  of_samples: bool,
  divergence: Callable[[Posterior], jax.Array] = divergences.kl,
) -> Penalty:
  """KL, and squares of what the covariance of codes is beyond the identity.

  Args:
    weight_off: lambda_od, of the squares of covariances.
    weight_diagonal: lambda_d, of the squares of variances less 1.
    of_samples: whether of codes as drawn (DIP-VAE-II), whose covariance has
      that of the posteriors added, or of posterior means (DIP-VAE-I).
    divergence: `Posterior -> [B]`.

  Returns:
    The penalty, with the terms `kl`, `covariance` and `variance`, unweighted.

  Source: Kumar et al., https://arxiv.org/abs/1711.00848, equations 6 and 7.
  """

  def penalty(
    posterior: Posterior, codes: jax.Array, key: jax.Array
  ) -> tuple[jax.Array, Metrics]:
    del codes, key
    kl = divergence(posterior).mean()
    matrix = covariance(posterior, of_samples)
    diagonal = jnp.diagonal(matrix)
    off = jnp.square(matrix).sum() - jnp.square(diagonal).sum()
    away = jnp.square(diagonal - 1).sum()
    terms = {'kl': kl, 'covariance': off, 'variance': away}
    return kl + weight_off * off + weight_diagonal * away, terms

  return penalty


def covariance(posterior: Posterior, of_samples: bool) -> jax.Array:
  """The covariance `[L, L]` of codes over a batch, divided by its size.

  Args:
    posterior: of codes `[B, K, D]`, Gaussian.
    of_samples: whether of draws: by the law of total covariance the mean of
      the posteriors' variances is then added.
  """
  mean = posterior.mean.reshape(len(posterior.mean), -1)
  centred = mean - mean.mean(0)
  matrix = centred.T @ centred / len(mean)
  if of_samples:
    assert posterior.log_var is not None
    variance = jnp.exp(posterior.log_var).reshape(mean.shape).mean(0)
    matrix = matrix + jnp.diag(variance)
  return matrix
