"""Encoders: from images to the numbers of a posterior."""

import flax.linen as nn
import jax

from structae.nn import blocks
from structae.nn.backbone import Backbone


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
  """Convolution blocks down to a map of 2x2 pixels; the first kernel is 5x5.

  A feature vector is an image of one pixel: its blocks are dense layers with
  group norms.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.2.1.
  """

  backbone: Backbone = Backbone()

  @nn.compact
  def __call__(self, images: jax.Array) -> list[jax.Array]:
    """Maps images `[B, H, W, C]` to the outputs of all blocks."""
    size, num_blocks = images.shape[1], self.backbone.num_blocks
    pools = pool_after(size, num_blocks)
    x = images.astype(self.backbone.dtype)
    outputs = []
    for i in range(1, num_blocks + 1):
      x = blocks.ConvBlock(
        self.backbone.width,
        kernel=1 if size == 1 else 5 if i == 1 else 3,
        pool=i in pools,
        backbone=self.backbone,
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
    backbone: the convolution blocks.
  """

  num_outputs: int
  head: tuple[int, ...] = (256, 128)
  backbone: Backbone = Backbone()

  @nn.compact
  def __call__(self, images: jax.Array) -> jax.Array:
    """Maps images `[B, H, W, C]` in [0, 1] to `[B, num_outputs]`."""
    *_, x = ConvTrunk(self.backbone, name='trunk')(images)
    head = blocks.MLP(
      (*self.head, self.num_outputs), backbone=self.backbone, name='head'
    )
    return head(x.reshape(x.shape[0], -1))


class MLPEncoder(nn.Module):
  """Dense layers on the flattened input: for feature vectors above all.

  Attributes:
    num_outputs: numbers per example: L, or 2 L where the posterior is Gaussian.
    head: widths of the hidden layers.
    backbone: whose layers these are; it has no blocks here.
  """

  num_outputs: int
  head: tuple[int, ...] = (256, 128)
  backbone: Backbone = Backbone()

  @nn.compact
  def __call__(self, images: jax.Array) -> jax.Array:
    """Maps `[B, H, W, C]` to `[B, num_outputs]`."""
    x = images.astype(self.backbone.dtype).reshape(images.shape[0], -1)
    return blocks.MLP(
      (*self.head, self.num_outputs), backbone=self.backbone, name='mlp'
    )(x)
