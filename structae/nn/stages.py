"""A chain of stages S_i = f_i(S_{i-1}, U_i) at one resolution."""

import flax.linen as nn
import jax

from structae.nn import blocks, str_tfm
from structae.nn.backbone import Backbone


class Stage(nn.Module):
  """f_i = ConvBlock o StrTfm: the equation of the paper.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 2.1.

  Attributes:
    backbone: the settings of the block.
    kernel: width of its kernel in pixels.
  """

  backbone: Backbone = Backbone()
  kernel: int = 3

  @nn.compact
  def __call__(
    self, x: jax.Array, affine: tuple[jax.Array, jax.Array]
  ) -> tuple[jax.Array, jax.Array]:
    """Maps S_{i-1} `[B, H, W, C]` and (alpha_i, beta_i) to S_i, twice.

    The pair is the (carry, output) of a scan.
    """
    x = str_tfm.str_tfm(x, *affine)
    block = blocks.ConvBlock(
      self.backbone.width, self.kernel, backbone=self.backbone, name='block'
    )
    x = block(x)
    return x, x


def chain(
  length: int, unroll: bool, backbone: Backbone, kernel: int = 3, name: str = ''
) -> nn.Module:
  """`length` stages one after another, their parameters stacked.

  Args:
    length: the number of stages.
    unroll: whether the compiled program lists the stages (a convolution
      inside a loop is many times slower on CPUs) or loops over them.
    backbone: the settings of the blocks.
    kernel: width of their kernels in pixels.
    name: of the module.

  Returns:
    A module that maps S `[B, H, W, C]` and (alpha, beta), each
    `[length, B, C]`, to the last S and all of them `[length, B, H, W, C]`.
  """
  scanned = nn.scan(
    Stage,
    variable_axes={'params': 0},
    split_rngs={'params': True},
    length=length,
    unroll=length if unroll else 1,
  )
  return scanned(backbone, kernel, name=name or None)
