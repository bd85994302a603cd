"""Decoders: from codes to the logits of images."""

import itertools
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from structae.nn import blocks, resampling, stages, str_tfm
from structae.nn.backbone import Backbone

START = 2  # S_0 is a map of 2x2 pixels.


def upsample_before(size: int, num_blocks: int) -> tuple[int, ...]:
  """Which convolutions, counted from 1, are preceded by an upsampling.

  Of 1, 4, 7, ... and the last as many as it takes, the later ones, so that most
  of the decoder works on small maps; closer together where those are too few.

  Args:
    size: width of the image in pixels, a power of two; 1 where there are none.
    num_blocks: the number of convolution blocks.

  Returns:
    Block numbers, as many as doublings take 2 to `size`.

  Raises:
    ValueError: if there are fewer blocks than doublings.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.2.1.
  """
  doublings = max((size // START).bit_length() - 1, 0)
  if (num_blocks, doublings) == (12, 5):  # as published at 64 pixels
    return 2, 4, 7, 10, 12
  for stride in (3, 2, 1):
    before = sorted({*range(1, num_blocks + 1, stride), num_blocks})
    if len(before) >= doublings:
      return tuple(before[len(before) - doublings :])
  raise ValueError(
    f'{num_blocks} blocks cannot double {START} pixels to {size}; '
    f'take at least {doublings}.'
  )


def stage_starts(
  num_blocks: int, num_stages: int, stage_blocks: tuple[int, ...] = ()
) -> tuple[int, ...]:
  """The first block of each stage, counted from 1.

  Args:
    num_blocks: the number of convolution blocks n.
    num_stages: the number of stages K, no more than blocks.
    stage_blocks: how many blocks each stage has; () for stages that start at
      block 1 + i n/K, rounded down, so that their numbers of blocks differ by
      one at most.

  Returns:
    K block numbers, the first 1.

  Raises:
    ValueError: if the stages do not have all blocks, one or more each.
  """
  starts = [1 + i * num_blocks // num_stages for i in range(num_stages)]
  if stage_blocks:
    starts = [1, *(1 + b for b in itertools.accumulate(stage_blocks[:-1]))]
    if (len(starts), sum(stage_blocks)) != (num_stages, num_blocks):
      raise ValueError(
        f'{list(stage_blocks)} blocks of stages do not make {num_stages} '
        f'stages of {num_blocks} blocks.'
      )
  if any(a >= b for a, b in itertools.pairwise([*starts, num_blocks + 1])):
    raise ValueError(
      f'{num_stages} stages of {num_blocks} blocks: each takes one or more.'
    )
  return tuple(starts)


def kernel(size: int) -> int:
  """Width of the kernels for images of that size: 1 on a single pixel."""
  return 3 if size > 1 else 1


def start_map(
  module: nn.Module, size: int, channels: int, batch: int, backbone: Backbone
) -> jax.Array:
  """S_0, a learned parameter of the module, once for each example.

  Args:
    module: the decoder.
    size: width of the image in pixels.
    channels: channels of the map.
    batch: the number of examples.
    backbone: has the types.

  Returns:
    `[batch, 2, 2, channels]`; one pixel where the image has only one.
  """
  side = min(START, size)
  normal, shape = nn.initializers.normal(1.0), (side, side, channels)
  x = module.param('start', normal, shape, backbone.param_dtype)
  return jnp.broadcast_to(x.astype(backbone.dtype), (batch, *x.shape))


class StructuralDecoder(nn.Module):
  """A chain S_i = f_i(S_{i-1}, U_i) from a learned start S_0 to an image.

  One Str-Tfm stands before the first block of each stage, which is block
  1 + i n/K, i = 0..K-1, of the n blocks, if nothing else is said; the blocks
  between keep alpha = 1 and beta = 0. Blocks of one resolution are one
  scanned run. A pixelwise affine map commutes with bilinear upsampling, so in a
  run the upsampling comes first; before the output convolution, which is
  block n, the map comes first, on a quarter of the pixels. The zeros of a
  transposed convolution do not commute with it: there it always comes first.

  A feature vector is an image of one pixel: its blocks are dense layers with
  group norms.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 2.1 and
  appendix A.1.

  Attributes:
    size: width of the image in pixels, a power of two; 1 for feature vectors.
    num_stages: the number of Str-Tfm layers, no more than blocks.
    shared: whether every Str-Tfm reads the whole code (AdaAE), instead of
      stage i its variable U_i (SAE).
    channels: channels of the image, or length of the feature vector.
    str_tfm: widths of the hidden layers of the Str-Tfm networks.
    unroll: whether runs are unrolled; changes the speed, not the result.
    stage_blocks: blocks of each stage; see `stage_starts`.
    backbone: the convolution blocks.
  """

  size: int
  num_stages: int
  shared: bool = False
  channels: int = 3
  str_tfm: tuple[int, ...] = (64, 64, 64)
  unroll: bool = True
  stage_blocks: tuple[int, ...] = ()
  backbone: Backbone = Backbone()

  def __call__(self, codes: jax.Array) -> jax.Array:
    """Maps codes `[B, K, D]` to logits `[B, size, size, channels]`."""
    return self.stages(codes)[-1]

  @nn.compact
  def stages(self, codes: jax.Array) -> list[jax.Array]:
    """Maps codes to the outputs S_1, ..., S_n of all blocks; S_n the logits."""
    num_blocks, width = self.backbone.num_blocks, self.backbone.width
    strided = self.backbone.strided
    alpha, beta = self._affine_maps(codes)
    x = start_map(self, self.size, width, codes.shape[0], self.backbone)
    outputs: list[jax.Array] = []
    ups = upsample_before(self.size, num_blocks)
    # Blocks first..last-1 work at one resolution; the last block is the output.
    for first, last in itertools.pairwise(sorted({1, *ups, num_blocks})):
      maps = alpha[first - 1 : last - 1], beta[first - 1 : last - 1]
      if first in ups and strided:
        x = resampling.dilate(str_tfm.str_tfm(x, maps[0][0], maps[1][0]))
        maps = maps[0].at[0].set(1), maps[1].at[0].set(0)
      elif first in ups:
        x = resampling.upsample(x)
      run = stages.chain(
        last - first,
        self.unroll,
        self.backbone,
        kernel(self.size),
        name=f'run_{first}',
      )
      x, of_run = run(x, maps)
      outputs.extend(of_run)
    x = str_tfm.str_tfm(x, alpha[-1], beta[-1])
    out = blocks.output(
      self.backbone,
      self.channels,
      kernel(self.size),
      width,
      growth(strided) if num_blocks in ups else None,
    )
    return [*outputs, out(x)]

  def _affine_maps(self, codes: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Alpha and beta `[num_blocks, B, C]`, the identity between stages."""
    inputs = codes
    if self.shared:
      whole = codes.reshape(codes.shape[0], 1, -1)
      inputs = jnp.broadcast_to(
        whole, (codes.shape[0], self.num_stages, whole.shape[-1])
      )
    alpha, beta = str_tfm.StrTfmNetworks(
      self.str_tfm, self.backbone, name='str_tfm_networks'
    )(inputs)
    num_blocks = self.backbone.num_blocks
    starts = stage_starts(num_blocks, self.num_stages, self.stage_blocks)
    first = np.array(starts) - 1
    shape = (num_blocks, *alpha.shape[1:])
    return (
      jnp.ones(shape, alpha.dtype).at[first].set(alpha),
      jnp.zeros(shape, beta.dtype).at[first].set(beta),
    )


class ConvChain(nn.Module):
  """Blocks that grow a small map to an image; features may join on the way.

  Features that join a block are the same for every pixel and are concatenated
  to the map that enters it.

  Attributes:
    size: width of the image in pixels, a power of two; 1 for feature vectors.
    channels: channels of the image, or length of the feature vector.
    shrink: whether the map makes room for the features that join it, so that
      both together have the channels of the backbone.
    backbone: the convolution blocks.
  """

  size: int
  channels: int = 3
  shrink: bool = False
  backbone: Backbone = Backbone()

  @nn.compact
  def __call__(
    self, x: jax.Array, joining: dict[int, jax.Array] | None = None
  ) -> list[jax.Array]:
    """Grows a map to an image.

    Args:
      x: `[B, 2, 2, C]`.
      joining: features `[B, F]` by the number of the block that they join,
        counted from 1.

    Returns:
      The outputs S_1, ..., S_n of all blocks; S_n the logits of the image.
    """
    joining = joining or {}
    num_blocks, strided = self.backbone.num_blocks, self.backbone.strided
    ups = upsample_before(self.size, num_blocks)
    outputs = []
    for i in range(1, num_blocks + 1):
      if i in joining and strided:
        x = _join(x, joining[i])
      if i in ups and i < num_blocks:  # the output grows its map itself
        x = growth(strided)(x)
      if i in joining and not strided:
        x = _join(x, joining[i])
      if i < num_blocks:
        room = joining[i + 1].shape[-1] if i + 1 in joining else 0
        x = blocks.ConvBlock(
          self.backbone.width - room * self.shrink,
          kernel(self.size),
          backbone=self.backbone,
          name=f'block_{i}',
        )(x)
        outputs.append(x)
    out = blocks.output(
      self.backbone,
      self.channels,
      kernel(self.size),
      x.shape[-1],
      growth(strided) if num_blocks in ups else None,
    )
    return [*outputs, out(x)]


def growth(strided: bool) -> Callable[[jax.Array], jax.Array]:
  """How a map becomes twice as large on its way into a block."""
  return resampling.dilate if strided else resampling.upsample


def _join(x: jax.Array, features: jax.Array) -> jax.Array:
  wide = jnp.broadcast_to(
    features[:, None, None].astype(x.dtype), (*x.shape[:3], features.shape[-1])
  )
  return jnp.concatenate([x, wide], -1)


class HourglassDecoder(nn.Module):
  """Dense layers from the code to a small map, then convolution blocks.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.2.1.

  Attributes:
    size: width of the image in pixels, a power of two; 1 for feature vectors.
    channels: channels of the image, or length of the feature vector.
    hidden: widths of the hidden dense layers.
    backbone: the convolution blocks.
  """

  size: int
  channels: int = 3
  hidden: tuple[int, ...] = (128, 256)
  backbone: Backbone = Backbone()

  def __call__(self, codes: jax.Array) -> jax.Array:
    """Maps codes `[B, K, D]` to logits `[B, size, size, channels]`."""
    return self.stages(codes)[-1]

  @nn.compact
  def stages(self, codes: jax.Array) -> list[jax.Array]:
    """Maps codes to the outputs S_1, ..., S_n of all blocks; S_n the logits."""
    side, width = min(START, self.size), self.backbone.width
    x = blocks.MLP(
      (*self.hidden, side * side * width), backbone=self.backbone, name='start'
    )(codes.reshape(codes.shape[0], -1))
    return ConvChain(
      self.size, self.channels, backbone=self.backbone, name='chain'
    )(x.reshape(x.shape[0], side, side, width))
