"""Averages of pairs, by hand and by a distribution library."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.nn.posterior import Posterior
from structae.objectives import pairs

RNG = np.random.default_rng(0)
MEAN = RNG.normal(size=(6, 4, 2)).astype(np.float32)
LOG_VAR = RNG.normal(-1, 0.5, MEAN.shape).astype(np.float32)
GAUSSIAN = Posterior(jnp.asarray(MEAN), jnp.asarray(LOG_VAR))


def test_the_distance_is_the_divergence_of_two_gaussians():
  """By integration on a grid, number by number."""
  z = np.linspace(-12, 12, 200_001)
  density = lambda m, v: (
    np.exp(-((z - m) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v)
  )
  expected = np.zeros((3, 4))
  for p in range(3):
    for k in range(4):
      for d in range(2):
        a, b = (
          density(MEAN[row, k, d], np.exp(LOG_VAR[row, k, d]))
          for row in (2 * p, 2 * p + 1)
        )
        ratio = np.log(np.maximum(a, 1e-300) / np.maximum(b, 1e-300))
        expected[p, k] += (a * ratio).sum() * (z[1] - z[0])
  np.testing.assert_allclose(pairs.distances(GAUSSIAN), expected, rtol=1e-3)


@pytest.mark.parametrize('log_var', [None, LOG_VAR])
def test_near_variables_are_averaged_and_far_ones_kept(log_var):
  mean = MEAN.copy()
  mean[1, 0] = mean[0, 0] + 10  # one pair differs in its first variable
  mean[1, 1:] = mean[0, 1:] + 0.01
  if log_var is not None:
    log_var = log_var.copy()
    log_var[1] = log_var[0] + 0.1
  found = pairs.average(
    Posterior(
      jnp.asarray(mean), None if log_var is None else jnp.asarray(log_var)
    )
  )
  np.testing.assert_array_equal(found.mean[:2, 0], mean[:2, 0])
  for row in (0, 1):
    np.testing.assert_allclose(
      found.mean[row, 1:], mean[:2, 1:].mean(0), rtol=1e-6
    )
  if log_var is not None:
    expected = np.log(np.exp(log_var[:2, 1:]).mean(0))
    np.testing.assert_allclose(found.log_var[0, 1:], expected, rtol=1e-5)
    np.testing.assert_array_equal(found.log_var[:2, 0], log_var[:2, 0])


def test_the_unit_of_deterministic_codes_does_not_matter():
  units = np.array([1, 1000, 0.001, 1], np.float32)[:, None]
  plain = pairs.distances(Posterior(jnp.asarray(MEAN)))
  scaled = pairs.distances(Posterior(jnp.asarray(MEAN * units)))
  np.testing.assert_allclose(plain, scaled, rtol=1e-3)


def test_a_wrapped_encoder_keeps_every_second_partner():
  encode = lambda params, x: Posterior(x * params)
  found = pairs.averaging(encode)(2.0, jnp.asarray(MEAN)).mean
  expected = pairs.average(Posterior(2 * jnp.asarray(MEAN))).mean
  np.testing.assert_array_equal(found, expected)
  assert jax.grad(lambda p: pairs.averaging(encode)(p, MEAN).mean.sum())(1.0)
