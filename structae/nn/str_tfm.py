"""Str-Tfm: the affine maps that carry a code into a feature map.

Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 2.1.
"""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae.nn import blocks
from structae.nn.backbone import Backbone


def str_tfm(x: jax.Array, alpha: jax.Array, beta: jax.Array) -> jax.Array:
  """S <- alpha S + beta, the same for every pixel.

  Args:
    x: `[B, H, W, C]`, or `[B, C]` where there are no pixels.
    alpha: `[B, C]`, the scales.
    beta: `[B, C]`, the shifts.

  Returns:
    The shape of `x`.
  """
  pixels = tuple(range(1, x.ndim - 1))
  alpha, beta = (
    jnp.expand_dims(a, pixels).astype(x.dtype) for a in (alpha, beta)
  )
  return alpha * x + beta


class StrTfmNetworks(nn.Module):
  """Reads every affine map from its own variable, all variables at once.

  The maps depend on the code alone, so the networks run as one batched
  network before the chain starts. alpha = exp(logit) and the last biases start
  at 0, whatever initializer other layers have: each map starts near the
  identity.

  Attributes:
    hidden: widths of the hidden layers.
    backbone: the settings of their layers, and the width of the maps.
  """

  hidden: tuple[int, ...]
  backbone: Backbone = Backbone()

  @nn.compact
  def __call__(self, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Maps `[B, K, D]` to alpha and beta, each `[K, B, C]`."""
    networks = nn.vmap(
      blocks.MLP,
      variable_axes={'params': 0},
      split_rngs={'params': True},
      in_axes=1,
      out_axes=0,
      axis_size=inputs.shape[1],
    )(
      (*self.hidden, 2 * self.backbone.width),
      zero_bias=True,
      backbone=dataclasses.replace(self.backbone, initializer='uniform'),
      name='networks',
    )
    beta, logit = jnp.split(networks(inputs), 2, -1)
    wide = jnp.promote_types(logit.dtype, jnp.float32)
    return jnp.exp(logit.astype(wide)), beta.astype(wide)
