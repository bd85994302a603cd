import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats

from structae.nn.posterior import Posterior
from structae.objectives import autoencoding, reconstruction

IMAGES = np.random.RandomState(0).randint(0, 256, (4, 8, 8, 3)).astype(np.uint8)
LOGITS = np.random.RandomState(1).normal(0, 4, IMAGES.shape).astype(np.float32)


def test_cross_entropy_is_that_of_probabilities_in_double_precision():
  p = np.clip(IMAGES / 255.0, 1e-7, 1 - 1e-7)
  q = scipy.special.expit(LOGITS.astype(np.float64))
  expected = -(p * np.log(q) + (1 - p) * np.log1p(-q)).sum((1, 2, 3))
  actual = reconstruction.bernoulli_cross_entropy(
    jnp.asarray(LOGITS), reconstruction.targets(jnp.asarray(IMAGES))
  )
  np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_cross_entropy_of_extreme_logits_is_finite():
  logits = jnp.array([[1e4, -1e4]])
  nats = reconstruction.bernoulli_cross_entropy(logits, jnp.array([[0.0, 1.0]]))
  np.testing.assert_allclose(nats, [2e4])


def test_entropy_is_the_least_cross_entropy():
  targets = reconstruction.targets(jnp.asarray(IMAGES))
  floor = reconstruction.bernoulli_entropy(targets)
  expected = scipy.stats.bernoulli(
    np.clip(IMAGES / 255.0, 1e-7, 1 - 1e-7)
  ).entropy().sum((1, 2, 3))  # fmt: skip
  np.testing.assert_allclose(floor, expected, rtol=1e-5)
  best = jnp.log(targets) - jnp.log1p(-targets)
  at_best = reconstruction.bernoulli_cross_entropy(best, targets)
  np.testing.assert_allclose(at_best, floor, rtol=1e-5)
  worse = reconstruction.bernoulli_cross_entropy(best + 0.1, targets)
  assert (worse > floor).all()


def test_black_and_white_have_an_entropy():
  ends = reconstruction.targets(jnp.array([[[[0, 255]]]], jnp.uint8))
  assert 0 < float(reconstruction.bernoulli_entropy(ends)[0]) < 1e-4


def test_squared_error_is_a_mean_over_pixels():
  targets = reconstruction.targets(jnp.asarray(IMAGES))
  q = scipy.special.expit(LOGITS.astype(np.float64))
  expected = ((q - np.asarray(targets, np.float64)) ** 2).mean((1, 2, 3))
  actual = reconstruction.BERNOULLI.squared_error(jnp.asarray(LOGITS), targets)
  np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_outputs_of_another_shape_are_refused():
  for likelihood in (reconstruction.BERNOULLI, reconstruction.gaussian(0.1)):
    with pytest.raises(ValueError, match=r'gives \(4, 3\) for data \(4, 1, 1'):
      likelihood.nats(jnp.zeros((4, 3)), jnp.zeros((4, 1, 1, 3)))


def test_bytes_and_floats_are_each_others_inverse():
  every = jnp.arange(256, dtype=jnp.uint8).reshape(1, 16, 16, 1)
  floats = reconstruction.as_floats(every)
  np.testing.assert_array_equal(reconstruction.as_bytes(floats), every)
  beyond = reconstruction.as_bytes(jnp.array([[[[-0.2, 1.3]]]]))
  np.testing.assert_array_equal(beyond, [[[[0, 255]]]])
  vectors = jnp.array([[-1.5, 3.0]])
  assert reconstruction.as_bytes(vectors) is vectors


def test_the_objective_is_the_mean_of_the_reconstruction():
  loss = autoencoding.autoencoding(
    lambda params, images: Posterior(params * jnp.ones((len(images), 1, 1))),
    lambda params, codes: codes[..., None] * jnp.ones((1, 8, 8, 3)),
  )
  value, terms = loss(jnp.float32(0.3), jnp.asarray(IMAGES), None)
  expected = reconstruction.bernoulli_cross_entropy(
    jnp.full(IMAGES.shape, 0.3), reconstruction.targets(jnp.asarray(IMAGES))
  ).mean()
  np.testing.assert_allclose(value, expected, rtol=1e-6)
  assert list(terms) == ['reconstruction']
