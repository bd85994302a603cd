"""Precision and recall of generated features, by nearest neighbours.

Precision is the share of generated points that lie where real ones do, recall
the share of real points that lie where generated ones do.

Source: Kynkaanniemi et al., https://arxiv.org/abs/1904.06991, section 2.
"""

import numpy as np

from structae.evaluation.images import moments

_ROWS = 1024  # of the distance matrix held at once


def precision_recall(
  features_real: np.ndarray,
  features_generated: np.ndarray,
  *,
  num_neighbors: int = 3,
) -> dict[str, object]:
  """Computes the k-nearest-neighbour precision and recall.

  A set covers a point that is no farther from one of its members than this
  member's own `num_neighbors`-th neighbour in the set.

  Args:
    features_real: `[N_r, D]`.
    features_generated: `[N_g, D]`.
    num_neighbors: `k`.

  Returns:
    `precision`, the part of the generated points that the real set covers;
    `recall`, the part of the real points that the generated set covers; both
    in [0, 1]; and the settings `num_real`, `num_generated`, `num_neighbors`.

  Raises:
    ValueError: if a set is no finite matrix of more than `k` rows, or the
      dimensions differ.
  """
  real, fake = moments.as_pair(
    features_real=features_real, features_generated=features_generated
  )
  if not 1 <= num_neighbors < min(len(real), len(fake)):
    raise ValueError(
      f'num_neighbors must be 1 to {min(len(real), len(fake)) - 1}, less than '
      f'the rows of the smaller set, got {num_neighbors}.'
    )
  # Distances are differences of squares: a common shift would cost digits.
  center = real.mean(axis=0)
  real, fake = real - center, fake - center
  return {
    'precision': _covered(real, fake, num_neighbors),
    'recall': _covered(fake, real, num_neighbors),
    'num_real': len(real),
    'num_generated': len(fake),
    'num_neighbors': num_neighbors,
  }


def _covered(support: np.ndarray, points: np.ndarray, k: int) -> float:
  """The part of the points inside a ball around a member of the support."""
  inside = np.zeros(len(points), bool)
  for start in range(0, len(support), _ROWS):
    block = support[start : start + _ROWS]
    # A point is its own nearest neighbour, at distance 0: take the k+1-th.
    within = _squared_distances(block, support)
    radii = np.partition(within, k, axis=1)[:, k]
    between = _squared_distances(block, points)
    inside |= (between <= radii[:, None]).any(axis=0)
  return float(inside.mean())


def _squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
  norms = np.sum(x**2, axis=1)[:, None] + np.sum(y**2, axis=1)
  squared = norms - 2 * (x @ y.T)
  # What is below the rounding of its terms is a copy.
  squared[squared < 1e-13 * norms] = 0
  return squared
