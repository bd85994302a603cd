"""How well a small classifier reads each factor from a code."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.ensemble import RandomForestClassifier

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
  """Fits a random forest per factor and counts what it gets right.

  A forest, because hues lie on a circle and no linear classifier can cut a
  circle into arcs.

  Args:
    codes: `[N, L]` finite numbers, to fit on.
    factors: `[N, F]` integers.
    test_codes: `[M, L]`, to count on.
    test_factors: `[M, F]`.
    num_trees: trees of a forest.
    seed: of the forest.

  Returns:
    `accuracy` `[F]`, the share of test examples whose value is told, 0 to 1;
    `chance` `[F]`, the share of the commonest value; `num_trees`, `seed`.

  Raises:
    ValueError: if the arrays are unfit.

  Source: Breiman, Random Forests, Machine Learning 45 (2001).
  """
  codes, factors, test_codes, test_factors = inputs.check_split(
    codes, factors, test_codes, test_factors
  )
  accuracy, chance = [], []
  for column, test_column in zip(factors.T, test_factors.T):
    forest = RandomForestClassifier(
      num_trees, min_samples_leaf=2, n_jobs=-1, random_state=seed
    ).fit(codes, column)
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
