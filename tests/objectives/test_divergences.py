"""KL divergence and MMD against integration, scipy and double loops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from structae.nn.posterior import Posterior
from structae.objectives import divergences

RNG = np.random.RandomState(0)
MEAN = RNG.normal(0, 1.5, (5, 3, 2))
LOG_VAR = RNG.normal(-1, 1, (5, 3, 2))
POSTERIOR = Posterior(jnp.asarray(MEAN), jnp.asarray(LOG_VAR))


def test_kl_is_the_integral_of_the_log_ratio():
  def integrated(mean, scale):
    q = scipy.stats.norm(mean, scale)
    ratio = lambda z: q.pdf(z) * (q.logpdf(z) - scipy.stats.norm.logpdf(z))
    return scipy.integrate.quad(ratio, mean - 12 * scale, mean + 12 * scale)[0]

  scale = np.exp(LOG_VAR / 2)
  expected = np.vectorize(integrated)(MEAN, scale).sum((1, 2))
  np.testing.assert_allclose(divergences.kl(POSTERIOR), expected, rtol=1e-5)


def test_kl_is_the_mean_log_ratio_of_samples():
  q = scipy.stats.multivariate_normal(
    MEAN[0].ravel(), np.diag(np.exp(LOG_VAR[0]).ravel())
  )
  z = q.rvs(400_000, random_state=1)
  p = scipy.stats.multivariate_normal(np.zeros(6))
  ratios = q.logpdf(z) - p.logpdf(z)
  error = 5 * ratios.std() / np.sqrt(len(z))
  assert abs(float(divergences.kl(POSTERIOR)[0]) - ratios.mean()) < error


def test_kl_of_the_prior_is_0_and_of_anything_else_is_not():
  zero = jnp.zeros((1, 1, 1))
  np.testing.assert_allclose(divergences.kl(Posterior(zero, zero)), 0)
  for mean, log_var in [(0.1, 0.0), (0.0, 0.1), (0.0, -0.1)]:
    assert divergences.kl(Posterior(zero + mean, zero + log_var)) > 0


def test_the_released_kl_asks_half_the_price_of_a_narrow_posterior():
  """-log s against -log s / 2, and nothing at scale 1."""
  zero = jnp.zeros((1, 1, 1))
  narrow = Posterior(zero, zero - 40)  # s = exp(-20)
  np.testing.assert_allclose(divergences.kl(narrow), 20 - 0.5, rtol=1e-6)
  np.testing.assert_allclose(
    divergences.released_kl(narrow), 10 - 0.5, rtol=1e-6
  )
  np.testing.assert_allclose(divergences.released_kl(Posterior(zero, zero)), 0)


def test_a_point_has_no_kl():
  with pytest.raises(ValueError, match='Gaussian posterior'):
    divergences.kl(Posterior(jnp.zeros((1, 1, 1))))


def kernel(x, y):
  """Tolstikhin et al., section 4: C / (C + |x - y|^2), C = 2 d c."""
  d = len(x)
  distance = sum((a - b) ** 2 for a, b in zip(x, y))
  return sum(
    2 * d * c / (2 * d * c + distance) for c in (0.1, 0.2, 0.5, 1, 2, 5, 10)
  )


def double_loop(x, y):
  n, m = len(x), len(y)
  own = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j)
  prior = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j)
  cross = sum(kernel(a, b) for a in x for b in y)
  return own / (n * (n - 1)) + prior / (m * (m - 1)) - 2 * cross / (n * m)


def test_mmd_is_a_double_loop():
  with jax.enable_x64(True):
    codes = RNG.normal(0.4, 0.7, (7, 2, 2))
    prior = RNG.normal(0, 1, (5, 2, 2))
    actual = divergences.mmd(jnp.asarray(codes), jnp.asarray(prior))
    expected = double_loop(codes.reshape(7, 4), prior.reshape(5, 4))
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_mmd_is_0_on_average_for_codes_from_the_prior_alone():
  estimate = jax.jit(
    jax.vmap(
      lambda key, scale: divergences.mmd(
        scale * jax.random.normal(key, (32, 3, 1)),
        jax.random.normal(jax.random.fold_in(key, 1), (32, 3, 1)),
      ),
      (0, None),
    )
  )
  keys = jax.random.split(jax.random.key(0), 2000)
  same, wide = (np.asarray(estimate(keys, s)) for s in (1.0, 1.3))
  error = same.std() / np.sqrt(len(keys))
  assert abs(same.mean()) < 4 * error
  assert (same < 0).any()  # which a biased estimate never is
  assert wide.mean() > 20 * error


def test_the_released_mmd_counts_the_diagonal_and_divides_by_the_batch():
  codes, prior = RNG.normal(0, 1, (2, 6, 3, 1))
  single = lambda x, y: 3 / (3 + ((x - y) ** 2).sum())
  mean = lambda a, b: np.mean([[single(x, y) for y in b] for x in a])
  biased = mean(codes, codes) + mean(prior, prior) - 2 * mean(codes, prior)
  actual = divergences.released_mmd(jnp.asarray(codes), jnp.asarray(prior))
  np.testing.assert_allclose(actual, biased / 6, rtol=1e-4)
