"""The objective of autoencoders without a regularizer."""

from collections.abc import Callable
from typing import Any

import jax

from structae.nn.posterior import Posterior
from structae.objectives import reconstruction

Encode = Callable[[Any, jax.Array], Posterior]
Decode = Callable[[Any, jax.Array], jax.Array]
Metrics = dict[str, jax.Array]
Loss = Callable[[Any, jax.Array, jax.Array], tuple[jax.Array, Metrics]]


def autoencoding(encode: Encode, decode: Decode) -> Loss:
  """Reconstruction alone: the architecture structures the code.

  Args:
    encode: `(params, images) -> Posterior`.
    decode: `(params, codes) -> logits`.

  Returns:
    `loss(params, images, key) -> (nats per example, its terms)`.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 2.2.
  """

  def loss(
    params: Any, images: jax.Array, key: jax.Array
  ) -> tuple[jax.Array, Metrics]:
    del key  # a deterministic posterior has nothing to draw
    logits = decode(params, encode(params, images).mean)
    rec = reconstruction.bernoulli_cross_entropy(
      logits, reconstruction.targets(images)
    ).mean()
    return rec, {'reconstruction': rec}

  return loss
