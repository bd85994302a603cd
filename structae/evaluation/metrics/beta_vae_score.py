"""BetaVAE score: do differences of pairs reveal which factor they share?

Source: Higgins et al., https://openreview.net/forum?id=Sy2fzU9gl, section 3.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.interventions import (
  BATCHES_AT_ONCE,
  interventions,
  settings,
)
from structae.evaluation.metrics.probes import logistic


def beta_vae_score(
  codes: ArrayLike,
  factors: ArrayLike,
  *,
  num_train: int = 10_000,
  num_test: int = 5_000,
  batch_size: int = 64,
  seed: int = 0,
) -> dict[str, Any]:
  """Computes the BetaVAE score, the accuracy of a linear classifier.

  A feature is the mean of |z - z'| over pairs that share one factor's value; a
  logistic regression predicts the factor.

  Args:
    codes: `[N, L]` of a full factor grid, or any pool.
    factors: `[N, F]` integers, none negative or constant, F of 2 or more.
    num_train: the number of features that are fitted.
    num_test: the number of features that are predicted.
    batch_size: the number of pairs of a feature.
    seed: of the draws.

  Returns:
    `beta_vae_train` and `beta_vae_test`, accuracies in 0 ... 1, chance 1 / F;
    `protocol`, 'grid' or 'pool'; the settings.

  Raises:
    ValueError: if the arrays are unfit, there are fewer than two factors, or no
      two rows share a value.

  Source: Higgins et al., https://openreview.net/forum?id=Sy2fzU9gl, section 3,
    with the classifier of Locatello et al., https://arxiv.org/abs/1811.12359.
  """
  codes, factors = inputs.check_pair(codes, factors)
  if factors.shape[1] < 2:
    raise ValueError('beta_vae_score compares two factors, there is 1.')
  rng = np.random.default_rng(seed)
  parts = []
  for num in (num_train, num_test):
    batches = list(_features(codes, factors, num, batch_size, rng))
    parts.append([np.concatenate(x) for x in zip(*batches)])
  (labels, features), (test_labels, test_features) = parts
  model = logistic(features, labels)
  return {
    'beta_vae_train': float(model.score(features, labels)),
    'beta_vae_test': float(model.score(test_features, test_labels)),
    **settings(factors, num_train, num_test, batch_size, seed),
  }


def _features(
  codes: np.ndarray,
  factors: np.ndarray,
  num: int,
  batch_size: int,
  rng: np.random.Generator,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
  """Shared factors `[B]` and features `[B, L]`, B at a time."""
  by_factor = interventions(factors)
  for start in range(0, num, BATCHES_AT_ONCE):
    size = min(BATCHES_AT_ONCE, num - start)
    shared = rng.integers(len(by_factor), size=size)
    features = np.empty((size, codes.shape[1]))
    for j, intervention in enumerate(by_factor):
      mine = shared == j
      first = rng.choice(intervention.rows, (mine.sum(), batch_size))
      second = intervention.draw(first, rng)
      features[mine] = np.abs(codes[first] - codes[second]).mean(1)
    yield shared, features
