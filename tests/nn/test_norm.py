"""Group norm and activation in one equal Flax's and jax's, one by one."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.nn import norm
from tests.nn import formulations

STOCK = {'mish': jax.nn.mish, 'elu': jax.nn.elu}


def plain(activation):
  def run(x, before, gain, bias):
    params = {'scale': gain, 'bias': bias}
    stock = nn.GroupNorm(4, epsilon=1e-5, param_dtype=gain.dtype)
    return STOCK[activation](stock.apply({'params': params}, x + before))

  return run


@formulations.in_every_type
@pytest.mark.parametrize('activation', STOCK)
def test_it_is_flax_s_norm_and_jax_s_activation(activation, dtype):
  with formulations.exact():
    x = 3 * jax.random.normal(jax.random.key(0), (3, 4, 6, 16)) + 1
    before = jax.random.normal(jax.random.key(1), (16,))
    gain, bias = jnp.linspace(0.5, 2, 16), jnp.linspace(-1, 1, 16)
    ours = lambda *arrays: norm.group_norm(*arrays, 4, activation)
    arrays = x, before, gain, bias
    formulations.compare(ours, plain(activation), dtype, *arrays)


def test_a_constant_map_has_finite_gradients():
  x = jnp.full((2, 4, 4, 8), 0.1)
  ours = lambda x: norm.group_norm(
    x, jnp.zeros(8), jnp.ones(8), jnp.zeros(8), 2, 'mish'
  )
  y, back = jax.vjp(ours, x)
  np.testing.assert_allclose(y, 0, atol=1e-4)
  assert np.isfinite(back(jnp.ones_like(x))[0]).all()


def test_the_way_back_keeps_one_map():
  x = jax.ShapeDtypeStruct((2, 8, 8, 16), jnp.float32)
  c = jax.ShapeDtypeStruct((16,), jnp.float32)
  _, residuals = jax.eval_shape(
    lambda *arrays: norm.group_norm.fwd(*arrays, 4, 'mish', 1e-5), x, c, c, c
  )
  sizes = [a.size for a in jax.tree.leaves(residuals)]
  assert sorted(sizes) == [16] * 3 + [2 * 16] * 3 + [2 * 8 * 8 * 16]


def test_moments_are_summed_in_float32_whatever_the_computation():
  x = 200 + jax.random.normal(jax.random.key(0), (1, 8, 8, 8))
  coarse = x.astype(jnp.bfloat16)
  layer = norm.GroupNorm(2, 'mish')
  params = layer.init(jax.random.key(1), x, zeros := jnp.zeros(8))
  y = layer.apply(params, coarse, zeros)
  assert y.dtype == jnp.bfloat16
  expected = layer.apply(params, coarse.astype(jnp.float32), zeros)
  np.testing.assert_allclose(y.astype(jnp.float32), expected, atol=0.02)


@pytest.mark.parametrize('dtype', [jnp.bfloat16, jnp.float32])
def test_the_way_back_rounds_its_map_for_good(dtype):
  """Where maps have 16 bits, XLA would store the gradient in 32."""
  x, g = [jnp.ones((2, 4, 4, 8), dtype)] * 2
  ours = lambda x: norm.group_norm(
    x, jnp.zeros(8), jnp.ones(8), jnp.zeros(8), 2, 'mish'
  )
  program = jax.jit(lambda x, g: jax.vjp(ours, x)[1](g)).lower(x, g).as_text()
  kept = [x for x in program.splitlines() if 'optimization_barrier' in x]
  assert ['tensor<2x4x4x8xbf16>' in x for x in kept] == [True] * (
    dtype == jnp.bfloat16
  )
