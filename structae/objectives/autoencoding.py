"""Objectives of one encoder and decoder: reconstruction and a penalty.

| penalty                  | objective              |
|--------------------------|------------------------|
| none                     | AE, SAE, AdaAE         |
| `kl_penalty(1.0)`        | VAE, VLAE              |
| `kl_penalty(beta)`       | beta-VAE               |
| `mmd_penalty(weight)`    | WAE-MMD                |
| `dependence_penalty(..)` | beta-TCVAE             |
| `moments.dip_penalty`    | DIP-VAE-I, DIP-VAE-II  |

`annealed` is a loss of its own, AnnealedVAE, since it changes with the step.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from structae.nn.posterior import Posterior
from structae.objectives import dependence, divergences, reconstruction

Encode = Callable[[Any, jax.Array], Posterior]
Decode = Callable[[Any, jax.Array], jax.Array]
Metrics = dict[str, jax.Array]
# Some take the number of updates made too, as `step`.
Loss = Callable[[Any, jax.Array, jax.Array], tuple[jax.Array, Metrics]]
# (posterior, codes drawn from it, key) -> (nats per example, terms by name)
Penalty = Callable[[Posterior, jax.Array, jax.Array], tuple[jax.Array, Metrics]]


def autoencoding(
  encode: Encode,
  decode: Decode,
  penalty: Penalty | None = None,
  likelihood: reconstruction.Likelihood = reconstruction.BERNOULLI,
) -> Loss:
  """Reconstruction of a drawn code, and a penalty on codes if there is one.

  Args:
    encode: `(params, images) -> Posterior`.
    decode: `(params, codes) -> outputs`: logits, or what the likelihood takes.
    penalty: none for autoencoders whose architecture structures the code.
    likelihood: of the images given the outputs.

  Returns:
    `loss(params, images, key) -> (nats per example, its terms)`. Terms are
    unweighted.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 2.2.
  """

  def loss(
    params: Any, images: jax.Array, key: jax.Array
  ) -> tuple[jax.Array, Metrics]:
    posterior = encode(params, images)
    codes = posterior.sample(key)  # the mean itself if deterministic
    rec = likelihood.nats(decode(params, codes), images).mean()
    if penalty is None:
      return rec, {'reconstruction': rec}
    added, terms = penalty(posterior, codes, key)
    return rec + added, {'reconstruction': rec, **terms}

  return loss


def at(loss: Loss, step: jax.Array | int) -> Loss:
  """A loss after some updates: the loss itself, unless it takes `step`."""
  if 'step' not in inspect.signature(loss).parameters:
    return loss
  takes: Any = loss
  return functools.partial(takes, step=step)


def annealed(
  encode: Encode,
  decode: Decode,
  gamma: float,
  capacity: float,
  num_steps: int,
  divergence: Callable[[Posterior], jax.Array] = divergences.kl,
  likelihood: reconstruction.Likelihood = reconstruction.BERNOULLI,
) -> Loss:
  """Reconstruction and gamma |KL - C|, whose C grows: AnnealedVAE.

  Args:
    encode: `(params, images) -> Posterior`, Gaussian.
    decode: `(params, codes) -> outputs`.
    gamma: the weight.
    capacity: C from `num_steps` updates on, in nats; it grows linearly from 0.
    num_steps: see there.
    divergence: `Posterior -> [B]`.
    likelihood: of the images given the outputs.

  Returns:
    `loss(params, images, key, step) -> (nats per example, its terms)`, with the
    terms `kl` and `capacity`.

  Source: Burgess et al., Understanding disentangling in beta-VAE,
    https://arxiv.org/abs/1804.03599, equation 8.
  """

  def loss(
    params: Any, images: jax.Array, key: jax.Array, step: jax.Array | int = 0
  ) -> tuple[jax.Array, Metrics]:
    grown = jnp.minimum(jnp.asarray(step, jnp.float32) / num_steps, 1)
    limit = capacity * grown

    def penalty(
      posterior: Posterior, codes: jax.Array, key: jax.Array
    ) -> tuple[jax.Array, Metrics]:
      del codes, key
      kl = divergence(posterior).mean()
      return gamma * jnp.abs(kl - limit), {'kl': kl, 'capacity': limit}

    return autoencoding(encode, decode, penalty, likelihood)(
      params, images, key
    )

  return loss


def kl_penalty(
  beta: float = 1.0,
  divergence: Callable[[Posterior], jax.Array] = divergences.kl,
) -> Penalty:
  """beta times the KL divergence to the prior: VAE (beta = 1) and beta-VAE.

  Args:
    beta: its weight.
    divergence: `Posterior -> [B]`.

  Returns:
    The penalty, with the term `kl`.

  Source: Higgins et al., beta-VAE, ICLR 2017; Kingma and Welling,
  https://arxiv.org/abs/1312.6114.
  """

  def penalty(
    posterior: Posterior, codes: jax.Array, key: jax.Array
  ) -> tuple[jax.Array, Metrics]:
    del codes, key
    kl = divergence(posterior).mean()
    return beta * kl, {'kl': kl}

  return penalty


def mmd_penalty(
  weight: float = 10.0,
  discrepancy: Callable[[jax.Array, jax.Array], jax.Array] = divergences.mmd,
) -> Penalty:
  """weight times the MMD of the codes to draws of the prior: WAE-MMD.

  Args:
    weight: lambda.
    discrepancy: `(codes, prior draws) -> scalar`.

  Returns:
    The penalty, with the term `mmd`.

  Source: Tolstikhin et al., https://arxiv.org/abs/1711.01558.
  """

  def penalty(
    posterior: Posterior, codes: jax.Array, key: jax.Array
  ) -> tuple[jax.Array, Metrics]:
    del posterior
    # Not the key that drew the codes.
    prior = jax.random.normal(
      jax.random.fold_in(key, 1), codes.shape, codes.dtype
    )
    mmd = discrepancy(codes, prior)
    return weight * mmd, {'mmd': mmd}

  return penalty


def dependence_penalty(
  beta_tc: float, num_examples: int, estimator: str = 'stratified'
) -> Penalty:
  """The KL divergence with the total correlation weighted anew: beta-TCVAE.

  Args:
    beta_tc: weight of the total correlation; the other parts have weight 1.
    num_examples: the examples N of the training set.
    estimator: 'stratified', whose terms are estimates of what they are called,
      or 'weighted', which is off by constants; see `dependence`.

  Returns:
    The penalty, with the terms `mutual_information`, `total_correlation` and
    `dimension_kl`.

  Source: Chen et al., https://arxiv.org/abs/1802.04942, equation 4.
  """
  weights = {
    'stratified': dependence.stratified,
    'weighted': dependence.weighted,
  }[estimator]

  def penalty(
    posterior: Posterior, codes: jax.Array, key: jax.Array
  ) -> tuple[jax.Array, Metrics]:
    del key
    parts = dependence.decompose(
      posterior, codes, weights(len(codes), num_examples)
    )
    mi, tc, kl = parts
    return mi + beta_tc * tc + kl, parts._asdict()

  return penalty
