"""A chain of stages S_i = f_i(S_{i-1}, U_i) at one resolution."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae.nn import blocks, str_tfm


class Stage(nn.Module):
  """f_i = ConvBlock o StrTfm: the equation of the paper.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 2.1.
  """

  width: int
  num_groups: int = 8
  initializer: str = 'uniform'
  dtype: Any = jnp.float32
  param_dtype: Any = jnp.float32
  kernel: int = 3
  activation: str = 'mish'

  @nn.compact
  def __call__(
    self, x: jax.Array, affine: tuple[jax.Array, jax.Array]
  ) -> tuple[jax.Array, jax.Array]:
    """Maps S_{i-1} `[B, H, W, C]` and (alpha_i, beta_i) to S_i, twice.

    The pair is the (carry, output) of a scan.
    """
    x = str_tfm.str_tfm(x, *affine)
    x = blocks.ConvBlock(
      self.width,
      self.kernel,
      activation=self.activation,
      num_groups=self.num_groups,
      initializer=self.initializer,
      dtype=self.dtype,
      param_dtype=self.param_dtype,
      name='block',
    )(x)
    return x, x


def chain(length: int, unroll: bool, **options: Any) -> nn.Module:
  """`length` stages one after another, their parameters stacked.

  Args:
    length: the number of stages.
    unroll: whether the compiled program lists the stages (a convolution
      inside a loop is many times slower on CPUs) or loops over them.
    **options: the fields of `Stage`.

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
  return scanned(**options)
