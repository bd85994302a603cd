"""Interventions on codes: draws of rows in which one factor is fixed.

The FactorVAE and the BetaVAE score fix one factor and resample the rest. With
the codes of a full grid, every combination of values once, drawing rows of
equal value does exactly that. With a pool of codes the rest is drawn from the
pool: where factors depend on each other, or few rows share a value, it is
another score. `protocol` in the answer names which of the two it was.
"""

from typing import Any

import numpy as np

BATCHES_AT_ONCE = 500


class Intervention:
  """Draws rows that share the value of one factor with a given row.

  Attributes:
    rows: the rows whose value is not theirs alone.
  """

  def __init__(self, values: np.ndarray) -> None:
    """Takes the factor's values `[N]`."""
    self._order = np.argsort(values, kind='stable')
    _, self._value, self._counts = np.unique(
      values, return_inverse=True, return_counts=True
    )
    self._starts = np.cumsum(self._counts) - self._counts
    self.rows = np.flatnonzero(self._counts[self._value] > 1)

  def draw(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For every row, of any shape, one of those that share its value."""
    value = self._value[rows]
    place = (rng.random(rows.shape) * self._counts[value]).astype(int)
    return self._order[self._starts[value] + place]


def interventions(factors: np.ndarray) -> list[Intervention]:
  """One intervention for every factor of `[N, F]`.

  Raises:
    ValueError: if no two rows share a value of some factor.
  """
  found = [Intervention(values) for values in factors.T]
  for j, intervention in enumerate(found):
    if not len(intervention.rows):
      raise ValueError(f'no two rows share a value of factor {j}.')
  return found


def is_grid(factors: np.ndarray) -> bool:
  """Whether factors `[N, F]` hold every combination of values once."""
  combinations = np.prod([float(len(np.unique(v))) for v in factors.T])
  if combinations != len(factors):
    return False
  return len(np.unique(factors, axis=0)) == len(factors)


def settings(
  factors: np.ndarray, num_train: int, num_test: int, size: int, seed: int
) -> dict[str, Any]:
  """The settings that define either score, for its answer."""
  return {
    'protocol': 'grid' if is_grid(factors) else 'pool',
    'num_train': num_train,
    'num_test': num_test,
    'batch_size': size,
    'seed': seed,
  }
