"""KID: the kernel distance of two sets of features.

Unlike the Frechet distance its estimate has no bias in the number of samples.

Source: Binkowski et al., https://arxiv.org/abs/1801.01401, section 3.1.
"""

import numpy as np

from structae.evaluation.images import moments
from structae.evaluation.metrics import inputs


def kid(
  features_a: np.ndarray,
  features_b: np.ndarray,
  *,
  num_subsets: int = 100,
  subset_size: int = 1000,
  seed: int = 0,
) -> dict[str, object]:
  """Estimates the squared maximum mean discrepancy of two sets of features.

  The kernel is `(x . y / D + 1)^3`. Each subset, drawn without replacement,
  gives one unbiased estimate, which may be negative.

  Args:
    features_a: `[N_a, D]`.
    features_b: `[N_b, D]`.
    num_subsets: the number of estimates.
    subset_size: the number of rows each takes from either set.
    seed: of the draws.

  Returns:
    `kid`, the mean of the estimates; `kid_std`, their standard deviation, None
    where a subset is all of a set, so that estimates share its rows; and the
    settings `num_a`, `num_b`, `num_subsets`, `subset_size`, `seed`.

  Raises:
    ValueError: if a set is no finite matrix, the dimensions differ, or a
      subset is larger than a set.
  """
  a, b = moments.as_pair(features_a=features_a, features_b=features_b)
  if num_subsets < 1:
    raise ValueError(f'num_subsets must be 1 at least, got {num_subsets}.')
  most = min(len(a), len(b))
  if not 2 <= subset_size <= most:
    raise ValueError(
      f'subset_size must be 2 to {most}, the rows of the smaller set, got '
      f'{subset_size}.'
    )
  rng = np.random.default_rng(seed)
  estimates = [
    _mmd2(
      a[rng.choice(len(a), subset_size, replace=False)],
      b[rng.choice(len(b), subset_size, replace=False)],
    )
    for _ in range(num_subsets)
  ]
  spread = np.std(estimates)
  inputs.check_answer(estimates, spread)
  return {
    'kid': float(np.mean(estimates)),
    'kid_std': float(spread) if subset_size < most else None,
    'num_a': len(a),
    'num_b': len(b),
    'num_subsets': num_subsets,
    'subset_size': subset_size,
    'seed': seed,
  }


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
  return (x @ y.T / x.shape[1] + 1) ** 3


def _mmd2(x: np.ndarray, y: np.ndarray) -> float:
  """Gretton et al., JMLR 2012, equation 3: pairs within leave out i = j."""
  n = len(x)
  within = 0.0
  for z in (x, y):
    kernel = _kernel(z, z)
    within += (kernel.sum() - np.trace(kernel)) / (n * (n - 1))
  return float(within - 2 * _kernel(x, y).mean())
