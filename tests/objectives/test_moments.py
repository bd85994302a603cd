"""DIP-VAE beside numpy's covariance, and draws of the posteriors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.nn.posterior import Posterior
from structae.objectives import divergences, moments

RNG = np.random.default_rng(0)
MEAN = RNG.normal(size=(40, 2, 2)).astype(np.float32) @ np.array(
  [[1, 0.5], [0, 2]], np.float32
)
LOG_VAR = RNG.normal(-1, 0.5, MEAN.shape).astype(np.float32)
POSTERIOR = Posterior(jnp.asarray(MEAN), jnp.asarray(LOG_VAR))


@pytest.mark.parametrize('of_samples', [False, True])
def test_the_covariance_is_that_of_numpy_and_of_draws(of_samples):
  found = moments.covariance(POSTERIOR, of_samples)
  expected = np.cov(MEAN.reshape(40, 4), rowvar=False, ddof=0)
  if of_samples:
    expected += np.diag(np.exp(LOG_VAR).reshape(40, 4).mean(0))
    keys = jax.random.split(jax.random.key(0), 4000)
    draws = np.asarray(jax.vmap(POSTERIOR.sample)(keys)).reshape(-1, 4)
    drawn = np.cov(draws, rowvar=False)
    np.testing.assert_allclose(found, drawn, atol=0.03)
  np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_penalty_is_the_squares_beyond_the_identity():
  penalty = moments.dip_penalty(3.0, 5.0, of_samples=True)
  value, terms = penalty(POSTERIOR, POSTERIOR.mean, jax.random.key(0))
  matrix = np.asarray(moments.covariance(POSTERIOR, True), np.float64)
  off = sum(matrix[i, j] ** 2 for i in range(4) for j in range(4) if i != j)
  away = sum((matrix[i, i] - 1) ** 2 for i in range(4))
  kl = divergences.kl(POSTERIOR).mean()
  np.testing.assert_allclose(value, kl + 3 * off + 5 * away, rtol=1e-5)
  assert set(terms) == {'kl', 'covariance', 'variance'}


def test_white_codes_cost_their_divergence_alone():
  signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], np.float32)[..., None]
  white = Posterior(jnp.asarray(signs), jnp.full(signs.shape, -30.0))
  for of_samples in (False, True):
    penalty = moments.dip_penalty(7.0, 9.0, of_samples)
    value, terms = penalty(white, white.mean, jax.random.key(0))
    np.testing.assert_allclose(value, terms['kl'], rtol=1e-6)
