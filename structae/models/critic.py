"""The critic of FactorVAE: classifies codes against permuted ones."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae.nn import blocks


class Critic(nn.Module):
  """Dense layers with leaky ReLUs, and two logits.

  Source: Kim and Mnih, Disentangling by Factorising,
  https://arxiv.org/abs/1802.05983, appendix A.

  Attributes:
    hidden: widths of the hidden layers.
    param_dtype: what the parameters are kept in.
    precision: of products, see `Backbone`.
  """

  hidden: tuple[int, ...] = (1000,) * 6
  param_dtype: Any = jnp.float32
  precision: str | None = None

  @nn.compact
  def __call__(self, codes: jax.Array) -> jax.Array:
    """Maps codes `[B, K, D]` to logits `[B, 2]`: real, then permuted."""
    x = codes.reshape(codes.shape[0], -1)
    for i, width in enumerate((*self.hidden, 2)):
      start = blocks.initializers('uniform', x.shape[-1])
      x = nn.Dense(
        width,
        name=f'layer_{i}',
        param_dtype=self.param_dtype,
        precision=self.precision,
        **start,
      )(x)
      if i < len(self.hidden):
        x = jax.nn.leaky_relu(x, 0.2)
    return x
