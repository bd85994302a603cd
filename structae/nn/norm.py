"""Group normalization, the bias before and the activation behind it, in one."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae.nn import activations


@functools.partial(jax.custom_vjp, nondiff_argnums=(4, 5, 6))
def group_norm(
  x: jax.Array,
  before: jax.Array,
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
  bias of the convolution before the norm is never added to a map: it moves the
  moments of its channel, and the shift. The moments are summed in float32 at
  least. There is no forward mode (`jax.jvp`).

  Args:
    x: `[B, H, W, C]`.
    before: `[C]`, what is still to be added to each channel of `x`.
    gain: `[C]`, the scale of each channel.
    bias: `[C]`, its shift.
    num_groups: groups of channels that share their moments; divides C.
    activation: see `activations.named`.
    epsilon: added to the variance.

  Returns:
    The shape and the type of `x`.

  Source: Wu and He, https://arxiv.org/abs/1803.08494.
  """
  return _forward(x, before, gain, bias, num_groups, activation, epsilon)[0]


def _forward(
  x: jax.Array,
  before: jax.Array,
  gain: jax.Array,
  bias: jax.Array,
  num_groups: int,
  activation: str,
  epsilon: float,
) -> tuple[jax.Array, Any]:
  wide = _wide(x)
  level, square = wide.mean((1, 2)), jnp.square(wide).mean((1, 2))
  # E[x + b] and E[(x + b)^2], channel by channel.
  moments = [level + before, square + before * (2 * level + before)]
  mean, square = _group_means(jnp.stack(moments), num_groups)
  variance = jnp.maximum(square - jnp.square(mean), 0)
  deviation, offset = jnp.sqrt(variance + epsilon), before - mean
  y = activations.named(activation).value(
    _normalized(wide, gain, bias, offset, deviation)
  )
  residuals = x, before, gain, bias, level, offset, deviation
  return y.astype(x.dtype), residuals


def _backward(
  num_groups: int,
  activation: str,
  epsilon: float,
  residuals: Any,
  g: jax.Array,
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
  """With d the gradient before the activation and x^ the normalized input:

  dx = (gain d - mean(gain d) - x^ mean(gain d x^)) / deviation, means over a
  group: steep d + slant x + shift, pixel by pixel, each a division again. The
  gradient of what was to be added is the sum of dx, which the sums of d and of
  x tell.
  """
  x, before, gain, bias, level, offset, deviation = residuals
  wide = _wide(x)
  slope = activations.named(activation).slope(
    _normalized(wide, gain, bias, offset, deviation)
  )
  d = _wide(_kept(_wide(g) * slope, x.dtype))
  sums = d.sum((1, 2))
  products = ((d * wide).sum((1, 2)) + offset * sums) / deviation
  num_pixels = x.shape[1] * x.shape[2]
  of_d, of_product = _group_means(
    gain * jnp.stack([sums, products]) / num_pixels, num_groups
  )
  variance = jnp.square(deviation)
  steep, slant = gain / deviation, -of_product / variance
  shift = -(of_product * offset + of_d * deviation) / variance
  dx = d * _pixelwise(steep) + wide * _pixelwise(slant) + _pixelwise(shift)
  total = steep * sums + num_pixels * (slant * level + shift)
  # Of all three at once: apart, each is a kernel of its own on a GPU.
  of_before, of_gain, of_bias = jnp.stack([total, products, sums]).sum(1)
  return (
    dx.astype(x.dtype),
    of_before.astype(before.dtype),
    of_gain.astype(gain.dtype),
    of_bias.astype(bias.dtype),
  )


group_norm.defvjp(_forward, _backward)


def _kept(d: jax.Array, dtype: Any) -> jax.Array:
  """A map in the type of the maps, which is how it is to be stored.

  Without the barrier XLA drops the rounding, and stores a map of 16 bits as one
  of 32: twice the bytes.
  """
  if d.dtype == dtype:
    return d
  return jax.lax.optimization_barrier(d.astype(dtype))


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
  offset: jax.Array,
  deviation: jax.Array,
) -> jax.Array:
  """Gain (x + offset) / deviation + bias, as one scale and one shift.

  Both end in a division: XLA computes what does once a channel; on CPUs, any
  cheaper sum would be computed again for every pixel.
  """
  scale = gain / deviation
  shift = (gain * offset + bias * deviation) / deviation
  return wide * _pixelwise(scale) + _pixelwise(shift)


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
  def __call__(self, x: jax.Array, before: jax.Array) -> jax.Array:
    """Maps `[B, H, W, C]`, and `[C]` to add first, to the same shape."""
    shape, dtype = x.shape[-1:], self.param_dtype
    gain = self.param('scale', nn.initializers.ones, shape, dtype)
    bias = self.param('bias', nn.initializers.zeros, shape, dtype)
    return group_norm(x, before, gain, bias, self.num_groups, self.activation)
