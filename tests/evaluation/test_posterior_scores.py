"""Scores of Gaussian posteriors, beside integrals and known posteriors."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from structae.codec import Codec
from structae.evaluation import model_scores, posterior_scores
from structae.evaluation import score as runner
from structae.evaluation.codes import Codes
from structae.evaluation.inputs import Inputs
from structae.nn.posterior import Posterior
from structae.objectives import reconstruction

RNG = np.random.default_rng(0)


def made_up():
  """One number that is used, one of a tiny mean, one that has collapsed."""
  codes = RNG.normal(size=(4000, 3, 1)).astype(np.float32) * [[1], [0.05], [0]]
  log_var = np.log(np.array([[0.1], [1.0], [1.0]])) + 0 * codes
  none = np.zeros((4000, 0), np.int32)
  return Codes(codes, log_var, none, (), (), np.arange(4000), {})


@pytest.mark.parametrize('mean, deviation', [(0.0, 1.0), (1.5, 0.2), (-2, 3.0)])
def test_the_divergence_is_the_integral(mean, deviation):
  q, p = stats.norm(mean, deviation), stats.norm()
  expected, _ = integrate.quad(
    lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -30, 30, limit=200
  )
  found = posterior_scores.divergence(
    np.array(mean), np.array(2 * np.log(deviation))
  )
  assert found == pytest.approx(expected, abs=1e-6)


def test_collapsed_numbers_cost_nothing_and_are_not_active():
  test = made_up()
  found = runner.score(['posterior'], Inputs(test, test))['scores']
  kl = [found[f'kl_U_{k}']['value'] for k in (1, 2, 3)]
  # E[m^2 + s^2 - 1 - log s^2] / 2 with E m^2 = 1, .0025, 0.
  expected = [(1 + 0.1 - 1 - np.log(0.1)) / 2, 0.00125, 0]
  np.testing.assert_allclose(kl, expected, atol=0.03)
  assert kl[2] == 0 and found['kl_total']['value'] == pytest.approx(sum(kl))
  assert found['active_units']['value'] == 1
  low, high = found['kl_total']['interval']
  assert low < sum(kl) < high


def test_the_bound_is_what_is_left_of_the_likelihood():
  test = made_up()
  loss = RNG.uniform(5, 9, 4000)
  inputs = Inputs(
    test, test, reconstruct_sampled=lambda rows: {'loss': loss[rows]}
  )
  found = runner.score(['elbo', 'posterior'], inputs)['scores']
  expected = -loss.mean() - found['kl_total']['value']
  assert found['elbo']['value'] == pytest.approx(expected)
  point = test._replace(log_var=None)
  inputs = dataclasses.replace(inputs, train=point, test=point)
  found = runner.score(['elbo', 'posterior'], inputs)['scores']
  assert 'Gaussian' in found['elbo']['missing']
  assert found['kl_U_1']['value'] is None


def test_sampled_reconstructions_add_the_variance_of_the_posterior():
  """Of an identity: |x - z|^2 is on average that of the mean, and s^2."""
  scale, noise = 0.3, 0.5

  def encode(params, x):
    mean = x[:, :, None]
    return Posterior(mean, jnp.full_like(mean, 2 * np.log(scale)))

  codec = Codec(
    encode, lambda params, z: z[:, :, 0], {},
    reconstruction.gaussian(noise), batch_size=1024,
  )  # fmt: skip
  x = RNG.normal(size=(4000, 2)).astype(np.float32)
  means, sampled = codec.errors(x), codec.errors(x, jax.random.key(0))
  added = sampled['loss'].mean() - means['loss'].mean()
  expected = 2 * scale**2 / (2 * noise**2)
  assert added == pytest.approx(expected, rel=0.05)
  again = codec.errors(x, jax.random.key(0))
  np.testing.assert_array_equal(sampled['loss'], again['loss'])
  assert len(np.unique(sampled['mse'])) == 4000  # no noise comes twice


def test_diversity_is_the_share_of_the_entropy_of_scenes():
  everything = RNG.integers(0, 480_000, 20_000)
  assert model_scores.diversity(everything) > 0.999
  assert model_scores.diversity(np.full(50, 1234)) == 0
  # The last factor alone varies: one of six, as much as it can.
  assert model_scores.diversity(np.arange(15)) == pytest.approx(1 / 6)
