"""What all parts of a model share: its depth, its width, its layers."""

import dataclasses
from typing import Any

import jax.numpy as jnp

from structae.nn import blocks


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
    activation: see `blocks.activation`.
    strided: whether convolutions halve maps and transposed ones double them, in
      place of pooling and bilinear upsampling.
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

  @property
  def types(self) -> dict[str, Any]:
    """The types of a layer."""
    return dict(dtype=self.dtype, param_dtype=self.param_dtype)

  @property
  def layers(self) -> dict[str, Any]:
    """The options of a dense layer or network."""
    return self.types | dict(
      initializer=self.initializer, activation=self.activation
    )

  @property
  def blocks(self) -> dict[str, Any]:
    """The options of a convolution block, apart from its channels."""
    return self.layers | dict(num_groups=self.num_groups)

  def output(self, channels: int, kernel: int, fan_in: int) -> Any:
    """The convolution that ends a decoder, on maps of `fan_in` channels."""
    start = blocks.initializers(self.initializer, kernel**2 * fan_in)
    return blocks.conv(channels, kernel, name='out', **self.types, **start)
