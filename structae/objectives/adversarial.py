"""FactorVAE: a critic measures the total correlation of the codes.

Source: Kim and Mnih, Disentangling by Factorising,
https://arxiv.org/abs/1802.05983.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from structae.nn.posterior import Posterior
from structae.objectives import divergences, reconstruction
from structae.objectives.autoencoding import Decode, Encode, Loss, Metrics

Critic = Callable[[Any, jax.Array], jax.Array]


def factor_vae(
  encode: Encode,
  decode: Decode,
  critic: Critic,
  gamma: float = 40.0,
  divergence: Callable[[Posterior], jax.Array] = divergences.kl,
  likelihood: reconstruction.Likelihood = reconstruction.BERNOULLI,
) -> Loss:
  """reconstruction + KL + gamma TC, and the loss of the critic behind TC.

  One scalar trains both: the critic's half sees codes, and the autoencoder's
  half sees the critic's parameters, through `stop_gradient`. So the gradients
  by the autoencoder's parameters are those of its half alone, and those by the
  critic's are those of the critic's loss. Give each an optimizer of its own.

  The critic needs codes of other images than the autoencoder trains on. The
  loss gets both in one batch of 2B: the images of even places train the
  autoencoder, those of odd places are only encoded. Draw twice the batch size.

  Args:
    encode: `(params, images) -> Posterior`, Gaussian.
    decode: `(params, codes) -> outputs`.
    critic: `(params, codes) -> logits [B, 2]`; must read other parameters than
      `encode` and `decode` do.
    gamma: weight of the total correlation.
    divergence: `Posterior -> [B]`.
    likelihood: of the images given the outputs.

  Returns:
    `loss(params, images [2B, ...], key) -> (nats per example, its terms)`:
    `reconstruction`, `kl`, `total_correlation`, `critic`.

  Source: Kim and Mnih, https://arxiv.org/abs/1802.05983, algorithm 2.
  """

  def loss(
    params: Any, images: jax.Array, key: jax.Array
  ) -> tuple[jax.Array, Metrics]:
    if len(images) % 2:
      raise ValueError(
        f'FactorVAE takes two batches in one, got {len(images)} images; '
        'give an even number.'
      )
    keys = jax.random.split(key, 3)
    # Every second: each device keeps both halves of its own images.
    images, others = images[::2], images[1::2]
    posterior = encode(params, images)
    codes = posterior.sample(keys[0])
    rec = likelihood.nats(decode(params, codes), images).mean()
    kl = divergence(posterior).mean()
    tc = total_correlation(critic(jax.lax.stop_gradient(params), codes))

    frozen = jax.lax.stop_gradient(codes)
    mixed = jax.lax.stop_gradient(encode(params, others).sample(keys[1]))
    mixed = permute(keys[2], mixed)
    of_critic = critic_loss(critic(params, frozen), critic(params, mixed))
    terms = {
      'reconstruction': rec,
      'kl': kl,
      'total_correlation': tc,
      'critic': of_critic,
    }
    return rec + kl + gamma * tc + of_critic, terms

  return loss


def permute(key: jax.Array, codes: jax.Array) -> jax.Array:
  """Permutes every number of a code across the batch, each on its own.

  Args:
    key: a PRNG key.
    codes: `[B, K, D]`.

  Returns:
    The same shape: marginals are kept, dependence is lost.

  Source: Kim and Mnih, https://arxiv.org/abs/1802.05983, algorithm 1.
  """
  flat = codes.reshape(len(codes), -1)
  mixed = jax.random.permutation(key, flat, axis=0, independent=True)
  return mixed.reshape(codes.shape)


def total_correlation(logits: jax.Array) -> jax.Array:
  """The critic's estimate of the total correlation, nats per example.

  Args:
    logits: `[B, 2]` for codes: real, then permuted.

  Returns:
    A scalar: the mean log ratio of the densities.
  """
  return (logits[:, 0] - logits[:, 1]).mean()


def critic_loss(real: jax.Array, permuted: jax.Array) -> jax.Array:
  """Cross entropy of telling codes from permuted ones, half of each.

  Args:
    real: `[B, 2]`, logits for codes.
    permuted: `[B, 2]`, logits for permuted codes.

  Returns:
    A scalar; log 2 for a critic that cannot discriminate.
  """
  log_real = jax.nn.log_softmax(real)[:, 0]
  log_permuted = jax.nn.log_softmax(permuted)[:, 1]
  return -(jnp.mean(log_real) + jnp.mean(log_permuted)) / 2
