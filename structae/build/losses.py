"""From a checked config to what training minimizes."""

import functools
from typing import Any

from structae.build.images import has_labels
from structae.build.models import critic, functions, likelihood
from structae.data import catalog
from structae.models import autoencoder
from structae.objectives import (
  adversarial,
  autoencoding,
  consistency,
  divergences,
  moments,
  pairs,
  supervision,
)


def loss(
  config: Any, module: autoencoder.Autoencoder, num_examples: int
) -> autoencoding.Loss:
  """The training loss of `config.objective`: `loss(params, images, key)`.

  Args:
    config: a checked configuration.
    module: its model.
    num_examples: the number of training images.

  Returns:
    The loss, which takes `images_per_update` images.
  """
  encode, decode = functions(module)
  # Of pairs, what the two share is averaged before it is decoded.
  of_batch = pairs.averaging(encode) if config.labels.pairs else encode
  plain = _plain_loss(config, of_batch, decode, num_examples)
  consistent = consistency.hybrid_consistency(
    plain, encode, decode, config.objective.consistency, likelihood(config)
  )
  if not has_labels(config):
    return consistent
  return supervision.supervised(
    consistent, encode, pairings(config), config.labels.weight
  )


def images_per_update(config: Any) -> int:
  """How many images the loss is given: the batch, and the critic's own."""
  batches = 2 if config.objective.name == 'factor_vae' else 1
  return batches * config.train.batch_size


def pairings(config: Any) -> list[supervision.Pairing]:
  """Which variable is to show which factor."""
  data_set = catalog.get(config.data.name)
  names, sizes = data_set.factor_names, data_set.factor_sizes
  factors = config.labels.factors or [
    name for name in names if name not in data_set.constant_factors
  ]
  variables = config.labels.variables or range(1, len(factors) + 1)
  return [
    supervision.Pairing(k - 1, names.index(name), sizes[names.index(name)])
    for k, name in zip(variables, factors)
  ]


def _plain_loss(
  config: Any,
  encode: autoencoding.Encode,
  decode: autoencoding.Decode,
  num_examples: int,
) -> autoencoding.Loss:
  """The loss that `objective.name` names, without further terms."""
  settings = config.objective
  kl = divergences.released_kl if settings.released else divergences.kl
  mmd = divergences.released_mmd if settings.released else divergences.mmd
  if settings.name == 'factor_vae':
    discriminate: Any = critic(config).apply
    return adversarial.factor_vae(
      encode,
      decode,
      lambda params, u: discriminate({'params': params['critic']}, u),
      gamma=settings.gamma,
      divergence=kl,
      likelihood=likelihood(config),
    )
  if settings.name == 'annealed_vae':
    return autoencoding.annealed(
      encode,
      decode,
      gamma=settings.annealed_weight,
      capacity=settings.capacity,
      num_steps=settings.capacity_steps,
      divergence=kl,
      likelihood=likelihood(config),
    )
  dip = functools.partial(
    moments.dip_penalty, settings.dip_covariance, settings.dip_variance
  )
  penalties = {
    'autoencoding': lambda: None,
    'beta_vae': lambda: autoencoding.kl_penalty(settings.beta, kl),
    'wae': lambda: autoencoding.mmd_penalty(settings.mmd_weight, mmd),
    'beta_tcvae': lambda: autoencoding.dependence_penalty(
      settings.beta_tc, num_examples, settings.tc_estimator
    ),
    'dip_vae_i': lambda: dip(of_samples=False),
    'dip_vae_ii': lambda: dip(of_samples=True),
  }
  penalty = penalties[settings.name]()
  return autoencoding.autoencoding(encode, decode, penalty, likelihood(config))
