"""DCI: does each latent predict one factor, and one latent each factor?

Source: Eastwood and Williams, https://openreview.net/forum?id=By-7dz-AZ.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.trees import boosting
from structae.evaluation.trees.histogram import Histogram


def dci(
  codes: ArrayLike,
  factors: ArrayLike,
  test_codes: ArrayLike,
  test_factors: ArrayLike,
  *,
  backend: Literal['histogram', 'sklearn'] = 'histogram',
  seed: int = 0,
) -> dict[str, Any]:
  """Computes disentanglement, completeness and informativeness.

  Boosted trees predict every factor from all latents; R_ij is the importance of
  latent i for factor j. A latent is disentangled if it is important for one
  factor only, a factor complete if one latent only is important for it:
  1 - H(.) with logarithms to the base F or L, averaged with the importance of
  the latent or factor as weight. Informativeness is the accuracy of the
  prediction: higher is better (the source reports an error).

  Args:
    codes: `[N, L]` finite numbers, what the trees are fitted to.
    factors: `[N, F]` integers, none negative or constant.
    test_codes: `[M, L]` held out.
    test_factors: `[M, F]`; values that `factors` lacks count as errors.
    backend: 'histogram' bins the latents, and is many times faster; 'sklearn'
      is `GradientBoostingClassifier` with its defaults.
    seed: breaks ties between splits.

  Returns:
    `disentanglement`, `completeness`, `informativeness_train`,
    `informativeness_test`, in 0 ... 1; per latent or factor as
    `disentanglement_per_latent` `[L]`, `completeness_per_factor` `[F]`,
    `informativeness_test_per_factor` `[F]`; `importance` `[L, F]`, whose
    columns sum to 1 (to 0 where no split reduced the error); the settings.

  Raises:
    ValueError: if the arrays are unfit or the backend is unknown.

  Source: Eastwood and Williams, https://openreview.net/forum?id=By-7dz-AZ, with
    the trees and weights of Locatello et al., https://arxiv.org/abs/1811.12359.
  """
  if backend not in ('histogram', 'sklearn'):
    raise ValueError(
      f"backend is {backend!r}, expected 'histogram', 'sklearn'."
    )
  codes, factors, test_codes, test_factors = inputs.check_split(
    codes, factors, test_codes, test_factors
  )
  codes, test_codes = inputs.in_float32(codes, test_codes)
  importance = np.empty((codes.shape[1], factors.shape[1]))
  train, test = np.empty((2, factors.shape[1]))
  fit = _histogram_trees if backend == 'histogram' else _sklearn_trees
  model = fit(codes, test_codes, seed)
  for j, labels in enumerate(factors.T):
    importance[:, j], fitted, predicted = model(labels)
    train[j] = np.mean(fitted == labels)
    test[j] = np.mean(predicted == test_factors[:, j])
  return {
    **concentration(importance),
    'informativeness_train': float(train.mean()),
    'informativeness_test': float(test.mean()),
    'informativeness_test_per_factor': test,
    'importance': importance,
    'backend': backend,
    'seed': seed,
  }


def concentration(importance: np.ndarray) -> dict[str, Any]:
  """Computes disentanglement and completeness of an importance matrix.

  Args:
    importance: `[L, F]`, none negative.

  Returns:
    `disentanglement`, `completeness`, `disentanglement_per_latent` `[L]` and
    `completeness_per_factor` `[F]`. Where all importance is 0, the score is 0.
    A single factor (latent) has disentanglement (completeness) 1.
  """
  per_latent = 1 - _relative_entropy(importance)
  per_factor = 1 - _relative_entropy(importance.T)
  total = importance.sum()
  rows, columns = importance.sum(1), importance.sum(0)
  return {
    'disentanglement': float(per_latent @ rows / total) if total else 0.0,
    'completeness': float(per_factor @ columns / total) if total else 0.0,
    'disentanglement_per_latent': per_latent,
    'completeness_per_factor': per_factor,
  }


def _histogram_trees(
  codes: np.ndarray, test_codes: np.ndarray, seed: int
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]:
  histogram = Histogram(codes)
  test_ranks = histogram.rank(test_codes, histogram.ranks.dtype)

  def model(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    trees = boosting.fit(histogram, labels, seed=seed)
    return (
      trees.importances,
      trees.predict(histogram.ranks),
      trees.predict(test_ranks),
    )

  return model


def _sklearn_trees(
  codes: np.ndarray, test_codes: np.ndarray, seed: int
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]:
  # Imported here: it takes longer than all other metrics' imports.
  from sklearn.ensemble import GradientBoostingClassifier

  def model(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    trees = GradientBoostingClassifier(random_state=seed).fit(codes, labels)
    return (
      trees.feature_importances_,
      trees.predict(codes),
      trees.predict(test_codes),
    )

  return model


def _relative_entropy(weights: np.ndarray) -> np.ndarray:
  """Each row's entropy over its largest possible: `[A, B]` to `[A]`."""
  if weights.shape[1] == 1:
    return np.zeros(len(weights))
  p = weights + 1e-11  # a row of zeros is spread evenly
  p = p / p.sum(1, keepdims=True)
  return -(p * np.log(p)).sum(1) / np.log(weights.shape[1])
