"""The dependence between the variables of a code, which hybrid sampling drops.

A hybrid sample takes every variable from another example, so it keeps the
marginals and loses all dependence between variables: these scores measure the
loss, without any factors.
"""

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.mutual_information import (
  discretize,
  information_matrix,
)

# Smaller eigenvalues of a correlation matrix are taken for rounding errors.
_SMALLEST = 1e-12


def gaussian_dependence(codes: ArrayLike) -> dict[str, Any]:
  """Computes the dependence of Gaussians with the codes' covariance.

  Args:
    codes: `[N, L]` finite numbers, N of 2 or more; constant latents are left
      out.

  Returns:
    `total_correlation`, .5 (sum log var - log det cov) in nats, 0 or more;
    `wasserstein_correlation`, the squared Wasserstein distance to the Gaussian
    without correlations, in squared units of the codes, and
    `wasserstein_correlation_normalized`, that over the total variance;
    `singular`: whether some latents are linear combinations of others, where
    the total correlation is infinite and a lower bound is returned.

  Raises:
    ValueError: if the codes are unfit.

  Source: Watanabe, Information theoretical analysis of multivariate
    correlation, 1960; Locatello et al., https://arxiv.org/abs/1811.12359.
  """
  z = _alive(codes)
  if z.shape[1] < 2:
    return {
      'total_correlation': 0.0,
      'wasserstein_correlation': 0.0,
      'wasserstein_correlation_normalized': 0.0,
      'singular': False,
    }
  spectrum = np.linalg.eigvalsh(_correlation(z))
  bounded = np.maximum(spectrum, _SMALLEST)
  unit = inputs.units(z).max()
  covariance = np.cov(z / unit, rowvar=False, ddof=0)
  scale = np.sqrt(np.diag(covariance))
  # tr (S diag(S))^(1/2), by the symmetric matrix of the same eigenvalues.
  product = np.linalg.eigvalsh(covariance * np.outer(scale, scale))
  root = np.sqrt(np.maximum(product, 0)).sum()
  variance = np.trace(covariance)
  distance = max(2 * (variance - root), 0.0)
  with np.errstate(over='ignore'):
    in_units = distance * unit**2
  inputs.check_answer(in_units)
  return {
    'total_correlation': float(max(-0.5 * np.log(bounded).sum(), 0.0)),
    'wasserstein_correlation': float(in_units),
    'wasserstein_correlation_normalized': float(distance / variance),
    'singular': bool((spectrum < _SMALLEST).any()),
  }


def pairwise_information(
  codes: ArrayLike, *, num_bins: int = 20
) -> dict[str, Any]:
  """Computes the mean mutual information of two latents, both in bins.

  Args:
    codes: `[N, L]` finite numbers, L of 2 or more.
    num_bins: the number of bins of equal width, over a latent's own range.

  Returns:
    `pairwise_information` in nats, the mean over pairs (a constant latent has
    none); `latent_information` `[L, L]`, the entropies on its diagonal;
    `num_bins`. Independent latents score about (bins - 1)^2 / 2N.

  Raises:
    ValueError: if the codes are unfit, or there are fewer than two latents.

  Source: Locatello et al., https://arxiv.org/abs/1811.12359, appendix C.
  """
  z = inputs.check_codes(codes)
  if z.shape[1] < 2:
    raise ValueError('pairwise_information compares two latents, there is 1.')
  bins = discretize(z, num_bins)
  matrix = information_matrix(bins, bins)
  above = matrix[np.triu_indices(len(matrix), 1)]
  return {
    'pairwise_information': float(above.mean()),
    'latent_information': matrix,
    'num_bins': num_bins,
  }


def distance_correlation(
  codes: ArrayLike, *, max_rows: int = 1000, seed: int = 0
) -> dict[str, Any]:
  """Computes the mean squared distance correlation of two variables.

  It is 0 only for independent variables, whatever the form of the dependence
  and however wide the variables are; the estimate is unbiased, so for
  independent ones it may be slightly negative.

  Args:
    codes: `[N, K, D]`, K variables of 2 or more, or `[N, L]`, N of 4 or more.
    max_rows: time and memory grow with its square; of more rows, so many are
      drawn.
    seed: of that draw.

  Returns:
    `distance_correlation`, the mean over pairs, at most 1;
    `distance_correlation_matrix` `[K, K]`, 0 for a constant variable; the
    settings.

  Raises:
    ValueError: if the codes are unfit.

  Source: Szekely and Rizzo, The distance correlation t-test of independence in
    high dimension, Journal of Multivariate Analysis 117, 2013.
  """
  z = np.asarray(codes)
  z = z[:, :, None] if z.ndim == 2 else z
  if z.ndim != 3 or z.shape[1] < 2 or len(z) < 4:
    raise ValueError(
      'codes must be [N, K, D] with N of 4, K of 2 or more, '
      f'got shape {np.shape(codes)}.'
    )
  inputs.check_finite(z, 'codes')
  if len(z) > max_rows:
    z = z[np.random.default_rng(seed).choice(len(z), max_rows, False)]
  z = z.astype(np.float64)
  # One unit for all numbers of a variable, whose distances they share.
  units = inputs.units(z).max(1)
  alive: np.ndarray = np.any(inputs.varying(z), axis=1)
  centred = [
    _centred(z[:, k] / units[k] if alive[k] else 0 * z[:, k])
    for k in range(z.shape[1])
  ]
  matrix = np.eye(len(centred))
  norms = [np.sqrt(max((a * a).sum(), 0)) for a in centred]
  for k, norm in enumerate(norms):
    matrix[k, k] = float(norm > 0)
  for i, j in combinations(range(len(centred)), 2):
    if norms[i] > 0 and norms[j] > 0:
      value = (centred[i] * centred[j]).sum() / (norms[i] * norms[j])
      matrix[i, j] = matrix[j, i] = value
  above = matrix[np.triu_indices(len(matrix), 1)]
  return {
    'distance_correlation': float(above.mean()),
    'distance_correlation_matrix': matrix,
    'max_rows': max_rows,
    'seed': seed,
  }


def _correlation(codes: np.ndarray) -> np.ndarray:
  covariance = np.cov(codes / inputs.units(codes), rowvar=False, ddof=0)
  scale = np.sqrt(np.diag(covariance))
  return covariance / np.outer(scale, scale)


def _alive(codes: ArrayLike) -> np.ndarray:
  z = inputs.check_codes(codes)
  if len(z) < 2:
    raise ValueError(f'{len(z)} rows of codes, expected 2 or more.')
  return z[:, inputs.varying(z)]


def _centred(values: np.ndarray) -> np.ndarray:
  """U-centred distances of rows `[N, D]`: `[N, N]`, 0 on the diagonal."""
  if values.shape[1] == 1:
    distance = np.abs(values - values.T)
  else:
    square = (values**2).sum(1)
    distance = square[:, None] + square - 2 * values @ values.T
    distance = np.sqrt(np.maximum(distance, 0))
    np.fill_diagonal(distance, 0)
  num = len(distance)
  if not distance.any():
    return distance
  rows = distance.sum(0) / (num - 2)
  mean = distance.sum() / ((num - 1) * (num - 2))
  distance = distance - rows - rows[:, None] + mean
  np.fill_diagonal(distance, 0)
  return distance
