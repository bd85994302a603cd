"""A decoder shaped like a given graph: S_i = f_i(PA_i, U_i)."""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae.models import decoders
from structae.models.graph import Graph
from structae.nn import blocks, resampling, str_tfm
from structae.nn.backbone import Backbone


def side_before(block: int, size: int, num_blocks: int) -> int:
  """Width in pixels of the maps that enter a block, before it doubles them.

  Args:
    block: its number, counted from 1.
    size: width of the image in pixels, a power of two; 1 where there are none.
    num_blocks: the number of convolution blocks.
  """
  ups = decoders.upsample_before(size, num_blocks)
  return min(decoders.START, size) * 2 ** sum(up < block for up in ups)


def merged(
  maps: Sequence[jax.Array], side: int, backbone: Backbone
) -> jax.Array:
  """One map out of those of several parents.

  Smaller maps are doubled bilinearly to `side` pixels. One map stays as it is;
  several are concatenated, and a 1x1 convolution `merge` of the module that
  calls this brings them to the width of one.

  Args:
    maps: `[B, H, W, C]` each, H and W `side` over a power of two.
    side: width of the result in pixels.
    backbone: has the width C, and the settings of the convolution.

  Returns:
    `[B, side, side, C]`.
  """
  large = []
  for x in maps:
    while x.shape[1] < side:
      x = resampling.upsample(x)
    large.append(x)
  if len(large) == 1:
    return large[0]
  x = jnp.concatenate(large, -1)
  start = blocks.initializers(backbone.initializer, x.shape[-1])
  merge = blocks.conv(
    backbone.width, 1, name='merge', **backbone.types, **start
  )
  return merge(x)


class Node(nn.Module):
  """f_i = ConvBlocks o StrTfm o merge: what one variable adds to its parents.

  Attributes:
    first: the number of its first block, counted from 1.
    last: that of its last block; `first - 1` if it has none.
    size: width of the image in pixels.
    backbone: the convolution blocks.
  """

  first: int
  last: int
  size: int
  backbone: Backbone = Backbone()

  @nn.compact
  def __call__(
    self, parents: Sequence[jax.Array], affine: tuple[jax.Array, jax.Array]
  ) -> jax.Array:
    """Maps the parents' maps and (alpha_i, beta_i) to S_i."""
    own = self.backbone
    side = side_before(self.first, self.size, own.num_blocks)
    x = str_tfm.str_tfm(merged(parents, side, own), *affine)
    for i in range(self.first, self.last + 1):
      if i in decoders.upsample_before(self.size, own.num_blocks):
        x = decoders.growth(own.strided)(x)
      kernel = decoders.kernel(self.size)
      block = blocks.ConvBlock(
        own.width, kernel, backbone=own, name=f'block_{i}'
      )
      x = block(x)
    return x


class GraphDecoder(nn.Module):
  """S_i = f_i(PA_i, U_i) along a graph, from a learned S_0 to an image.

  Variables of one level, which is the length of the longest way to them, share
  the numbers of their blocks, and with them the resolution: the levels part
  the blocks as the stages of a chain do. The output convolution, which is the
  last block, reads what the ends of the graph are merged to. The graph
  1 -> 2 -> ... -> K is the chain of a structural decoder.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 2 and
  appendix A.1.

  Attributes:
    size: width of the image in pixels, a power of two; 1 for feature vectors.
    graph: the parents of each variable.
    channels: channels of the image, or length of the feature vector.
    str_tfm: widths of the hidden layers of the Str-Tfm networks.
    level_blocks: blocks of each level; see `decoders.stage_starts`.
    backbone: the convolution blocks.
  """

  size: int
  graph: Graph
  channels: int = 3
  str_tfm: tuple[int, ...] = (64, 64, 64)
  level_blocks: tuple[int, ...] = ()
  backbone: Backbone = Backbone()

  def __call__(self, codes: jax.Array) -> jax.Array:
    """Maps codes `[B, K, D]` to logits `[B, size, size, channels]`."""
    return self.stages(codes)[-1]

  @nn.compact
  def stages(self, codes: jax.Array) -> list[jax.Array]:
    """Maps codes to S_1, ..., S_K, one a variable, and last the logits."""
    own, graph = self.backbone, self.graph
    alpha, beta = str_tfm.StrTfmNetworks(
      self.str_tfm, own, name='str_tfm_networks'
    )(codes)
    start = decoders.start_map(self, self.size, own.width, codes.shape[0], own)
    maps: dict[int, jax.Array] = {}
    for i in graph.order:
      first, last = spans(graph, own.num_blocks, self.level_blocks)[i]
      node = Node(first, last, self.size, own, name=f'variable_{i + 1}')
      parents = [maps[j] for j in graph.parents[i]] or [start]
      maps[i] = node(parents, (alpha[i], beta[i]))
    side = side_before(own.num_blocks, self.size, own.num_blocks)
    x = merged([maps[i] for i in graph.ends], side, own)
    grows = own.num_blocks in decoders.upsample_before(
      self.size, own.num_blocks
    )
    out = blocks.output(
      own,
      self.channels,
      decoders.kernel(self.size),
      own.width,
      decoders.growth(own.strided) if grows else None,
    )
    return [*(maps[i] for i in range(len(maps))), out(x)]


def spans(
  graph: Graph, num_blocks: int, level_blocks: tuple[int, ...] = ()
) -> tuple[tuple[int, int], ...]:
  """The first and the last block of each variable, by its level.

  The output convolution, block `num_blocks`, is nobody's: a variable of the
  last level may have none, and then ends before it begins.

  Args:
    graph: the graph.
    num_blocks: the number of convolution blocks.
    level_blocks: blocks of each level; see `decoders.stage_starts`.
  """
  starts = decoders.stage_starts(num_blocks, graph.num_levels, level_blocks)
  ends = [*(start - 1 for start in starts[1:]), num_blocks - 1]
  return tuple((starts[level], ends[level]) for level in graph.levels)
