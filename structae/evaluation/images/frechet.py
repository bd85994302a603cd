"""The Frechet distance of two sets of features, as Gaussians.

`|m_a - m_b|^2 + tr S_a + tr S_b - 2 tr (S_a S_b)^(1/2)`. With factors
`S = F^T F` the last trace is the nuclear norm of `F_a F_b^T`, which needs no
matrix square root and no inverse, so covariances may be singular.

Sources: Dowson and Landau, 1982; Heusel et al.,
https://arxiv.org/abs/1706.08500, section 3.
"""

import numpy as np

from structae.evaluation.images import moments
from structae.evaluation.metrics import inputs

# Covariances whose Cholesky pivots span more than this take the slower way.
_WELL_CONDITIONED = 1e-11
# From this size on the faster way to singular values is tried first.
_LARGE = 512
# The error of a covariance rounded to float32, relative to its largest entry.
_ASYMMETRY = 1e-5


def frechet_distance(
  features_a: np.ndarray, features_b: np.ndarray
) -> dict[str, object]:
  """Computes the squared Frechet distance of two sets of features.

  Covariances are unbiased. With fewer rows than dimensions the distance is
  exact for the sample but biased upward for its source; compare at equal `N`.

  Args:
    features_a: `[N_a, D]`.
    features_b: `[N_b, D]`.

  Returns:
    `frechet_distance` (at least 0); its parts `mean_distance` and
    `covariance_distance`; `num_a`, `num_b`, `num_dimensions`.

  Raises:
    ValueError: if a set is no finite matrix of two rows at least, or the
      dimensions differ.
  """
  a, b = moments.as_pair(features_a=features_a, features_b=features_b)
  for name, rows in (('features_a', a), ('features_b', b)):
    if len(rows) < 2:
      raise ValueError(f'{name} must have 2 rows at least, got {len(rows)}.')
  sizes = {'num_a': len(a), 'num_b': len(b)}
  if max(len(a), len(b)) > a.shape[1]:
    sides = (moments.moments(a), moments.moments(b))
    inputs = [x for m in sides for x in (m.mean, m.covariance)]
    return {**frechet_distance_from_moments(*inputs), **sizes}
  mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
  factor_a = (a - mean_a) / np.sqrt(len(a) - 1)
  factor_b = (b - mean_b) / np.sqrt(len(b) - 1)
  traces = np.sum(factor_a**2) + np.sum(factor_b**2)
  # Rows about their mean span one dimension less than their number.
  overlap = _nuclear_norm(factor_a, factor_b, min(len(a), len(b)) - 1)
  return {**_distance(mean_a, mean_b, traces - 2 * overlap), **sizes}


def frechet_distance_from_moments(
  mean_a: np.ndarray,
  cov_a: np.ndarray,
  mean_b: np.ndarray,
  cov_b: np.ndarray,
) -> dict[str, object]:
  """Computes the squared Frechet distance of two Gaussians.

  Args:
    mean_a: `[D]`.
    cov_a: `[D, D]`, symmetric and positive semidefinite.
    mean_b: `[D]`.
    cov_b: `[D, D]`.

  Returns:
    `frechet_distance` (at least 0); its parts `mean_distance` and
    `covariance_distance`; `num_dimensions`.

  Raises:
    ValueError: if shapes do not match, a number is not finite, or a matrix is
      no covariance.
  """
  mean_a, cov_a = _as_gaussian(mean_a, cov_a, 'a')
  mean_b, cov_b = _as_gaussian(mean_b, cov_b, 'b')
  if mean_a.shape != mean_b.shape:
    raise ValueError(
      f'mean_a has {len(mean_a)} dimensions, mean_b {len(mean_b)}.'
    )
  traces = np.trace(cov_a) + np.trace(cov_b)
  overlap = _trace_of_root(cov_a, cov_b)
  return _distance(mean_a, mean_b, traces - 2 * overlap)


