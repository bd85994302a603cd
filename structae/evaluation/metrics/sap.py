"""SAP: by how much one latent alone predicts a factor better than the rest.

Source: Kumar et al., https://arxiv.org/abs/1711.00848, section 3.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.mig import gap

_REGULARIZATION = 0.01


def sap(
  codes: ArrayLike,
  factors: ArrayLike,
  test_codes: ArrayLike,
  test_factors: ArrayLike,
  *,
  seed: int = 0,
) -> dict[str, Any]:
  """Computes the separated attribute predictability, by classifiers.

  The held-out accuracy of a linear SVM that predicts a factor from one latent
  alone: the best latent's less the second's, averaged over factors. A linear
  SVM on one number cannot single out middle values, so even perfect latents
  score about .4.

  Args:
    codes: `[N, L]` finite numbers, L of 2 or more.
    factors: `[N, F]` integers, none negative or constant.
    test_codes: `[M, L]` held out.
    test_factors: `[M, F]`.
    seed: of the solver.

  Returns:
    `sap`, in 0 ... 1; `accuracy` `[L, F]`; the SVM's `regularization`; `seed`.

  Raises:
    ValueError: if the arrays are unfit, or there are fewer than two latents.

  Source: Kumar et al., https://arxiv.org/abs/1711.00848, section 3, with the
    settings of Locatello et al., https://arxiv.org/abs/1811.12359.
  """
  # Imported here, so that metrics without probes need no scikit-learn.
  from sklearn.svm import LinearSVC

  codes, factors, test_codes, test_factors = inputs.check_split(
    codes, factors, test_codes, test_factors
  )
  _check_two(codes)
  # The solver would search for ever beside numbers of 1e300.
  codes, test_codes = inputs.in_float32(codes, test_codes)
  accuracy = np.empty((codes.shape[1], factors.shape[1]))
  for i in range(codes.shape[1]):
    for j, labels in enumerate(factors.T):
      model = LinearSVC(
        C=_REGULARIZATION, class_weight='balanced', random_state=seed
      )
      with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # the reference stops there as well
        model.fit(codes[:, i : i + 1], labels)
      predicted = model.predict(test_codes[:, i : i + 1])
      accuracy[i, j] = np.mean(predicted == test_factors[:, j])
  return {
    'sap': float(gap(accuracy).mean()),
    'accuracy': accuracy,
    'regularization': _REGULARIZATION,
    'seed': seed,
  }


def sap_continuous(codes: ArrayLike, factors: ArrayLike) -> dict[str, Any]:
  """Computes the separated attribute predictability, by correlations.

  The squared correlation of a factor, taken as a number, with the latent that
  correlates most, less that with the second; averaged over factors.

  Args:
    codes: `[N, L]` finite numbers, L of 2 or more.
    factors: `[N, F]` integers whose order has a meaning, none constant.

  Returns:
    `sap_continuous`, in 0 ... 1; `squared_correlation` `[L, F]`, 0 for a
    constant latent.

  Raises:
    ValueError: if the arrays are unfit, or there are fewer than two latents.

  Source: Kumar et al., https://arxiv.org/abs/1711.00848, equation 9.
  """
  codes, factors = inputs.check_pair(codes, factors)
  _check_two(codes)
  alive = inputs.varying(codes)
  squared = np.zeros((codes.shape[1], factors.shape[1]))
  z = codes[:, alive] / inputs.units(codes[:, alive])
  z = z - z.mean(0)
  v = factors - factors.mean(0)
  scale = np.sqrt(np.outer((z**2).sum(0), (v**2).sum(0)))
  squared[alive] = (z.T @ v / scale) ** 2
  return {
    'sap_continuous': float(gap(squared).mean()),
    'squared_correlation': squared,
  }


def _check_two(codes: np.ndarray) -> None:
  if codes.shape[1] < 2:
    raise ValueError('sap compares two latents, codes have 1.')
