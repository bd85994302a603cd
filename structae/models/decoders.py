"""Decoders: from codes to the logits of images."""

import itertools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae.nn import blocks, stages, str_tfm

START = 2  # S_0 is a map of 2x2 pixels.


def upsample_before(size: int, num_blocks: int) -> tuple[int, ...]:
  """Which convolutions, counted from 1, are preceded by an upsampling.

  Every third one and the last, so that most of the decoder works on small
  maps; where those are too few the first upsampling comes one block sooner.

  Args:
    size: width of the image in pixels, a power of two.
    num_blocks: the number of convolution blocks.

  Returns:
    Block numbers, as many as doublings take 2 to `size`.

  Raises:
    ValueError: if there are fewer blocks than doublings.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.2.1.
  """
  doublings = (size // START).bit_length() - 1
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


class StructuralDecoder(nn.Module):
  """A chain S_i = f_i(S_{i-1}, U_i) from a learned start S_0 to an image.

  One Str-Tfm stands before block 1 + i n/K, i = 0..K-1, of the n blocks; the
  blocks between keep alpha = 1 and beta = 0. Blocks of one resolution are one
  scanned run. A pixelwise affine map commutes with bilinear upsampling, so in a
  run the upsampling comes first; before the output convolution, which is
  block n, the map comes first, on a quarter of the pixels.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 2.1.

  Attributes:
    size: width of the image in pixels, a power of two.
    num_stages: the number of Str-Tfm layers; divides `num_blocks`.
    shared: whether every Str-Tfm reads the whole code (AdaAE), instead of
      stage i its variable U_i (SAE).
    channels: channels of the image.
    num_blocks: convolution blocks, the output convolution included.
    width: channels of every block.
    str_tfm: widths of the hidden layers of the Str-Tfm networks.
    num_groups: groups of the group norm.
    initializer: how convolutions start, see `blocks.initializers`.
    unroll: whether runs are unrolled; changes the speed, not the result.
    dtype: what the computation is done in.
    param_dtype: what the parameters are kept in.
  """

  size: int
  num_stages: int
  shared: bool = False
  channels: int = 3
  num_blocks: int = 12
  width: int = 64
  str_tfm: tuple[int, ...] = (64, 64, 64)
  num_groups: int = 8
  initializer: str = 'uniform'
  unroll: bool = True
  dtype: Any = jnp.float32
  param_dtype: Any = jnp.float32

  def __call__(self, codes: jax.Array) -> jax.Array:
    """Maps codes `[B, K, D]` to logits `[B, size, size, channels]`."""
    return self.stages(codes)[-1]

  @nn.compact
  def stages(self, codes: jax.Array) -> list[jax.Array]:
    """Maps codes to the outputs S_1, ..., S_n of all blocks; S_n the logits."""
    options = dict(dtype=self.dtype, param_dtype=self.param_dtype)
    alpha, beta = self._affine_maps(codes)
    x = self.param(
      'start',
      nn.initializers.normal(1.0),
      (START, START, self.width),
      self.param_dtype,
    )
    x = jnp.broadcast_to(x.astype(self.dtype), (len(codes), *x.shape))
    outputs: list[jax.Array] = []
    ups = upsample_before(self.size, self.num_blocks)
    # Blocks first..last-1 work at one resolution; the last block is the output.
    for first, last in itertools.pairwise(sorted({1, *ups, self.num_blocks})):
      x = blocks.upsample(x) if first in ups else x
      x, run = stages.chain(
        last - first,
        self.unroll,
        width=self.width,
        num_groups=self.num_groups,
        initializer=self.initializer,
        name=f'run_{first}',
        **options,
      )(x, (alpha[first - 1 : last - 1], beta[first - 1 : last - 1]))
      outputs.extend(run)
    x = str_tfm.str_tfm(x, alpha[-1], beta[-1])
    x = blocks.upsample(x) if self.num_blocks in ups else x
    out = blocks.conv(
      self.channels,
      3,
      name='out',
      **options,
      **blocks.initializers(self.initializer, 9 * self.width),
    )
    return [*outputs, out(x)]

  def _affine_maps(self, codes: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Alpha and beta `[num_blocks, B, C]`, the identity between stages."""
    inputs = codes
    if self.shared:
      whole = codes.reshape(len(codes), 1, -1)
      inputs = jnp.broadcast_to(
        whole, (len(codes), self.num_stages, whole.shape[-1])
      )
    alpha, beta = str_tfm.StrTfmNetworks(
      self.str_tfm,
      self.width,
      dtype=self.dtype,
      param_dtype=self.param_dtype,
      name='str_tfm_networks',
    )(inputs)
    every = self.num_blocks // self.num_stages
    shape = (self.num_blocks, *alpha.shape[1:])
    return (
      jnp.ones(shape, alpha.dtype).at[::every].set(alpha),
      jnp.zeros(shape, beta.dtype).at[::every].set(beta),
    )
