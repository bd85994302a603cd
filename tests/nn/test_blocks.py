"""Every fast formulation equals the stock one, value and gradient."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.nn import blocks, resampling


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


def test_mish_is_x_tanh_softplus(x):
  compare(blocks.mish, jax.nn.mish, x)


def test_mish_far_out_is_the_identity_or_zero():
  far = jnp.array([-200.0, -50.0, 0.0, 50.0, 1e4])
  np.testing.assert_allclose(blocks.mish(far), [0, 0, 0, 50, 1e4], atol=1e-6)
  slopes = jax.vmap(jax.grad(blocks.mish))(far)
  np.testing.assert_allclose(slopes, [0, 0, 0.6, 1, 1], atol=1e-6)


def test_the_slope_of_mish_is_its_derivative():
  with jax.enable_x64(True):
    at = jnp.linspace(-6, 6, 25)
    numeric = (blocks.mish(at + 1e-5) - blocks.mish(at - 1e-5)) / 2e-5
    exact = jax.vmap(jax.grad(blocks.mish))(at)
    np.testing.assert_allclose(exact, numeric, atol=1e-9)


def test_group_norm_is_flax_s(x):
  ours = blocks.GroupNorm(4)
  stock = nn.GroupNorm(4, epsilon=1e-5)
  params = {
    'scale': jnp.linspace(0.5, 2, 16),
    'bias': jnp.linspace(-1, 1, 16),
  }
  apply = lambda module: lambda x: module.apply({'params': params}, x)
  compare(apply(ours), apply(stock), x + 5)


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


def test_layers_start_uniform_within_the_inverse_root_of_fan_in(x):
  layer = blocks.conv(32, 3, **blocks.initializers('uniform', 9 * 16))
  params = layer.init(jax.random.key(0), x)['params']
  bound = 1 / np.sqrt(9 * 16)
  for values in params.values():
    assert np.abs(values).max() <= bound
  kernel = np.asarray(params['kernel'])
  np.testing.assert_allclose(kernel.std(), bound / np.sqrt(3), rtol=0.05)
  assert np.abs(params['bias']).max() > 0.5 * bound


def test_norms_sum_in_float32_whatever_the_computation():
  x = 200 + jax.random.normal(jax.random.key(0), (1, 8, 8, 8))
  params = {'scale': jnp.ones(8), 'bias': jnp.zeros(8)}
  coarse = x.astype(jnp.bfloat16)
  y = blocks.GroupNorm(2).apply({'params': params}, coarse)
  assert y.dtype == jnp.bfloat16
  expected = blocks.GroupNorm(2).apply(
    {'params': params}, coarse.astype(jnp.float32)
  )
  np.testing.assert_allclose(y.astype(jnp.float32), expected, atol=0.02)
