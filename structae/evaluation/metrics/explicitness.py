"""Explicitness: how well a linear classifier reads each factor from a code.

Source: Ridgeway and Mozer, https://arxiv.org/abs/1802.05312, section 3.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.probes import logistic, standardized


def explicitness(
  codes: ArrayLike,
  factors: ArrayLike,
  test_codes: ArrayLike,
  test_factors: ArrayLike,
) -> dict[str, Any]:
  """Computes the area under the ROC curve of linear probes of all latents.

  Per factor, logistic regression on standardised latents; then the area under
  the ROC curve of every value against the rest, averaged over values, then
  over factors. Constant latents are left out.

  Args:
    codes: `[N, L]` finite numbers, what the probe is fitted to.
    factors: `[N, F]` integers, none negative or constant.
    test_codes: `[M, L]` held out.
    test_factors: `[M, F]`; an area needs rows of the value and of others, so
      values that are missing here, or unknown to `factors`, are left out. A
      factor without any area scores .5.

  Returns:
    `explicitness_train` and `explicitness_test`, .5 (chance) ... 1;
    `explicitness_test_per_factor` `[F]`; `converged`, whether all fits ended
    before scikit-learn's limit of 100 steps.

  Raises:
    ValueError: if the arrays are unfit.

  Source: Ridgeway and Mozer, https://arxiv.org/abs/1802.05312, section 3.
    Versions of scikit-learn before 0.22 fitted one-vs-rest, and score .02 less.
  """
  codes, factors, test_codes, test_factors = inputs.check_split(
    codes, factors, test_codes, test_factors
  )
  codes, test_codes = standardized(codes, test_codes)
  train, test = np.full((2, factors.shape[1]), 0.5)
  converged = True
  if codes.shape[1]:
    for j, labels in enumerate(factors.T):
      model = logistic(codes, labels)
      converged &= bool(model.n_iter_.max() < model.max_iter)
      train[j] = _area(model, codes, labels)
      test[j] = _area(model, test_codes, test_factors[:, j])
  return {
    'explicitness_train': float(train.mean()),
    'explicitness_test': float(test.mean()),
    'explicitness_test_per_factor': test,
    'converged': converged,
  }


def _area(model: Any, codes: np.ndarray, labels: np.ndarray) -> float:
  """The mean area under the ROC curve of each class against the rest."""
  from scipy.stats import rankdata

  positive = labels[:, None] == model.classes_
  num = positive.sum(0)
  usable = (num > 0) & (num < len(labels))
  if not usable.any():
    return 0.5
  ranks = rankdata(model.predict_proba(codes)[:, usable], axis=0)
  num, positive = num[usable], positive[:, usable]
  wins = (ranks * positive).sum(0) - num * (num + 1) / 2
  return float((wins / (num * (len(labels) - num))).mean())
