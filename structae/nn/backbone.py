"""What all parts of a model share: its depth, its width, its layers."""

import dataclasses
from typing import Any

import jax.numpy as jnp


@dataclasses.dataclass(frozen=True)
class Backbone:
  """The convolution blocks of each half of a model.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.2.

  Attributes:
    num_blocks: convolution blocks of each half; in a decoder the last is the
      output convolution.
    width: channels of every block.
    num_groups: groups of the group norm.
    initializer: how layers start, see `blocks.initializers`.
    activation: see `activations.named`.
    strided: whether convolutions halve maps and transposed ones double them, in
      place of pooling and bilinear upsampling.
    dtype: what the computation is done in.
    param_dtype: what the parameters are kept in.
    precision: of products of float32 numbers, as in `jax.lax.Precision`; None
      leaves it to jax, which takes TF32 on a GPU.
  """

  num_blocks: int = 12
  width: int = 64
  num_groups: int = 8
  initializer: str = 'uniform'
  activation: str = 'mish'
  strided: bool = False
  dtype: Any = jnp.float32
  param_dtype: Any = jnp.float32
  precision: str | None = None

  @property
  def types(self) -> dict[str, Any]:
    """The types of a layer of Flax, and the precision of its products."""
    return dict(
      dtype=self.dtype, param_dtype=self.param_dtype, precision=self.precision
    )
