"""The ladder: each variable leaves and enters at a depth of its own.

Source: Zhao, Song and Ermon, Learning Hierarchical Features from Generative
Models, https://arxiv.org/abs/1702.08396; widths after Leeb et al.,
https://arxiv.org/abs/2006.07796, appendix A.2.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae.models import decoders, encoders
from structae.nn import blocks
from structae.nn.backbone import Backbone


def inference_rungs(num_variables: int, num_blocks: int) -> tuple[int, ...]:
  """Which blocks of the encoder, counted from 1, a rung reads.

  Evenly spaced down to the last; the published ladder with 4 rungs of 12
  blocks reads block 4 in place of 3.

  Args:
    num_variables: the number of rungs K.
    num_blocks: the number of blocks, a multiple of K.

  Returns:
    K block numbers, the shallowest first.

  Raises:
    ValueError: if the rungs do not divide the blocks.
  """
  if num_blocks % num_variables:
    raise ValueError(
      f'{num_variables} rungs do not divide {num_blocks} blocks.'
    )
  if (num_variables, num_blocks) == (4, 12):
    return 4, 6, 9, 12
  every = num_blocks // num_variables
  return tuple(range(every, num_blocks + 1, every))


def _rungs(
  num: int, features: tuple[int, ...], backbone: Backbone
) -> nn.Module:
  """`num` networks of their own as one batched network."""
  batched = nn.vmap(
    blocks.MLP,
    variable_axes={'params': 0},
    split_rngs={'params': True},
    in_axes=1,
    out_axes=1,
    axis_size=num,
  )
  return batched(features, backbone=backbone, name='rungs')


class LadderEncoder(nn.Module):
  """Rungs that read the code from blocks of growing depth.

  A rung is the maximum of its block over all pixels, and dense layers. The
  deepest rung is variable 0. There is no head.

  Attributes:
    num_variables: the number of rungs K.
    dim: numbers per variable D.
    gaussian: whether rungs emit means and logarithms of scales.
    rung: widths of the hidden layers of a rung.
    backbone: the convolution blocks.
  """

  num_variables: int
  dim: int
  gaussian: bool = True
  rung: tuple[int, ...] = (64, 64, 64)
  backbone: Backbone = Backbone()

  @nn.compact
  def __call__(self, images: jax.Array) -> jax.Array:
    """Maps images `[B, H, W, C]` to `[B, L]`, or means and scales `[B, 2L]`."""
    outputs = encoders.ConvTrunk(self.backbone, name='trunk')(images)
    rungs = inference_rungs(self.num_variables, self.backbone.num_blocks)
    tops = [outputs[i - 1].max((1, 2)) for i in reversed(rungs)]
    parts = 1 + self.gaussian
    numbers = _rungs(
      self.num_variables,
      (*self.rung, parts * self.dim),
      self.backbone,
    )(jnp.stack(tops, 1))
    numbers = numbers.reshape(
      images.shape[0], self.num_variables, parts, self.dim
    )
    return numbers.swapaxes(1, 2).reshape(images.shape[0], -1)


class LadderDecoder(nn.Module):
  """Rungs that write the code into blocks of growing resolution.

  Variable i becomes features, a quarter as many as a block has channels, that
  are concatenated, at every pixel, to the map that enters block 1 + i n/K of
  the n blocks; the chain starts at a learned S_0.

  Attributes:
    size: width of the image in pixels, a power of two; 1 for feature vectors.
    num_variables: the number of rungs K; divides the number of blocks.
    shrink: whether the map makes room for the features, so that convolutions
      keep their channels in, as in the released models; else the map keeps its
      channels and convolutions take more.
    rung: widths of the hidden layers of a rung.
    channels: channels of the image, or length of the feature vector.
    backbone: the convolution blocks.
  """

  size: int
  num_variables: int
  shrink: bool = False
  rung: tuple[int, ...] = (64, 64, 64)
  channels: int = 3
  backbone: Backbone = Backbone()

  def __call__(self, codes: jax.Array) -> jax.Array:
    """Maps codes `[B, K, D]` to logits `[B, size, size, channels]`."""
    return self.stages(codes)[-1]

  @nn.compact
  def stages(self, codes: jax.Array) -> list[jax.Array]:
    """Maps codes to the outputs S_1, ..., S_n of all blocks; S_n the logits."""
    num_features = self.backbone.width // 4
    features = _rungs(
      self.num_variables,
      (*self.rung, num_features),
      self.backbone,
    )(codes)
    room = num_features * self.shrink
    start = decoders.start_map(
      self, self.size, self.backbone.width - room, codes.shape[0], self.backbone
    )
    every = self.backbone.num_blocks // self.num_variables
    joining = {1 + i * every: features[:, i] for i in range(self.num_variables)}
    return decoders.ConvChain(
      self.size, self.channels, self.shrink, self.backbone, name='chain'
    )(start, joining)
