"""Scores of simple predictors: logistic probes, linear SVMs, correlation."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.mig import gap


def explicitness(
  codes: ArrayLike,
  factors: ArrayLike,
  test_codes: ArrayLike,
  test_factors: ArrayLike,
) -> dict[str, Any]:
  """How well a linear probe of all latents tells a factor's values apart.

  Per factor, logistic regression on standardised latents; then the area under
  the ROC curve of every value against the rest, averaged over values, then
  over factors. Constant latents are left out.

  Args:
    codes: `[N, L]` finite numbers, what the probe is fitted to.
    factors: `[N, F]` integers, none negative or constant.
    test_codes: `[M, L]` held out.
    test_factors: `[M, F]`; an area needs rows of the value and of others, so
      values that are missing here, or unknown to `factors`, are left out. A
      factor without any area counts .5.

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
  (codes, test_codes), _ = standardized(codes, test_codes)
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


def sap(
  codes: ArrayLike,
  factors: ArrayLike,
  test_codes: ArrayLike,
  test_factors: ArrayLike,
  *,
  seed: int = 0,
) -> dict[str, Any]:
  """Separated attribute predictability, with classifiers.

  The held-out accuracy with which a linear SVM tells a factor from one latent
  alone: the best latent's less the next one's, averaged over factors. One
  line cannot single out middle values, so even perfect latents get about .4.

  Args:
    codes: `[N, L]` finite numbers, L of 2 or more.
    factors: `[N, F]` integers, none negative or constant.
    test_codes: `[M, L]` held out.
    test_factors: `[M, F]`.
    seed: of the solver.

  Returns:
    `sap`, in 0 ... 1; `accuracy` `[L, F]`; the SVM's `regularization`.

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
  accuracy = np.empty((codes.shape[1], factors.shape[1]))
  for i in range(codes.shape[1]):
    for j, labels in enumerate(factors.T):
      model = LinearSVC(C=0.01, class_weight='balanced', random_state=seed)
      with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # the reference stops there as well
        model.fit(codes[:, i : i + 1], labels)
      guess = model.predict(test_codes[:, i : i + 1])
      accuracy[i, j] = np.mean(guess == test_factors[:, j])
  return {
    'sap': float(gap(accuracy).mean()),
    'accuracy': accuracy,
    'regularization': 0.01,
    'seed': seed,
  }


def sap_continuous(codes: ArrayLike, factors: ArrayLike) -> dict[str, Any]:
  """Separated attribute predictability, with squared correlations.

  The squared correlation of a factor, taken as a number, with the latent that
  correlates most, less that with the next one; averaged over factors.

  Args:
    codes: `[N, L]` finite numbers, L of 2 or more.
    factors: `[N, F]` integers whose order means something, none constant.

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
  z = codes[:, alive] - codes[:, alive].mean(0)
  v = factors - factors.mean(0)
  scale = np.sqrt(np.outer((z**2).sum(0), (v**2).sum(0)))
  squared[alive] = (z.T @ v / scale) ** 2
  return {
    'sap_continuous': float(gap(squared).mean()),
    'squared_correlation': squared,
  }


def standardized(
  codes: np.ndarray, *others: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
  """Drops constant latents, and gives the rest mean 0 and variance 1.

  Args:
    codes: `[N, L]` what mean and variance are taken from.
    *others: `[M, L]` more of the same latents.

  Returns:
    All of them, and which latents were kept: `[L]` booleans.
  """
  alive = inputs.varying(codes)
  mean, scale = codes[:, alive].mean(0), codes[:, alive].std(0)
  return [(z[:, alive] - mean) / scale for z in (codes, *others)], alive


def logistic(codes: np.ndarray, labels: np.ndarray, **settings: Any) -> Any:
  """Fits scikit-learn's logistic regression, at most 100 steps, in silence."""
  from sklearn.exceptions import ConvergenceWarning
  from sklearn.linear_model import LogisticRegression

  with warnings.catch_warnings():
    warnings.simplefilter('ignore', ConvergenceWarning)
    return LogisticRegression(**settings).fit(codes, labels)


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


def _check_two(codes: np.ndarray) -> None:
  if codes.shape[1] < 2:
    raise ValueError('sap compares two latents, codes have 1.')
