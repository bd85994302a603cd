"""Two ways to compute the same, compared in value and gradient."""

import contextlib
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

# The tolerance of each type, relative to the largest number.
TOLERANCES = {'float32': 2e-6, 'bfloat16': 2e-2, 'float64': 1e-13}

in_every_type = pytest.mark.parametrize('dtype', TOLERANCES)


@contextlib.contextmanager
def exact() -> Iterator[None]:
  """Lets float64 be what it is."""
  with jax.enable_x64(True):
    yield


def compare(ours, plain, dtype, *arrays):
  """Asserts equal values and equal vector-Jacobian products in all arrays.

  The plain form is computed from the same rounded numbers, at least in float32.
  """
  wide = jnp.promote_types(dtype, jnp.float32)
  arrays = [jnp.asarray(a).astype(dtype) for a in arrays]
  g = jax.random.normal(jax.random.key(9), jax.eval_shape(ours, *arrays).shape)

  def both(function, dtype):
    @jax.jit
    def run(arrays, g):
      y, back = jax.vjp(function, *arrays)
      return y, *back(g)

    return run([a.astype(dtype) for a in arrays], g.astype(dtype))

  for actual, expected in zip(both(ours, dtype), both(plain, wide)):
    assert actual.dtype == dtype and actual.shape == expected.shape
    atol = TOLERANCES[dtype] * np.abs(expected).max()
    np.testing.assert_allclose(actual.astype(wide), expected, atol=atol)
