"""Activations and their slopes.

Each function equals the stock one of jax to rounding and costs a fraction of
it (see `experiments/benchmarks/blocks.py`).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp


class Activation(NamedTuple):
  """A function of one number, and its derivative.

  Attributes:
    value: of an array, number by number.
    slope: the derivative, likewise.
  """

  value: Callable[[jax.Array], jax.Array]
  slope: Callable[[jax.Array], jax.Array]


@jax.custom_jvp
def mish(x: jax.Array) -> jax.Array:
  """x tanh(softplus(x)), written with a single exponential.

  With e = exp(x), tanh(ln(1 + e)) = e (e + 2) / (e (e + 2) + 2).

  Args:
    x: any shape.

  Returns:
    The same shape.

  Source: Misra, https://arxiv.org/abs/1908.08681.
  """
  e = jnp.exp(jnp.minimum(x, 20))
  n = e * (e + 2)
  return x * (n / (n + 2))


def mish_slope(x: jax.Array) -> jax.Array:
  """The derivative of `mish`, with a single exponential and division."""
  e = jnp.exp(jnp.minimum(x, 20))
  n = e * (e + 2)
  r = 1 / (n + 2)
  return n * r + 4 * x * (e * r) * ((e + 1) * r)


mish.defjvps(lambda dx, y, x: dx * mish_slope(x))


def elu_slope(x: jax.Array) -> jax.Array:
  """The derivative of `jax.nn.elu`."""
  return jnp.exp(jnp.minimum(x, 0))


def named(name: str) -> Activation:
  """The activation of that name: 'mish' or 'elu'."""
  return {
    'mish': Activation(mish, mish_slope),
    'elu': Activation(jax.nn.elu, elu_slope),
  }[name]
