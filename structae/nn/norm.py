"""Group normalization and the activation behind it, as one function."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae.nn import activations


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4, 5))
def group_norm(
  x: jax.Array,
  gain: jax.Array,
  bias: jax.Array,
  num_groups: int,
  activation: str,
  epsilon: float = 1e-5,
) -> jax.Array:
  """Group normalization, then an activation; keeps nothing but its input.

  The norm is one scale and one shift per example and channel. On the way back
  these and the slope of the activation are computed again, from `x` and its
  moments: cheaper than a normalized map that is written and read again. The
  moments are summed in float32 at least. There is no forward mode (`jax.jvp`).

  Args:
    x: `[B, H, W, C]`.
    gain: `[C]`, the scale of each channel.
    bias: `[C]`, its shift.
    num_groups: groups of channels that share their moments; divides C.
    activation: see `activations.named`.
    epsilon: added to the variance.

  Returns:
    The shape and the type of `x`.

  Source: Wu and He, https://arxiv.org/abs/1803.08494.
  """
  return _forward(x, gain, bias, num_groups, activation, epsilon)[0]


def _forward(
  x: jax.Array,
  gain: jax.Array,
  bias: jax.Array,
  num_groups: int,
  activation: str,
  epsilon: float,
) -> tuple[jax.Array, Any]:
  wide = _wide(x)
  moments = jnp.stack([wide.mean((1, 2)), jnp.square(wide).mean((1, 2))])
  mean, square = _group_means(moments, num_groups)
  variance = jnp.maximum(square - jnp.square(mean), 0)
  inverse = jax.lax.rsqrt(variance + epsilon)
  y = activations.named(activation).value(
    _normalized(wide, gain, bias, mean, inverse)
  )
  return y.astype(x.dtype), (x, gain, bias, mean, inverse)


def _backward(
  num_groups: int,
  activation: str,
  epsilon: float,
  residuals: Any,
  g: jax.Array,
) -> tuple[jax.Array, jax.Array, jax.Array]:
  """With d the gradient before the activation and x^ the normalized input:

  dx = inverse (gain d - mean(gain d) - x^ mean(gain d x^)), means over a group.
  """
  x, gain, bias, mean, inverse = residuals
  wide = _wide(x)
  slope = activations.named(activation).slope(
    _normalized(wide, gain, bias, mean, inverse)
  )
  d = _wide(g) * slope
  sums = d.sum((1, 2))
  products = ((d * wide).sum((1, 2)) - mean * sums) * inverse
  num_pixels = x.shape[1] * x.shape[2]
  of_d, of_product = _group_means(
    gain * jnp.stack([sums, products]) / num_pixels, num_groups
  )
  slant = -jnp.square(inverse) * of_product
  level = -inverse * of_d - slant * mean
  dx = d * _pixelwise(gain * inverse) + wide * _pixelwise(slant)
  dx += _pixelwise(level)
  return (
    dx.astype(x.dtype),
    products.sum(0).astype(gain.dtype),
    sums.sum(0).astype(bias.dtype),
  )


group_norm.defvjp(_forward, _backward)


def _wide(x: jax.Array) -> jax.Array:
  return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def _group_means(a: jax.Array, num_groups: int) -> jax.Array:
  """Means of `[..., C]` over each group of channels, once per channel."""
  groups = a.reshape(*a.shape[:-1], num_groups, -1)
  means = groups.mean(-1, keepdims=True)
  return jnp.broadcast_to(means, groups.shape).reshape(a.shape)


def _normalized(
  wide: jax.Array,
  gain: jax.Array,
  bias: jax.Array,
  mean: jax.Array,
  inverse: jax.Array,
) -> jax.Array:
  scale = gain * inverse
  return wide * _pixelwise(scale) + _pixelwise(bias - mean * scale)


def _pixelwise(a: jax.Array) -> jax.Array:
  """`[B, C]`, the same for every pixel."""
  return a[:, None, None]


class GroupNorm(nn.Module):
  """`group_norm` with a gain and a bias of its own.

  Attributes:
    num_groups: groups of channels.
    activation: what follows.
    param_dtype: what the parameters are kept in.
  """

  num_groups: int
  activation: str
  param_dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps `[B, H, W, C]` to the same shape."""
    shape, dtype = x.shape[-1:], self.param_dtype
    gain = self.param('scale', nn.initializers.ones, shape, dtype)
    bias = self.param('bias', nn.initializers.zeros, shape, dtype)
    return group_norm(x, gain, bias, self.num_groups, self.activation)
