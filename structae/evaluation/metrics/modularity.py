"""Modularity: whether each latent is informative of one factor only.

Source: Ridgeway and Mozer, https://arxiv.org/abs/1802.05312, section 3.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.mutual_information import (
  discretize,
  information_matrix,
)


def modularity(
  codes: ArrayLike, factors: ArrayLike, *, num_bins: int = 20
) -> dict[str, Any]:
  """Computes the modularity.

  For a latent with information I_j on factor j, and m the largest of them:
  1 - (sum_j I_j^2 - m^2) / (m^2 (F - 1)); averaged over all latents. A latent
  without any information scores 0, so constant latents lower the average. Only
  ratios matter: codes of pure noise still score about .7.

  Args:
    codes: `[N, L]` finite numbers.
    factors: `[N, F]` integers, none negative or constant, F of 2 or more.
    num_bins: the number of bins of a latent.

  Returns:
    `modularity`, in 0 ... 1; `modularity_per_latent` `[L]`;
    `mutual_information` `[L, F]` in nats; `num_bins`.

  Raises:
    ValueError: if the arrays are unfit, or there are fewer than two factors.

  Source: Ridgeway and Mozer, https://arxiv.org/abs/1802.05312, section 3, as
    computed by Locatello et al., https://arxiv.org/abs/1811.12359.
  """
  codes, factors = inputs.check_pair(codes, factors)
  if factors.shape[1] < 2:
    raise ValueError('modularity compares two factors, there is 1.')
  matrix = information_matrix(discretize(codes, num_bins), factors)
  largest = matrix.max(1) ** 2
  rest = (matrix**2).sum(1) - largest
  alive = largest > 0
  per_latent = np.zeros(len(matrix))
  per_latent[alive] = 1 - rest[alive] / (
    largest[alive] * (factors.shape[1] - 1)
  )
  return {
    'modularity': float(per_latent.mean()),
    'modularity_per_latent': per_latent,
    'mutual_information': matrix,
    'num_bins': num_bins,
  }
