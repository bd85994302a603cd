"""Encoders: from images to the numbers of a posterior."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae.nn import blocks


def pool_after(size: int, num_blocks: int) -> tuple[int, ...]:
  """Which convolutions, counted from 1, are followed by a pooling.

  Every third one from the first, until the map is 2x2; the last pooling moves
  to the last block where the blocks run out, and shallow backbones pool more
  often.

  Args:
    size: width of the image in pixels, a power of two; 1 where there are none.
    num_blocks: the number of convolution blocks.

  Returns:
    Block numbers, as many as halvings take `size` to 2.

  Raises:
    ValueError: if there are fewer blocks than halvings.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.2.1.
  """
  halvings = max(size.bit_length() - 2, 0)
  for stride in (3, 2, 1):
    after = [min(1 + stride * i, num_blocks) for i in range(halvings)]
    if len(set(after)) == halvings:
      return tuple(after)
  raise ValueError(
    f'{num_blocks} blocks cannot halve {size} pixels to 2; '
    f'take at least {halvings}.'
  )


class ConvTrunk(nn.Module):
  """Convolution blocks down to a map of 2x2 pixels.

  A feature vector is an image of one pixel: its blocks are dense layers with
  group norms.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.2.1.

  Attributes:
    num_blocks: convolution blocks; the first has a 5x5 kernel.
    width: channels of every block.
    num_groups: groups of the group norm.
    initializer: how layers start, see `blocks.initializers`.
    activation: see `blocks.activation`.
    strided: whether convolutions halve maps, in place of pooling.
    dtype: what the computation is done in.
    param_dtype: what the parameters are kept in.
  """

  num_blocks: int = 12
  width: int = 64
  num_groups: int = 8
  initializer: str = 'uniform'
  activation: str = 'mish'
  strided: bool = False
  dtype: Any = jnp.float32
  param_dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, images: jax.Array) -> list[jax.Array]:
    """Maps images `[B, H, W, C]` to the outputs of all blocks."""
    size = images.shape[1]
    pools = pool_after(size, self.num_blocks)
    x = images.astype(self.dtype)
    outputs = []
    for i in range(1, self.num_blocks + 1):
      x = blocks.ConvBlock(
        self.width,
        kernel=1 if size == 1 else 5 if i == 1 else 3,
        pool=i in pools,
        num_groups=self.num_groups,
        initializer=self.initializer,
        activation=self.activation,
        strided=self.strided,
        dtype=self.dtype,
        param_dtype=self.param_dtype,
        name=f'block_{i}',
      )(x)
      outputs.append(x)
    return outputs


class ConvEncoder(nn.Module):
  """Convolution blocks, then dense layers on the flattened 2x2 map.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.2.1.

  Attributes:
    num_outputs: numbers per image: L, or 2 L where the posterior is Gaussian.
    head: widths of the hidden dense layers.
    num_blocks, width, num_groups, initializer, activation, strided, dtype,
      param_dtype: see `ConvTrunk`.
  """

  num_outputs: int
  num_blocks: int = 12
  width: int = 64
  head: tuple[int, ...] = (256, 128)
  num_groups: int = 8
  initializer: str = 'uniform'
  activation: str = 'mish'
  strided: bool = False
  dtype: Any = jnp.float32
  param_dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, images: jax.Array) -> jax.Array:
    """Maps images `[B, H, W, C]` in [0, 1] to `[B, num_outputs]`."""
    options = dict(
      initializer=self.initializer,
      activation=self.activation,
      dtype=self.dtype,
      param_dtype=self.param_dtype,
    )
    *_, x = ConvTrunk(
      num_blocks=self.num_blocks,
      width=self.width,
      num_groups=self.num_groups,
      strided=self.strided,
      name='trunk',
      **options,
    )(images)
    x = x.reshape(len(x), -1)
    return blocks.MLP((*self.head, self.num_outputs), name='head', **options)(x)


class MLPEncoder(nn.Module):
  """Dense layers on the flattened input: for feature vectors above all.

  Attributes:
    num_outputs: numbers per example: L, or 2 L where the posterior is Gaussian.
    head: widths of the hidden layers.
    initializer: how layers start, see `blocks.initializers`.
    activation: see `blocks.activation`.
    dtype: what the computation is done in.
    param_dtype: what the parameters are kept in.
  """

  num_outputs: int
  head: tuple[int, ...] = (256, 128)
  initializer: str = 'uniform'
  activation: str = 'mish'
  dtype: Any = jnp.float32
  param_dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, images: jax.Array) -> jax.Array:
    """Maps `[B, H, W, C]` to `[B, num_outputs]`."""
    x = images.astype(self.dtype).reshape(len(images), -1)
    return blocks.MLP(
      (*self.head, self.num_outputs),
      initializer=self.initializer,
      activation=self.activation,
      dtype=self.dtype,
      param_dtype=self.param_dtype,
      name='mlp',
    )(x)
