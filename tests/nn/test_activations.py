"""Activations and slopes equal the stock ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.nn import activations
from tests.nn import formulations

STOCK = {'mish': jax.nn.mish, 'elu': jax.nn.elu}


@formulations.in_every_type
@pytest.mark.parametrize('name', STOCK)
def test_an_activation_is_jax_s(name, dtype):
  with formulations.exact():
    x = jnp.linspace(-9, 9, 101)
    formulations.compare(activations.named(name).value, STOCK[name], dtype, x)


@pytest.mark.parametrize('name', STOCK)
def test_a_slope_is_the_derivative(name):
  with formulations.exact():
    value, slope = activations.named(name)
    at = jnp.linspace(-6, 6, 24)
    numeric = (value(at + 1e-5) - value(at - 1e-5)) / 2e-5
    np.testing.assert_allclose(slope(at), numeric, atol=1e-9)


def test_mish_far_out_is_the_identity_or_zero():
  far = jnp.array([-200.0, -50.0, 0.0, 50.0, 1e4])
  np.testing.assert_allclose(
    activations.mish(far), [0, 0, 0, 50, 1e4], atol=1e-6
  )
  np.testing.assert_allclose(
    activations.mish_slope(far), [0, 0, 0.6, 1, 1], atol=1e-6
  )
