"""Labels in the loss, beside scipy's formulas."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from structae.data.labels import Labelled
from structae.nn.posterior import Posterior
from structae.objectives import autoencoding, reconstruction
from structae.objectives.consistency import hybrid_consistency
from structae.objectives.supervision import Pairing, cross_entropy, supervised

RNG = np.random.default_rng(0)
SIZES = (4, 2, 6)
FACTORS = np.stack([RNG.integers(0, n, 12) for n in SIZES], 1)
PAIRINGS = [Pairing(2, 0, 4), Pairing(0, 2, 6)]


def by_hand(codes):
  total = np.zeros(len(codes))
  for variable, factor, size in PAIRINGS:
    p = special.expit(codes[:, variable, 0].astype(float))
    t = FACTORS[:, factor] / (size - 1)
    total -= special.xlogy(t, p) + special.xlogy(1 - t, 1 - p)
  return total


def test_the_term_is_the_cross_entropy_of_the_scaled_factors():
  codes = RNG.normal(size=(12, 3, 2)).astype(np.float32)
  found = cross_entropy(jnp.asarray(codes), jnp.asarray(FACTORS), PAIRINGS)
  np.testing.assert_allclose(found, by_hand(codes), rtol=1e-5)
  # Numbers that no factor was given do not matter.
  other = codes.copy()
  other[:, 1] += 5
  other[:, :, 1] -= 7
  np.testing.assert_array_equal(
    found, cross_entropy(jnp.asarray(other), jnp.asarray(FACTORS), PAIRINGS)
  )


def test_the_loss_is_that_of_the_batch_and_of_the_labelled_examples():
  encode = lambda params, x: Posterior(params * x.reshape(-1, 3, 2))
  decode = lambda params, codes: codes.reshape(-1, 6)
  likelihood = reconstruction.gaussian(1.0)
  plain = autoencoding.autoencoding(encode, decode, None, likelihood)
  # Under another term, of which the batch of labels is none of the business.
  inner = hybrid_consistency(plain, encode, decode, 0.5, likelihood)
  loss = supervised(inner, encode, PAIRINGS, 3.0)
  images, labelled = RNG.normal(size=(2, 12, 6)).astype(np.float32)
  batch = Labelled(
    jnp.asarray(images), jnp.asarray(labelled), jnp.asarray(FACTORS)
  )
  key = jax.random.key(0)
  value, terms = loss(jnp.float32(2.0), batch, key)
  expected = by_hand(2 * labelled.reshape(12, 3, 2)).mean()
  np.testing.assert_allclose(terms['labels'], expected, rtol=1e-5)
  rest = inner(jnp.float32(2.0), batch.images, key)[0]
  np.testing.assert_allclose(value, rest + 3 * expected, rtol=1e-5)
