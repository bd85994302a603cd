"""Classifiers that predict factors from codes: forests, logistic regression."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs


def probe(
  codes: ArrayLike,
  factors: ArrayLike,
  test_codes: ArrayLike,
  test_factors: ArrayLike,
  *,
  num_trees: int = 30,
  seed: int = 0,
) -> dict[str, Any]:
  """Fits a random forest per factor, and computes its held-out accuracy.

  A forest, because hues lie on a circle, and no linear classifier can cut a
  circle into arcs.

  Args:
    codes: `[N, L]` finite numbers, what the forest is fitted to.
    factors: `[N, F]` integers, none negative or constant.
    test_codes: `[M, L]` held out.
    test_factors: `[M, F]`.
    num_trees: the number of trees of a forest.
    seed: of the forest.

  Returns:
    `accuracy` `[F]`, the share of held-out examples whose value is predicted,
    0 to 1; `chance` `[F]`, the share of the commonest training value;
    `num_trees`, `seed`.

  Raises:
    ValueError: if the arrays are unfit.

  Source: Breiman, Random Forests, Machine Learning 45 (2001).
  """
  from sklearn.ensemble import RandomForestClassifier

  codes, factors, test_codes, test_factors = inputs.check_split(
    codes, factors, test_codes, test_factors
  )
  accuracy, chance = [], []
  for column, test_column in zip(factors.T, test_factors.T):
    forest = RandomForestClassifier(
      num_trees, min_samples_leaf=2, n_jobs=-1, random_state=seed
    ).fit(codes, column)
    # Threads would add the trees' votes in the order in which they end.
    forest.set_params(n_jobs=1)
    accuracy.append(forest.score(test_codes, test_column))
    values, counts = np.unique(column, return_counts=True)
    commonest = values[counts.argmax()]
    chance.append((test_column == commonest).mean())
  return {
    'accuracy': np.array(accuracy),
    'chance': np.array(chance),
    'num_trees': num_trees,
    'seed': seed,
  }


def standardized(codes: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
  """Drops constant latents, and gives the rest mean 0 and variance 1.

  Args:
    codes: `[N, L]` what mean and variance are taken from.
    *others: `[M, L]` more of the same latents.

  Returns:
    All of them, without the latents that are constant in `codes`.
  """
  alive = inputs.varying(codes)
  units = inputs.units(codes[:, alive])
  first = codes[:, alive] / units
  mean, scale = first.mean(0), first.std(0)
  return [(z[:, alive] / units - mean) / scale for z in (codes, *others)]


def logistic(codes: np.ndarray, labels: np.ndarray, **settings: Any) -> Any:
  """Fits scikit-learn's logistic regression, 100 steps at most, unwarned."""
  from sklearn.exceptions import ConvergenceWarning
  from sklearn.linear_model import LogisticRegression

  with warnings.catch_warnings():
    warnings.simplefilter('ignore', ConvergenceWarning)
    return LogisticRegression(**settings).fit(codes, labels)
