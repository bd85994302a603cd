"""IRS: how little a latent moves while the factor it encodes is fixed.

Source: Suter et al., https://arxiv.org/abs/1811.00007, section 4.2.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.mutual_information import discretize


def irs(
  codes: ArrayLike,
  factors: ArrayLike,
  *,
  quantile: float = 0.99,
  num_bins: int = 20,
) -> dict[str, Any]:
  """Computes the interventional robustness score.

  With one factor fixed at a value, how far does a latent still move from its
  mean? The quantile of this deviation, averaged over the factor's values and
  divided by the latent's largest deviation of all, is the effect of the other
  factors. A latent's score is 1 less the smallest of these; the average weighs
  latents by their largest deviation, so scale matters. Pure noise scores about
  .3, since a quantile lies below the maximum.

  Args:
    codes: `[N, L]` finite numbers.
    factors: `[N, F]` integers, none negative or constant.
    quantile: of the deviations; 1 in the source, .99 in disentanglement_lib.
    num_bins: factors with more values are cut, in the order of their values,
      into so many bins.

  Returns:
    `irs`, at most 1, and 0 if all latents are constant; `irs_per_latent`
    `[L]`, `irs_matrix` `[L, F]` (both 0 for a constant latent);
    `num_active`, the number of latents that vary; the settings.

  Raises:
    ValueError: if the arrays are unfit or the quantile is not in 0 ... 1.

  Source: Suter et al., https://arxiv.org/abs/1811.00007, section 4.2.
  """
  codes, factors = inputs.check_pair(codes, factors)
  return robustness(codes[:, :, None], factors, quantile, num_bins)


def robustness(
  codes: np.ndarray, factors: np.ndarray, quantile: float, num_bins: int
) -> dict[str, Any]:
  """As `irs`, of variables `[N, K, D]`: deviations are Euclidean norms."""
  if not 0 <= quantile <= 1:
    raise ValueError(f'quantile is {quantile}, expected 0 ... 1.')
  alive = inputs.varying(codes).any(-1)
  matrix = np.zeros((codes.shape[1], factors.shape[1]))
  units = inputs.units(codes[:, alive]).max(-1)
  z = codes[:, alive] / units[:, None]
  largest = _deviation(z).max(0)
  # Values name classes: their ranks are binned, not the numbers.
  places = [np.unique(f, return_inverse=True)[1] for f in factors.T]
  for j, values in enumerate(discretize(np.stack(places, 1), num_bins).T):
    groups = [z[values == v] for v in np.unique(values)]
    spread = [np.quantile(_deviation(g), quantile, axis=0) for g in groups]
    if max(map(len, groups)) < 2:
      raise ValueError(
        f'no two rows share a value of factor {j}: none can be held.'
      )
    matrix[alive, j] = 1 - np.mean(spread, axis=0) / largest
  best = matrix.max(1)
  weights = largest * (units / units.max(initial=0))
  score = np.average(best[alive], weights=weights) if alive.any() else 0.0
  return {
    'irs': float(score),
    'irs_per_latent': best,
    'irs_matrix': matrix,
    'num_active': int(alive.sum()),
    'quantile': quantile,
    'num_bins': num_bins,
  }


def _deviation(codes: np.ndarray) -> np.ndarray:
  """The distance of every row from the mean: `[N, K, D]` to `[N, K]`."""
  difference = codes - codes.mean(0)
  if codes.shape[-1] == 1:
    return np.abs(difference[..., 0])
  return np.linalg.norm(difference, axis=-1)
