"""How far codes are from a standard normal prior: KL divergence and MMD."""

import jax
import jax.numpy as jnp

from structae.nn.posterior import Posterior

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def kl(posterior: Posterior) -> jax.Array:
  """KL divergence of a Gaussian posterior from N(0, 1).

  sum over the numbers of a code of (mean^2 + var - 1 - log var) / 2.

  Args:
    posterior: of codes `[B, K, D]`, Gaussian.

  Returns:
    `[B]`, nats per example.

  Source: Kingma and Welling, https://arxiv.org/abs/1312.6114, appendix B.
  """
  mean, log_var = _gaussian(posterior)
  terms = jnp.square(mean) + jnp.exp(log_var) - 1 - log_var
  return terms.sum((1, 2)) / 2


def released_kl(posterior: Posterior) -> jax.Array:
  """What the released code of the structural autoencoders takes for the KL.

  It has the standard deviation where the variance belongs, which halves the
  cost of narrow posteriors: no divergence, and here only to compare with.

  Args:
    posterior: of codes `[B, K, D]`, Gaussian.

  Returns:
    `[B]`.
  """
  mean, log_var = _gaussian(posterior)
  log_scale = log_var / 2
  terms = jnp.square(mean) + jnp.exp(log_scale) - 1 - log_scale
  return terms.sum((1, 2)) / 2


def mmd(codes: jax.Array, prior: jax.Array) -> jax.Array:
  """Unbiased estimate of the squared maximum mean discrepancy.

  The kernel is a sum of inverse multiquadrics, sum_c C / (C + |x - y|^2) with
  C = 2 L c for the scales c. Pairs of an example with itself are left out, so
  that the estimate is 0 on average if both come from one distribution, and
  may be below 0.

  Args:
    codes: `[B, K, D]`, B >= 2.
    prior: `[M, K, D]`, draws of the prior, M >= 2.

  Returns:
    A scalar.

  Source: Tolstikhin et al., Wasserstein Auto-Encoders,
  https://arxiv.org/abs/1711.01558, algorithm 2 and section 4.
  """
  x, y = codes.reshape(len(codes), -1), prior.reshape(len(prior), -1)
  scales = 2 * x.shape[1] * jnp.asarray(SCALES, x.dtype)[:, None, None]
  k = lambda a, b: (scales / (scales + _squared_distances(a, b))).sum(0)
  return _mean_off_diagonal(k(x, x)) + _mean_off_diagonal(k(y, y)) - 2 * k(
    x, y
  ).mean()  # fmt: skip


def released_mmd(codes: jax.Array, prior: jax.Array) -> jax.Array:
  """The penalty that the released code takes for the MMD.

  One scale, C = L; pairs of an example with itself are counted; the result is
  divided by the batch size once more. Only to compare with.

  Args:
    codes: `[B, K, D]`.
    prior: `[B, K, D]`.

  Returns:
    A scalar.
  """
  x, y = codes.reshape(len(codes), -1), prior.reshape(len(prior), -1)
  scale = x.shape[1]
  k = lambda a, b: (scale / (scale + _squared_distances(a, b))).mean()
  return (k(x, x) + k(y, y) - 2 * k(x, y)) / len(x)


def _gaussian(posterior: Posterior) -> tuple[jax.Array, jax.Array]:
  if posterior.log_var is None:
    raise ValueError(
      'The KL divergence needs a Gaussian posterior, got one without log_var; '
      'let the encoder return it.'
    )
  return posterior.mean, posterior.log_var


def _squared_distances(a: jax.Array, b: jax.Array) -> jax.Array:
  # By differences: |a|^2 + |b|^2 - 2ab would cancel for near neighbours.
  return jnp.square(a[:, None] - b[None]).sum(-1)


def _mean_off_diagonal(k: jax.Array) -> jax.Array:
  num = len(k)
  return (k.sum() - jnp.trace(k)) / (num * (num - 1))
