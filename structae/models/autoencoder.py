"""An encoder and a decoder under one roof: `encode`, `decode`."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from structae.nn import posterior


class Autoencoder(nn.Module):
  """`posterior = encode(images)`, `logits = decode(codes)`.

  Use it as pure functions: `model.init(key, images)` makes the variables,
  `model.apply(variables, images, method='encode')` and so on apply them.

  Attributes:
    encoder: maps images `[B, H, W, C]` to `[B, L]` numbers, or `[B, 2 L]`
      where the posterior is Gaussian.
    decoder: maps codes `[B, K, D]` to logits `[B, H, W, C]`.
    num_variables: the variables `K` of a code.
    gaussian: whether the posterior is Gaussian.
    vectors: whether examples are feature vectors `[B, X]`; encoder and decoder
      then see images of one pixel, `[B, 1, 1, X]`.
  """

  encoder: nn.Module
  decoder: nn.Module
  num_variables: int
  gaussian: bool = False
  vectors: bool = False

  def encode(self, images: jax.Array) -> posterior.Posterior:
    """Maps uint8 images, or floats in [0, 1], to a posterior over codes."""
    if images.dtype == jnp.uint8:
      images = images.astype(jnp.float32) / 255
    if self.vectors:
      images = images[:, None, None]
    numbers = self.encoder(images)
    numbers = numbers.astype(jnp.promote_types(numbers.dtype, jnp.float32))
    head = posterior.gaussian if self.gaussian else posterior.deterministic
    return head(numbers, self.num_variables)

  def decode(self, codes: jax.Array) -> jax.Array:
    """Maps codes `[B, K, D]` to Bernoulli logits `[B, H, W, C]`.

    Feature vectors are given as they are, `[B, X]`.
    """
    logits = self.decoder(codes)
    if self.vectors:
      logits = logits[:, 0, 0]
    return logits.astype(jnp.promote_types(logits.dtype, jnp.float32))

  def decode_stages(self, codes: jax.Array) -> list[jax.Array]:
    """Maps codes to the outputs S_1, ..., S_n of the decoder's blocks."""
    return self.decoder.stages(codes)

  def __call__(self, images: jax.Array) -> jax.Array:
    """Reconstructs: the logits of the decoded posterior mean."""
    return self.decode(self.encode(images).mean)
