"""Samples of a trained model: hybrids of stored codes, and of the prior."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from structae import config as config_lib
from structae import sampling
from structae.doors import Trained


class Samples(NamedTuple):
  """Samples of a run: the stored codes and what came of them.

  Attributes:
    pool: `[P, K, D]`, the stored codes.
    images: hybrid samples, every variable from another stored code.
    by_dimension: the same for every single number of a code; None where
      variables are single numbers.
    prior: samples of the prior; None where codes have none.
  """

  pool: np.ndarray
  images: np.ndarray
  by_dimension: np.ndarray | None
  prior: np.ndarray | None


def draw(run: Trained, train: np.ndarray, key: jax.Array) -> Samples:
  """Draws and decodes hybrid samples, and prior samples where there is a prior.

  Args:
    run: a trained model.
    train: `[N, K, D]`, codes of training images.
    key: a PRNG key.
  """
  settings = run.config.evaluation
  pool, drawn = codes(run.config, train, key, settings.num_samples)
  if 'prior' in drawn and settings.num_prior_samples > 0:
    num = settings.num_prior_samples
    drawn['prior'] = codes(run.config, train, key, num)[1]['prior']
  images = {name: run.decode(np.asarray(c)) for name, c in drawn.items()}
  return Samples(
    pool=np.asarray(pool),
    images=images['hybrid'],
    by_dimension=images.get('hybrid_by_dimension'),
    prior=images.get('prior'),
  )


def codes(
  config: Any, train: np.ndarray, key: jax.Array, num: int
) -> tuple[jax.Array, dict[str, jax.Array]]:
  """Draws a pool of stored codes, and the codes of samples.

  Args:
    config: the configuration of the run.
    train: `[N, K, D]`, codes of training images.
    key: a PRNG key.
    num: the number of samples S of each kind.

  Returns:
    The pool `[P, K, D]` and codes `[S, K, D]` by the kind of sample: `hybrid`;
    `hybrid_by_dimension` where variables are wider than one number; `prior`
    where codes have one and it is not turned off.
  """
  pool_key, hybrid_key = jax.random.split(key)
  prior_key, flat_key = jax.random.split(jax.random.fold_in(key, 1))
  size = min(config.evaluation.pool_size, len(train))
  pool = sampling.pool(pool_key, jnp.asarray(train), size)
  found = {'hybrid': sampling.hybrid(hybrid_key, pool, num)}
  if pool.shape[2] > 1:
    flat = sampling.hybrid(flat_key, pool.reshape(len(pool), -1, 1), num)
    found['hybrid_by_dimension'] = flat.reshape(-1, *pool.shape[1:])
  has_prior = config.objective.name in config_lib.WITH_PRIOR
  if has_prior and config.evaluation.num_prior_samples:
    found['prior'] = sampling.prior(prior_key, num, *pool.shape[1:])
  return pool, found
