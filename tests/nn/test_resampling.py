"""Maps change their size as the stock functions do it."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.nn import resampling


@pytest.fixture(scope='module')
def x():
  return jax.random.normal(jax.random.key(0), (2, 8, 8, 16)) * 3


def compare(ours, stock, x, atol=2e-5):
  """Asserts equal values and equal vector-Jacobian products."""
  weights = jax.random.normal(jax.random.key(9), jax.eval_shape(ours, x).shape)
  total = lambda f: jax.jit(
    jax.value_and_grad(lambda x: ((y := f(x)) * weights).sum() + 0 * y.sum())
  )
  np.testing.assert_allclose(ours(x), stock(x), atol=atol)
  np.testing.assert_allclose(total(ours)(x)[1], total(stock)(x)[1], atol=atol)


def test_upsampling_is_bilinear(x):
  for size in (1, 2, 8):
    part = x[:, :size, :size]
    shape = (2, 2 * size, 2 * size, 16)
    stock = lambda x, shape=shape: jax.image.resize(x, shape, 'bilinear')
    compare(resampling.upsample, stock, part)


def test_pooling_takes_the_first_maximum(x):
  stock = lambda x: nn.max_pool(x, (2, 2), (2, 2))
  for values in (x, jnp.round(x)):  # rounded, so that many are equal
    np.testing.assert_array_equal(resampling.max_pool(values), stock(values))
    grad = lambda f, v=values: jax.grad(lambda x: (f(x) ** 2).sum())(v)
    np.testing.assert_array_equal(grad(resampling.max_pool), grad(stock))
