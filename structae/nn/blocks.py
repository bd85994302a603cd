"""The parts of a convolution block: layers, activation, norm, resampling.

Each function equals the stock one of jax or flax to rounding and costs a
fraction of it (see `experiments/benchmark.py`). Arrays are NHWC.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

Dtype = Any


def uniform_fan_in(fan_in: int) -> nn.initializers.Initializer:
  """Uniform in +-1/sqrt(fan_in): the start of every weight and bias.

  Flax's own default, lecun_normal, lets the scales of a Str-Tfm explode.

  Args:
    fan_in: the number of inputs one output number is a sum over.

  Returns:
    An initializer.
  """

  def init(key: jax.Array, shape: Any, dtype: Dtype = jnp.float32) -> jax.Array:
    bound = fan_in**-0.5
    return jax.random.uniform(key, shape, dtype, -bound, bound)

  return init


def initializers(name: str, fan_in: int) -> dict[str, Any]:
  """How a layer starts.

  Args:
    name: 'uniform', weights and biases in +-1/sqrt(fan_in) as in the paper, or
      'lecun', weights N(0, 1/fan_in) and no biases, whose codes start wider.
    fan_in: the number of inputs one output number is a sum over.

  Returns:
    `kernel_init` and `bias_init` for a layer of Flax.
  """
  uniform = uniform_fan_in(fan_in)
  return {
    'uniform': dict(kernel_init=uniform, bias_init=uniform),
    'lecun': dict(
      kernel_init=nn.initializers.normal(fan_in**-0.5),
      bias_init=nn.initializers.zeros,
    ),
  }[name]


def conv(features: int, kernel: int, **options: Any) -> nn.Conv:
  """A convolution that keeps the size of the map.

  Args:
    features: channels out.
    kernel: odd width of the kernel, in pixels.
    **options: further settings of `nn.Conv`.

  Returns:
    The layer.
  """
  padding = [(kernel // 2, kernel // 2)] * 2
  return nn.Conv(features, (kernel, kernel), padding=padding, **options)


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


@mish.defjvp
def _mish_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
  (x,), (dx,) = primals, tangents
  e = jnp.exp(jnp.minimum(x, 20))
  n = e * (e + 2)
  r = 1 / (n + 2)
  return x * (n * r), dx * (n * r + 4 * x * (e * r) * ((e + 1) * r))


def activation(name: str) -> Callable[[jax.Array], jax.Array]:
  """The activation of that name: 'mish' or 'elu'."""
  named: dict[str, Any] = {'mish': mish, 'elu': jax.nn.elu}
  return named[name]


class GroupNorm(nn.Module):
  """Group normalization as one scale and one shift per example and channel.

  The moments are summed in float32 at least; the map is read twice and written
  once.

  Source: Wu and He, https://arxiv.org/abs/1803.08494.
  """

  num_groups: int = 8
  epsilon: float = 1e-5
  param_dtype: Dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps `[B, H, W, C]` to the same shape."""
    batch, *_, channels = x.shape
    gain = self.param('scale', nn.initializers.ones, (channels,),
                      self.param_dtype)  # fmt: skip
    bias = self.param('bias', nn.initializers.zeros, (channels,),
                      self.param_dtype)  # fmt: skip
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    moments = jnp.stack([wide.mean((1, 2)), jnp.square(wide).mean((1, 2))])
    groups = moments.reshape(2, batch, self.num_groups, -1).mean(-1)
    mean, square = jnp.repeat(groups, channels // self.num_groups, -1)
    variance = jnp.maximum(square - jnp.square(mean), 0)
    scale = gain * jax.lax.rsqrt(variance + self.epsilon)
    shift = bias - mean * scale
    y = wide * scale[:, None, None] + shift[:, None, None]
    return y.astype(x.dtype)


@jax.custom_vjp
def upsample(x: jax.Array) -> jax.Array:
  """Doubles a map bilinearly, by blending each pixel with its neighbours.

  Equals `jax.image.resize(x, ..., 'bilinear')`: pixel centres at half
  integers, borders repeated.

  Args:
    x: `[B, H, W, C]`.

  Returns:
    `[B, 2H, 2W, C]`.
  """
  batch, height, width, channels = x.shape
  rows = [jnp.stack(_blend(row, 2), 3) for row in _blend(x, 1)]
  return jnp.stack(rows, 2).reshape(batch, 2 * height, 2 * width, channels)


def _blend(x: jax.Array, axis: int) -> tuple[jax.Array, jax.Array]:
  """The even and the odd pixels of an axis twice as long."""
  even = 0.75 * x + 0.25 * _shift(x, x, axis, -1)
  odd = 0.75 * x + 0.25 * _shift(x, x, axis, 1)
  return even, odd


def _shift(x: jax.Array, border: jax.Array, axis: int, by: int) -> jax.Array:
  """The neighbour of every pixel; beyond the border, a pixel of `border`."""
  size = x.shape[axis]
  cut = lambda a, i, j: jax.lax.slice_in_dim(a, i, j, axis=axis)
  if by < 0:
    return jnp.concatenate([cut(border, 0, 1), cut(x, 0, size - 1)], axis)
  return jnp.concatenate([cut(x, 1, size), cut(border, size - 1, size)], axis)


def _transpose_blend(g: jax.Array, axis: int) -> jax.Array:
  """Gathers what `_blend` spread; at a border a pixel blends with itself."""
  pairs = g.reshape(*g.shape[:axis], -1, 2, *g.shape[axis + 1 :])
  even, odd = (
    jax.lax.index_in_dim(pairs, i, axis + 1, keepdims=False) for i in (0, 1)
  )
  return 0.75 * (even + odd) + 0.25 * (
    _shift(even, odd, axis, 1) + _shift(odd, even, axis, -1)
  )


upsample.defvjp(
  lambda x: (upsample(x), None),
  lambda _, g: (_transpose_blend(_transpose_blend(g, 2), 1),),
)


def dilate(x: jax.Array) -> jax.Array:
  """Doubles a map by a zero behind every pixel, along both axes.

  A convolution of it, 3 pixels wide, is the transposed convolution of `x` with
  stride 2, padding 1 and output padding 1.

  Args:
    x: `[B, H, W, C]`.

  Returns:
    `[B, 2H, 2W, C]`.
  """
  keep, spread = (0, 0, 0), (0, 1, 1)
  return jax.lax.pad(x, jnp.zeros((), x.dtype), [keep, spread, spread, keep])


@jax.custom_vjp
def max_pool(x: jax.Array) -> jax.Array:
  """Halves a map by the maximum over 2x2 windows.

  The gradient goes to the first maximum of a window, found by comparison;
  XLA's own select-and-scatter is an order of magnitude slower on CPUs.

  Args:
    x: `[B, H, W, C]`, H and W even.

  Returns:
    `[B, H/2, W/2, C]`.
  """
  return _windows(x).max((2, 4))


def _windows(x: jax.Array) -> jax.Array:
  batch, height, width, channels = x.shape
  return x.reshape(batch, height // 2, 2, width // 2, 2, channels)


def _max_pool_forward(x: jax.Array) -> tuple[jax.Array, Any]:
  y = max_pool(x)
  return y, (x, y)


def _max_pool_backward(residuals: Any, g: jax.Array) -> tuple[jax.Array]:
  x, y = residuals
  free = jnp.ones(y.shape, bool)
  corners = []
  for i in range(2):
    row = []
    for j in range(2):
      hit = free & (_windows(x)[:, :, i, :, j] == y)
      free = free & ~hit
      row.append(jnp.where(hit, g, 0))
    corners.append(jnp.stack(row, 3))
  return (jnp.stack(corners, 2).reshape(x.shape),)


max_pool.defvjp(_max_pool_forward, _max_pool_backward)


class ConvBlock(nn.Module):
  """Convolution, pooling if any, group norm, activation.

  Where it is `strided`, the convolution itself halves the map.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.2.1.
  """

  features: int
  kernel: int = 3
  pool: bool = False
  num_groups: int = 8
  initializer: str = 'uniform'
  dtype: Dtype = jnp.float32
  param_dtype: Dtype = jnp.float32
  activation: str = 'mish'
  strided: bool = False

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps `[B, H, W, C]` to `[B, H, W, features]`, halved if it pools."""
    x = conv(
      self.features,
      self.kernel,
      strides=2 if self.pool and self.strided else 1,
      dtype=self.dtype,
      param_dtype=self.param_dtype,
      name='conv',
      **initializers(self.initializer, self.kernel**2 * x.shape[-1]),
    )(x)
    if self.pool and not self.strided:
      x = max_pool(x)
    x = GroupNorm(self.num_groups, param_dtype=self.param_dtype, name='norm')(x)
    return activation(self.activation)(x)


class MLP(nn.Module):
  """Dense layers with activations between them; the last one is linear.

  `zero_bias` starts the last layer's biases at 0.
  """

  features: tuple[int, ...]
  zero_bias: bool = False
  initializer: str = 'uniform'
  dtype: Dtype = jnp.float32
  param_dtype: Dtype = jnp.float32
  activation: str = 'mish'

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps `[..., in]` to `[..., features[-1]]`."""
    types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
    *hidden, last = self.features
    for i, width in enumerate(hidden):
      start = initializers(self.initializer, x.shape[-1])
      x = nn.Dense(width, name=f'hidden_{i}', **types, **start)(x)
      x = activation(self.activation)(x)
    start = initializers(self.initializer, x.shape[-1])
    if self.zero_bias:
      start['bias_init'] = nn.initializers.zeros
    return nn.Dense(last, name='out', **types, **start)(x)
