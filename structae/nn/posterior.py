"""The posterior of a code given its image: a point, or a Gaussian."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Posterior(NamedTuple):
  """The distribution of a code given its image.

  Attributes:
    mean: `[B, K, D]`.
    log_var: `[B, K, D]`, the logarithm of the variance, or `None` where the
      encoder is deterministic.
  """

  mean: jax.Array
  log_var: jax.Array | None = None

  def sample(self, key: jax.Array) -> jax.Array:
    """Draws codes `[B, K, D]`; the mean itself if deterministic."""
    if self.log_var is None:
      return self.mean
    noise = jax.random.normal(key, self.mean.shape, self.mean.dtype)
    return self.mean + jnp.exp(self.log_var / 2) * noise


def deterministic(numbers: jax.Array, num_variables: int) -> Posterior:
  """Cuts `[B, L]` numbers into codes `[B, K, L/K]` without spread."""
  return Posterior(numbers.reshape(numbers.shape[0], num_variables, -1))


def gaussian(numbers: jax.Array, num_variables: int) -> Posterior:
  """Cuts `[B, 2L]` numbers into means and log variances `[B, K, L/K]`.

  The second half holds the logarithm of the standard deviation, as the
  authors' encoders emit it.
  """
  mean, log_scale = jnp.split(numbers, 2, -1)
  shape = (numbers.shape[0], num_variables, -1)
  return Posterior(mean.reshape(shape), 2 * log_scale.reshape(shape))
