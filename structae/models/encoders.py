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
    size: width of the image in pixels, a power of two.
    num_blocks: the number of convolution blocks.

  Returns:
    Block numbers, as many as halvings take `size` to 2.

  Raises:
    ValueError: if there are fewer blocks than halvings.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.2.1.
  """
  halvings = size.bit_length() - 2
  for stride in (3, 2, 1):
    after = [min(1 + stride * i, num_blocks) for i in range(halvings)]
    if len(set(after)) == halvings:
      return tuple(after)
  raise ValueError(
    f'{num_blocks} blocks cannot halve {size} pixels to 2; '
    f'take at least {halvings}.'
  )


class ConvEncoder(nn.Module):
  """Convolution blocks, then dense layers on the flattened 2x2 map.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.2.1.

  Attributes:
    num_outputs: numbers per image: L, or 2 L where the posterior is Gaussian.
    num_blocks: convolution blocks; the first has a 5x5 kernel.
    width: channels of every block.
    head: widths of the hidden dense layers.
    num_groups: groups of the group norm.
    initializer: how layers start, see `blocks.initializers`.
    dtype: what the computation is done in.
    param_dtype: what the parameters are kept in.
  """

  num_outputs: int
  num_blocks: int = 12
  width: int = 64
  head: tuple[int, ...] = (256, 128)
  num_groups: int = 8
  initializer: str = 'uniform'
  dtype: Any = jnp.float32
  param_dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, images: jax.Array) -> jax.Array:
    """Maps images `[B, H, W, C]` in [0, 1] to `[B, num_outputs]`."""
    pools = pool_after(images.shape[1], self.num_blocks)
    options = dict(
      initializer=self.initializer,
      dtype=self.dtype,
      param_dtype=self.param_dtype,
    )
    x = images.astype(self.dtype)
    for i in range(1, self.num_blocks + 1):
      x = blocks.ConvBlock(
        self.width,
        kernel=5 if i == 1 else 3,
        pool=i in pools,
        num_groups=self.num_groups,
        name=f'block_{i}',
        **options,
      )(x)
    x = x.reshape(len(x), -1)
    return blocks.MLP((*self.head, self.num_outputs), name='head', **options)(x)
