"""Layers and how they start, the convolution block, the dense network.

Arrays are NHWC.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae.nn import activations, convolution, norm, pooled, resampling
from structae.nn.backbone import Backbone

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
      'lecun', weights N(0, 1/fan_in) and biases 0, whose codes start wider.
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
  return nn.Conv(
    features,
    (kernel, kernel),
    padding=[(kernel // 2, kernel // 2)] * 2,
    **{'conv_general_dilated': convolution.convolve, **options},
  )


class Products(nn.Module):
  """A convolution whose bias is left to what follows, and pooling if any.

  Parameters and their start are those of `conv`. The bias is the same for all
  pixels: it may be added to their maximum as well.

  Attributes:
    features: channels out.
    kernel: odd width of the kernel, in pixels.
    pool: whether the map is halved; see `ConvBlock`.
    backbone: the settings of the layer.
  """

  features: int
  kernel: int
  pool: bool = False
  backbone: Backbone = Backbone()

  @nn.compact
  def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Maps `[B, H, W, C]` to `[B, H', W', features]` and the bias to add."""
    own, side = self.backbone, self.kernel
    start = initializers(own.initializer, side**2 * x.shape[-1])
    shape = side, side, x.shape[-1], self.features
    kernel = self.param('kernel', start['kernel_init'], shape, own.param_dtype)
    bias = self.param('bias', start['bias_init'], shape[-1:], own.param_dtype)
    x, kernel = x.astype(own.dtype), kernel.astype(own.dtype)
    if self.pool and not own.strided and x.shape[-1] <= pooled.FEW:
      return pooled.convolve(x, kernel, own.precision), bias
    y = convolution.convolve(
      x,
      kernel,
      (2, 2) if self.pool and own.strided else (1, 1),
      [(side // 2, side // 2)] * 2,
      own.precision,
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    )
    return resampling.max_pool(y) if self.pool and not own.strided else y, bias


class ConvBlock(nn.Module):
  """Convolution, pooling if any, group norm, activation.

  In a strided backbone the convolution itself halves the map.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.2.1.

  Attributes:
    features: channels out.
    kernel: width of the kernel in pixels.
    pool: whether the map is halved.
    backbone: the settings of its layers.
  """

  features: int
  kernel: int = 3
  pool: bool = False
  backbone: Backbone = Backbone()

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps `[B, H, W, C]` to `[B, H, W, features]`, halved if it pools."""
    own = self.backbone
    layer = Products(self.features, self.kernel, self.pool, own, name='conv')
    x, bias = layer(x)
    return norm.GroupNorm(
      own.num_groups, own.activation, own.param_dtype, name='norm'
    )(x, bias)


def output(
  backbone: Backbone,
  channels: int,
  kernel: int,
  fan_in: int,
  grow: Callable[[jax.Array], jax.Array] | None = None,
) -> nn.Conv:
  """The convolution that ends a decoder.

  Args:
    backbone: the settings of its layers.
    channels: channels of the image.
    kernel: width of the kernel in pixels.
    fan_in: channels of the map.
    grow: makes the map larger before it is convolved, if it has to.
  """
  options = initializers(backbone.initializer, kernel**2 * fan_in)
  if grow:
    options['conv_general_dilated'] = lambda x, taps, *_, precision, **__: (
      convolution.convolve_grown(x, taps, grow, precision)
    )
  return conv(channels, kernel, name='out', **backbone.types, **options)


class MLP(nn.Module):
  """Dense layers with activations between them; the last one is linear.

  What comes out, codes and scales, is computed in at least float32.

  Attributes:
    features: widths of the layers.
    zero_bias: whether the last layer's biases start at 0.
    backbone: the settings of its layers.
  """

  features: tuple[int, ...]
  zero_bias: bool = False
  backbone: Backbone = Backbone()

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps `[..., in]` to `[..., features[-1]]`."""
    own = self.backbone
    *hidden, last = self.features
    for i, width in enumerate(hidden):
      start = initializers(own.initializer, x.shape[-1])
      x = nn.Dense(width, name=f'hidden_{i}', **own.types, **start)(x)
      x = activations.named(own.activation).value(x)
    start = initializers(own.initializer, x.shape[-1])
    if self.zero_bias:
      start['bias_init'] = nn.initializers.zeros
    wide = jnp.promote_types(own.dtype, jnp.float32)
    types = {**own.types, 'dtype': wide}
    return nn.Dense(last, name='out', **types, **start)(x)
