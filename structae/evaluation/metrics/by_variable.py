"""MIG, DCI and IRS of whole variables, of D numbers each.

A score over single latents underestimates a model whose variables are D
numbers wide: information that is spread within a variable looks redundant.
These take `[N, K, D]` and keep a variable together; with D = 1 they equal the
ordinary scores. Sources are those of the scores; their extension to variables
is this project's.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.dci import concentration, dci
from structae.evaluation.metrics.irs import robustness
from structae.evaluation.metrics.mig import gap
from structae.evaluation.metrics.mutual_information import (
  discretize,
  entropy,
  information_matrix,
)


def mig_by_variable(
  codes: ArrayLike, factors: ArrayLike, *, num_bins: int = 20
) -> dict[str, Any]:
  """Computes the mutual information gap between variables.

  A variable's information on a factor is that of its most informative
  projection to one number, among the D coordinates and the directions that
  separate the factor's values best (Fisher's discriminants). By the data
  processing inequality this is a lower bound where frequencies are known; of N
  rows it is biased upward, as the largest of several estimates (.31 nats of
  noise at N = 500, D = 16). Unlike a histogram of D axes it needs no more rows
  as D grows.

  Args:
    codes: `[N, K, D]` finite numbers, K of 2 or more.
    factors: `[N, F]` integers, none negative or constant.
    num_bins: the number of bins of a projection.

  Returns:
    `mig_by_variable`, in 0 ... 1; `variable_information` `[K, F]` in nats;
    `num_bins`.

  Raises:
    ValueError: if the arrays are unfit, or there are fewer than two variables.
  """
  codes, factors = _check(codes, factors)
  num, num_variables, width = codes.shape
  if num_variables < 2:
    raise ValueError('mig_by_variable compares two variables, there is 1.')
  flat = discretize(codes.reshape(num, -1), num_bins)
  matrix = information_matrix(flat, factors)
  matrix = matrix.reshape(num_variables, width, -1).max(1)
  if width > 1:
    for k in range(num_variables):
      for j in range(factors.shape[1]):
        values = factors[:, j : j + 1]
        z = _discriminants(codes[:, k], values[:, 0])
        found = information_matrix(discretize(z, num_bins), values)
        matrix[k, j] = max(matrix[k, j], found.max(initial=0))
  gaps = gap(matrix) / entropy(factors)
  return {
    'mig_by_variable': float(gaps.mean()),
    'variable_information': matrix,
    'num_bins': num_bins,
  }


def dci_by_variable(
  codes: ArrayLike,
  factors: ArrayLike,
  test_codes: ArrayLike,
  test_factors: ArrayLike,
  *,
  backend: Literal['histogram', 'sklearn'] = 'histogram',
  seed: int = 0,
) -> dict[str, Any]:
  """Computes the disentanglement and completeness of variables.

  The trees are fitted to all K * D numbers; a variable's importance is the sum
  of its numbers' importances.

  Args:
    codes: `[N, K, D]` finite numbers.
    factors: `[N, F]` integers, none negative or constant.
    test_codes: `[M, K, D]` held out.
    test_factors: `[M, F]`.
    backend: as of `dci`.
    seed: as of `dci`.

  Returns:
    `disentanglement_by_variable`, `completeness_by_variable`, in 0 ... 1;
    `variable_importance` `[K, F]`; the settings.

  Raises:
    ValueError: if the arrays are unfit.
  """
  shape = np.shape(codes)
  codes, labels = _check(codes, factors)
  test_codes = np.asarray(test_codes)
  if test_codes.shape[1:] != shape[1:]:
    raise ValueError(
      f'test_codes must be [M, {shape[1]}, {shape[2]}], '
      f'got shape {test_codes.shape}.'
    )
  ordinary = dci(
    codes.reshape(len(codes), -1),
    labels,
    test_codes.reshape(len(test_codes), -1),
    test_factors,
    backend=backend,
    seed=seed,
  )
  return by_variable(ordinary, shape[1])


def by_variable(ordinary: dict[str, Any], num_variables: int) -> dict[str, Any]:
  """The result of `dci_by_variable`, from that of `dci` over all numbers.

  Args:
    ordinary: the result of `dci` for codes `[N, K * D]`.
    num_variables: K.
  """
  matrix = ordinary['importance']
  matrix = matrix.reshape(num_variables, -1, matrix.shape[1]).sum(1)
  scores = concentration(matrix)
  return {
    'disentanglement_by_variable': scores['disentanglement'],
    'completeness_by_variable': scores['completeness'],
    'variable_importance': matrix,
    'backend': ordinary['backend'],
    'seed': ordinary['seed'],
  }


def irs_by_variable(
  codes: ArrayLike,
  factors: ArrayLike,
  *,
  quantile: float = 0.99,
  num_bins: int = 20,
) -> dict[str, Any]:
  """Computes the interventional robustness of variables.

  As `irs`, where a variable's deviation from a mean is the Euclidean length of
  its D numbers' difference.

  Args:
    codes: `[N, K, D]` finite numbers.
    factors: `[N, F]` integers, none negative or constant.
    quantile: as of `irs`.
    num_bins: as of `irs`.

  Returns:
    `irs_by_variable`, at most 1; `irs_matrix_by_variable` `[K, F]`;
    `num_active`, the number of variables that vary; the settings.

  Raises:
    ValueError: if the arrays are unfit or the quantile is not in 0 ... 1.
  """
  codes, factors = _check(codes, factors)
  found = robustness(codes, factors, quantile, num_bins)
  del found['irs_per_latent']
  return {
    'irs_by_variable': found.pop('irs'),
    'irs_matrix_by_variable': found.pop('irs_matrix'),
    **found,
  }


def _check(
  codes: ArrayLike, factors: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
  array = np.asarray(codes)
  if array.ndim != 3:
    raise ValueError(f'codes must be [N, K, D], got shape {array.shape}.')
  flat, labels = inputs.check_pair(array.reshape(len(array), -1), factors)
  return flat.reshape(array.shape), labels


def _discriminants(codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
  """Fisher's discriminants: projections `[N, <= D]` that separate labels best.

  The directions are those of largest variance between the labels' means, in
  units of the variance within labels.
  """
  codes = codes[:, inputs.varying(codes)]
  if not codes.shape[1]:
    return codes
  own = np.unique(labels, return_inverse=True)[1]
  sums = np.stack([np.bincount(own, z) for z in codes.T], axis=1)
  means = (sums / np.bincount(own)[:, None])[own]
  within = np.linalg.svd(codes - means, full_matrices=False)
  # Directions without any variance within labels would be divided by 0.
  scale = np.maximum(within.S, 1e-9 * max(within.S.max(initial=0), 1e-300))
  whitened = within.Vh.T / scale
  centred = (means - codes.mean(0)) @ whitened
  _, _, directions = np.linalg.svd(centred, full_matrices=False)
  return codes @ whitened @ directions.T
