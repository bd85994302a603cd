"""The parts of the KL divergence on data that can be enumerated."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats

from structae.nn.posterior import Posterior
from structae.objectives import autoencoding, dependence

N, L = 5, 3
RNG = np.random.RandomState(0)
MEAN = RNG.normal(0, 1, (N, L))
SCALE = np.exp(RNG.normal(-0.5, 0.4, (N, L)))
Z = MEAN + SCALE * RNG.normal(0, 1, (N, L))


def densities(z):
  """q(z_d | x_n) of one code `[L]`, `[N, L]`."""
  return scipy.stats.norm.pdf(z[None], MEAN, SCALE)


def exact():
  """The parts with q(z) the mean over all examples, by plain loops."""
  mi, tc, kl = [], [], []
  for i in range(N):
    q = densities(Z[i])
    of_all = np.log(np.mean([np.prod(q[n]) for n in range(N)]))
    of_each = sum(np.log(np.mean(q[:, d])) for d in range(L))
    mi.append(np.log(np.prod(q[i])) - of_all)
    tc.append(of_all - of_each)
    kl.append(of_each - scipy.stats.norm.logpdf(Z[i]).sum())
  return np.mean(mi), np.mean(tc), np.mean(kl)


def parts(rows, weights):
  rows = list(rows)
  shape = lambda x: jnp.asarray(x[rows])[:, :, None]
  posterior = Posterior(shape(MEAN), shape(2 * np.log(SCALE)))
  return dependence.decompose(posterior, shape(Z), weights)


def test_a_batch_of_the_whole_set_is_brute_force():
  even = np.full((N, N), -np.log(N), np.float32)
  np.testing.assert_allclose(parts(range(N), even), exact(), rtol=1e-4)


@pytest.mark.parametrize('batch_size', [2, 3, 4, 5])
def test_stratified_densities_are_right_on_average_over_all_batches(batch_size):
  """For the joint and for every marginal, by enumeration."""
  weights = np.exp(dependence.stratified(batch_size, N).astype(np.float64))
  for i in range(N):
    joint, each = [], []
    for batch in itertools.permutations(range(N), batch_size):
      if i not in batch:
        continue
      row, q = batch.index(i), densities(Z[i])[list(batch)]
      joint.append(weights[row] @ np.prod(q, 1))
      each.append(weights[row] @ q)
    q = densities(Z[i])
    np.testing.assert_allclose(np.mean(joint), np.prod(q, 1).mean(), rtol=1e-6)
    np.testing.assert_allclose(np.mean(each, 0), q.mean(0), rtol=1e-6)


def test_stratified_weights_are_those_of_the_paper():
  """Chen et al., appendix C.2, with M' = 3 others of N = 10."""
  weights = np.exp(dependence.stratified(4, 10).astype(np.float64))
  np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-6)
  np.testing.assert_allclose(np.diag(weights), 1 / 10, rtol=1e-6)
  off = np.sort(weights[~np.eye(4, dtype=bool)].reshape(4, 3), 1)
  expected = np.tile([(10 - 3) / (10 * 3), 1 / 3, 1 / 3], (4, 1))
  np.testing.assert_allclose(off, expected, rtol=1e-6)


@pytest.mark.parametrize('estimator', ['weighted', 'stratified'])
def test_estimates_are_double_loops(estimator):
  rows, num_examples = [3, 0, 4], 100
  weights = getattr(dependence, estimator)(3, num_examples)
  mi, tc, kl = [], [], []
  for i, row in enumerate(rows):
    of_all, of_each = [], np.zeros((3, L))
    for j, other in enumerate(rows):
      log_q = scipy.stats.norm.logpdf(Z[row], MEAN[other], SCALE[other])
      of_all.append(weights[i, j] + log_q.sum())
      of_each[j] = weights[i, j] + log_q
    of_all = scipy.special.logsumexp(of_all)
    of_each = scipy.special.logsumexp(of_each, 0).sum()
    of_own = scipy.stats.norm.logpdf(Z[row], MEAN[row], SCALE[row]).sum()
    mi.append(of_own - of_all)
    tc.append(of_all - of_each)
    kl.append(of_each - scipy.stats.norm.logpdf(Z[row]).sum())
  expected = np.mean([mi, tc, kl], 1)
  np.testing.assert_allclose(parts(rows, weights), expected, rtol=1e-4)


def test_weighted_parts_are_off_by_constants_of_the_true_n():
  """log N for the joint, and L times that for the marginals."""
  expected = np.array(exact()) + np.log(N) * np.array([1, L - 1, -L])
  actual = parts(range(N), dependence.weighted(N, N))
  np.testing.assert_allclose(actual, expected, rtol=1e-4)


def test_parts_sum_to_the_log_ratio_of_posterior_and_prior():
  """Whose mean over codes is the KL divergence, whatever the weights."""
  for weights in (dependence.weighted(N, 70), dependence.stratified(N, 70)):
    ratios = scipy.stats.norm.logpdf(Z, MEAN, SCALE) - scipy.stats.norm.logpdf(
      Z
    )
    total = sum(parts(range(N), weights))
    np.testing.assert_allclose(total, ratios.sum(1).mean(), rtol=1e-5)


def test_total_correlation_of_a_correlated_gaussian():
  """Codes of N examples whose means are correlated, and little noise: q(z) is
  nearly a Gaussian, whose TC is -log(1 - rho^2) / 2."""
  rho, noise, num = 0.8, 0.3, 2000
  # With the noise the codes have variance 1 and correlation rho.
  rng = np.random.RandomState(2)
  common, first, second = rng.normal(0, 1, (3, num, 1))
  own = np.sqrt(1 - rho - noise**2)
  mean = np.sqrt(rho) * common + own * np.concatenate([first, second], 1)
  z = mean + noise * rng.normal(0, 1, mean.shape)
  posterior = Posterior(
    jnp.asarray(mean)[:, :, None], jnp.full((num, 2, 1), 2 * np.log(noise))
  )
  parts = dependence.decompose(
    posterior, jnp.asarray(z)[:, :, None], dependence.stratified(num, num)
  )
  seen = np.corrcoef(z.T)[0, 1]  # of these draws, not of all there could be
  expected = -np.log(1 - seen**2) / 2
  np.testing.assert_allclose(parts.total_correlation, expected, rtol=0.05)


def test_beta_tcvae_weighs_the_total_correlation_alone():
  posterior = Posterior(
    jnp.asarray(MEAN)[:, :, None], jnp.asarray(2 * np.log(SCALE))[:, :, None]
  )
  codes = jnp.asarray(Z)[:, :, None]
  penalty = autoencoding.dependence_penalty(4.0, 50)
  added, terms = penalty(posterior, codes, jax.random.key(0))
  parts = dependence.decompose(posterior, codes, dependence.stratified(N, 50))
  expected = parts[0] + 4 * parts[1] + parts[2]
  np.testing.assert_allclose(added, expected, rtol=1e-6)
  assert list(terms) == [
    'mutual_information', 'total_correlation', 'dimension_kl'
  ]  # fmt: skip


def test_a_batch_larger_than_the_data_is_refused():
  for batch_size in (1, 11):
    with pytest.raises(ValueError, match='between 2 and the 10'):
      dependence.stratified(batch_size, 10)
