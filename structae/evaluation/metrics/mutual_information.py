"""The mutual information of latents and factors, estimated by histograms.

MIG, modularity and the scores by variable share these estimates.
"""

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs


def mutual_information(
  codes: ArrayLike, factors: ArrayLike, *, num_bins: int = 20
) -> np.ndarray:
  """Estimates the mutual information of every latent with every factor.

  A latent is cut into bins of equal width between its own smallest and largest
  value; the information is that of the observed frequencies, with no
  correction: independent data get about (bins - 1)(values - 1) / 2N nats.

  Args:
    codes: `[N, L]` finite numbers.
    factors: `[N, F]` integers, none negative or constant.
    num_bins: the number of bins of a latent.

  Returns:
    `[L, F]` float64 in nats, each between 0 and the factor's entropy. A
    constant latent gets exactly 0.

  Raises:
    ValueError: if the arrays are unfit or `num_bins` is below 2.

  Source: Locatello et al., https://arxiv.org/abs/1811.12359, appendix C.
  """
  codes, factors = inputs.check_pair(codes, factors)
  return information_matrix(discretize(codes, num_bins), factors)


def discretize(codes: np.ndarray, num_bins: int) -> np.ndarray:
  """Cuts every column into bins of equal width over its own range.

  Args:
    codes: `[N, L]` finite numbers.
    num_bins: the number of bins of a column.

  Returns:
    `[N, L]` int64 in 0 ... num_bins - 1; the largest value falls into the last
    bin, and a column that is constant, up to rounding, into a single one.

  Raises:
    ValueError: if `num_bins` is below 2.
  """
  if num_bins < 2:
    raise ValueError(f'num_bins is {num_bins}, expected 2 or more.')
  bins = np.empty(codes.shape[::-1], np.int64)
  steps = 2 * num_bins * np.spacing(np.abs(codes).max(0))
  fine = inputs.varying(codes) & (np.ptp(codes, axis=0) > steps)
  for row, column, some in zip(bins, np.ascontiguousarray(codes.T), fine):
    if not some:  # there are no numbers for as many edges
      row[:] = 0
      continue
    inner = np.histogram_bin_edges(column, num_bins)[1:-1]
    row[:] = np.searchsorted(inner, column, side='right')
  return bins.T


def entropy(factors: np.ndarray) -> np.ndarray:
  """The entropy of every column's observed frequencies: `[F]`, in nats."""
  # Values name classes and may be large: counts of those that occur.
  counts = (np.unique(column, return_counts=True)[1] for column in factors.T)
  return np.array([_entropy_of(count) for count in counts])


def information_matrix(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  """The mutual information of every column of `a` with every column of `b`.

  Args:
    a: `[N, L]` integers from 0, few of them.
    b: `[N, F]` integers from 0.

  Returns:
    `[L, F]` float64 in nats, of the observed frequencies.
  """
  information = np.empty((a.shape[1], b.shape[1]))
  for j, values in enumerate(b.T):
    columns = np.unique(values, return_inverse=True)[1]
    size = columns.max() + 1
    for i, rows in enumerate(np.ascontiguousarray(a.T)):
      joint = np.bincount(rows * size + columns)
      information[i, j] = _information_of(
        np.pad(joint, (0, -len(joint) % size)).reshape(-1, size)
      )
  return information


def _entropy_of(counts: np.ndarray) -> float:
  p = counts[counts > 0] / counts.sum()
  return float(-(p * np.log(p)).sum())


def _information_of(joint: np.ndarray) -> float:
  if (joint.sum(1) > 0).sum() < 2:
    return 0.0  # a single bin: the sums below would leave a rounding error
  value = (
    _entropy_of(joint.sum(0))
    + _entropy_of(joint.sum(1))
    - _entropy_of(joint.ravel())
  )
  return max(value, 0.0)
