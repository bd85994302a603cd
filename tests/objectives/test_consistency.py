"""Hybrid consistency of linear models, whose codes are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae import sampling
from structae.nn.posterior import Posterior
from structae.objectives import autoencoding, reconstruction
from structae.objectives.consistency import code_distance, hybrid_consistency

RNG = np.random.default_rng(0)
X = jnp.asarray(RNG.normal(size=(30, 4)), jnp.float32)
MIX = jnp.asarray(RNG.normal(size=(4, 4)), jnp.float32)
LIKELIHOOD = reconstruction.gaussian(1.0)
KEY = jax.random.key(3)


def encode(params, x):
  return Posterior((x @ params['read'] + params['bias']).reshape(-1, 2, 2))


def decode(params, codes):
  return codes.reshape(-1, 4) @ params['show']


def exact(bias=0.0):
  """A decoder that is the encoder's inverse but for a bias."""
  return {
    'read': MIX,
    'show': jnp.linalg.inv(MIX),
    'bias': jnp.full(4, bias),
  }


def loss_of(weight):
  plain = autoencoding.autoencoding(encode, decode, None, LIKELIHOOD)
  return plain, hybrid_consistency(plain, encode, decode, weight, LIKELIHOOD)


@pytest.mark.parametrize('bias', [0.0, 0.3])
def test_the_term_is_what_an_inverse_lacks(bias):
  plain, consistent = loss_of(2.0)
  params = exact(bias)
  value, terms = consistent(params, X, KEY)
  variance = np.var(np.asarray(encode(params, X).mean), axis=0)
  expected = (bias**2 / (variance + 1e-4)).sum() / 2
  np.testing.assert_allclose(terms['consistency'], expected, atol=1e-5)
  rest = plain(params, X, KEY)[0]
  np.testing.assert_allclose(value - rest, 2 * expected, atol=1e-4)


def test_smaller_codes_are_not_nearer():
  found, wanted = RNG.normal(size=(2, 10, 2, 2))
  codes = RNG.normal(size=(30, 2, 2))
  whole = code_distance(found, wanted, codes)
  small = code_distance(found / 10, wanted / 10, codes / 10)
  np.testing.assert_allclose(small, whole, rtol=0.03)
  squares = (found - wanted) ** 2 / (codes.var(0) + 1e-4)
  by_hand = squares.sum((1, 2)).mean()
  np.testing.assert_allclose(whole, by_hand / 2, rtol=1e-5)


def test_hybrids_are_of_the_batch_and_held_fixed():
  """The gradient is that of the map there and back, hybrids given."""
  _, consistent = loss_of(1.0)
  params = exact(0.3)
  codes = encode(params, X).mean
  hybrids = sampling.hybrid(jax.random.fold_in(KEY, 2), codes, len(codes))

  def by_hand(params):
    found = encode(params, decode(params, hybrids)).mean
    return code_distance(found, hybrids, codes)

  found = jax.grad(lambda p: consistent(p, X, KEY)[1]['consistency'])(params)
  for name, expected in jax.grad(by_hand)(params).items():
    np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-4)


def test_without_a_weight_it_is_the_loss_itself():
  plain, consistent = loss_of(0.0)
  assert consistent is plain