def _distance(
  mean_a: np.ndarray, mean_b: np.ndarray, spread: float
) -> dict[str, object]:
  # Rounding can bring identical sets below zero.
  spread = max(float(spread), 0.0)
  shift = float(np.sum((mean_a - mean_b) ** 2))
  inputs.check_answer(shift, spread)
  return {
    'frechet_distance': shift + spread,
    'mean_distance': shift,
    'covariance_distance': spread,
    'num_dimensions': len(mean_a),
  }


def _nuclear_norm(
  factor_a: np.ndarray, factor_b: np.ndarray, rank: int
) -> float:
  """The sum of the singular values of `F_a F_b^T`, of at most this rank."""
  product = factor_a @ factor_b.T
  if not product.size:  # a set without any spread
    return 0.0
  if min(product.shape) > _LARGE:
    roots = _roots_of_squares(product, rank)
    # Directions below the rounding error contribute as much as the error.
    noise = np.sqrt(10 * np.finfo(np.float64).eps) * roots.max()
    if np.sum(roots < 30 * noise) * noise <= 1e-9 * roots.sum():
      return float(roots.sum())
  return float(np.linalg.svd(product, compute_uv=False).sum())


def _roots_of_squares(product: np.ndarray, rank: int) -> np.ndarray:
  """Singular values by eigenvalues: several times faster, half the digits."""
  wide = product if product.shape[0] <= product.shape[1] else product.T
  squares = np.linalg.eigvalsh(wide @ wide.T)[-rank:]
  return np.sqrt(np.clip(squares, 0, None))


def _trace_of_root(cov_a: np.ndarray, cov_b: np.ndarray) -> float:
  """`tr (S_a S_b)^(1/2)`, the sum of the roots of the eigenvalues."""
  root_a = _cholesky(cov_a)
  if root_a is not None and _cholesky(cov_b) is not None:
    product = root_a.T @ cov_b @ root_a
    eigenvalues = np.linalg.eigvalsh((product + product.T) / 2)
    return float(np.sqrt(np.clip(eigenvalues, 0, None)).sum())
  # Roots of rounding errors in null directions would add up: leave them out.
  factor_a, factor_b = _factor(cov_a), _factor(cov_b)
  rank = min(len(factor_a), len(factor_b))
  return _nuclear_norm(factor_a, factor_b, rank)


def _cholesky(cov: np.ndarray) -> np.ndarray | None:
  try:
    root = np.linalg.cholesky(cov)
  except np.linalg.LinAlgError:
    return None
  pivots = np.diag(root) ** 2
  return root if pivots.min() > _WELL_CONDITIONED * pivots.max() else None


def _factor(cov: np.ndarray) -> np.ndarray:
  """`F` of `S = F^T F`, with as many rows as `S` has ranks."""
  eigenvalues, vectors = np.linalg.eigh(cov)
  if eigenvalues[0] < -_ASYMMETRY * abs(eigenvalues[-1]):
    raise ValueError(
      f'A covariance has the eigenvalue {eigenvalues[0]:.3g}, below zero.'
    )
  noise = len(cov) * np.finfo(np.float64).eps * eigenvalues[-1]
  kept = eigenvalues > noise
  return np.sqrt(eigenvalues[kept])[:, None] * vectors[:, kept].T


def _as_gaussian(
  mean: np.ndarray, cov: np.ndarray, side: str
) -> tuple[np.ndarray, np.ndarray]:
  mean, cov = np.asarray(mean), np.asarray(cov)
  if mean.ndim != 1 or not len(mean) or cov.shape != (len(mean), len(mean)):
    raise ValueError(
      f'mean_{side} must be [D] and cov_{side} [D, D], got {mean.shape} and '
      f'{cov.shape}.'
    )
  inputs.check_finite(mean, f'mean_{side}')
  inputs.check_finite(cov, f'cov_{side}')
  mean, cov = mean.astype(np.float64), cov.astype(np.float64)
  scale = np.abs(cov).max()
  if np.abs(cov - cov.T).max() > _ASYMMETRY * scale:
    raise ValueError(f'cov_{side} is not symmetric; is it a covariance?')
  if np.diag(cov).min() < -_ASYMMETRY * scale:
    raise ValueError(f'cov_{side} has a negative variance.')
  return mean, (cov + cov.T) / 2
