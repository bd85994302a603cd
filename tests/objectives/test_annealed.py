"""AnnealedVAE: its capacity grows with the updates, through any wrapper."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from structae import devices
from structae.nn.posterior import Posterior
from structae.objectives import autoencoding, reconstruction
from structae.objectives.consistency import hybrid_consistency
from structae.training import step as updates

X = jnp.ones((3, 2))
PARAMS = {'mean': jnp.array(2.0)}
NATS = 2 * 2.0**2 / 2  # of two numbers of unit variance


def encode(params, x):
  mean = params['mean'] * jnp.ones((len(x), 2, 1))
  return Posterior(mean, jnp.zeros_like(mean))


def decode(params, codes):
  return codes[:, :, 0]


LOSS = autoencoding.annealed(
  encode, decode, 10.0, 6.0, 100, likelihood=reconstruction.gaussian(1.0)
)


@pytest.mark.parametrize('step, limit', [(0, 0), (50, 3), (100, 6), (500, 6)])
def test_the_capacity_grows_to_its_end(step, limit):
  value, terms = LOSS(PARAMS, X, jax.random.key(0), step=step)
  np.testing.assert_allclose(terms['capacity'], limit, rtol=1e-6)
  np.testing.assert_allclose(terms['kl'], NATS, rtol=1e-6)
  added = 10 * abs(NATS - limit)
  np.testing.assert_allclose(value - terms['reconstruction'], added, rtol=1e-5)


def test_updates_tell_a_loss_their_number():
  whole = hybrid_consistency(
    LOSS, encode, decode, 1.0, reconstruction.gaussian(1.0)
  )
  for loss in (LOSS, whole):
    images = jax.ShapeDtypeStruct(X.shape, X.dtype)
    optimizer = optax.sgd(0.0)
    state = updates.init_state(
      PARAMS, optimizer, loss, images, devices.data_mesh()
    )
    for _ in range(3):
      state = updates.update(loss, optimizer, state, X, jax.random.key(0))
    # 0, 1 and 2 hundredths of 6.
    np.testing.assert_allclose(state.totals['capacity'], 0.18, rtol=1e-5)


def test_other_losses_are_left_alone():
  plain = autoencoding.autoencoding(encode, decode)
  assert autoencoding.at(plain, 3) is plain
