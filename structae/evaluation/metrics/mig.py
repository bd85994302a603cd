"""MIG: by how much one latent is more informative of a factor than the rest.

Source: Chen et al., https://arxiv.org/abs/1802.04942, equation 6.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.mutual_information import (
  discretize,
  entropy,
  information_matrix,
)


def mig(
  codes: ArrayLike, factors: ArrayLike, *, num_bins: int = 20
) -> dict[str, Any]:
  """Computes the mutual information gap.

  For every factor, the mutual information of the most informative latent less
  that of the second, divided by the factor's entropy; averaged over factors.

  Args:
    codes: `[N, L]` finite numbers, L of 2 or more.
    factors: `[N, F]` integers, none negative or constant.
    num_bins: the number of bins of a latent.

  Returns:
    `mig`, in 0 ... 1; `mig_per_factor` `[F]`; `mutual_information` `[L, F]` in
    nats; `entropy` `[F]` in nats; `num_bins`.

  Raises:
    ValueError: if the arrays are unfit, or there are fewer than two latents.

  Source: Chen et al., https://arxiv.org/abs/1802.04942, equation 6.
  """
  codes, factors = inputs.check_pair(codes, factors)
  if codes.shape[1] < 2:
    raise ValueError('mig compares two latents, codes have 1.')
  matrix = information_matrix(discretize(codes, num_bins), factors)
  entropies = entropy(factors)
  gaps = gap(matrix) / entropies
  return {
    'mig': float(gaps.mean()),
    'mig_per_factor': gaps,
    'mutual_information': matrix,
    'entropy': entropies,
    'num_bins': num_bins,
  }


def gap(matrix: np.ndarray) -> np.ndarray:
  """Every column's largest value less its second: `[L, F]` to `[F]`."""
  ordered = np.sort(matrix, axis=0)
  return ordered[-1] - ordered[-2]
