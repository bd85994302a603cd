"""A convolution on blocks of pixels, pooled, is the plain one, pooled."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.nn import pooled
from tests.nn import formulations


def plain(x, kernel):
  middle = kernel.shape[0] // 2
  y = jax.lax.conv_general_dilated(
    x, kernel, (1, 1), [(middle, middle)] * 2,
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
  )  # fmt: skip
  return nn.max_pool(y, (2, 2), (2, 2))


@formulations.in_every_type
@pytest.mark.parametrize('side', [1, 3, 5, 7])
def test_blocks_and_pixels_give_the_same(side, dtype):
  with formulations.exact():
    keys = jax.random.split(jax.random.key(0))
    # Small whole numbers: exact in every type, and many maxima are equal.
    x = jnp.round(2 * jax.random.normal(keys[0], (2, 8, 6, 3)))
    kernel = jnp.round(jax.random.normal(keys[1], (side, side, 3, 4)))
    formulations.compare(pooled.convolve, plain, dtype, x, kernel)


def test_the_gradient_goes_to_the_first_maximum():
  x = jnp.array([[1.0, 3, 2, 3], [5, 5, 5, 5]])[..., None]
  y, back = jax.vjp(pooled.largest, x)
  np.testing.assert_array_equal(y[:, 0], [3, 5])
  (g,) = back(jnp.array([[7.0], [9.0]]))
  np.testing.assert_array_equal(g[..., 0], [[0, 7, 0, 0], [9, 0, 0, 0]])
