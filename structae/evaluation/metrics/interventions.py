"""Scores of batches that share a factor's value: FactorVAE's and BetaVAE's.

Both ask what happens when one factor is held and the rest are drawn anew. With
the codes of a full grid, every combination of values once, drawing rows of
equal value does exactly that. With a pool of codes it draws the rest from
the pool: where factors depend on each other, or few rows share a value, it
is another score. `protocol` in the answer says which.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.explicitness import logistic

_BATCHES_AT_ONCE = 500


def factor_vae_score(
  codes: ArrayLike,
  factors: ArrayLike,
  *,
  num_train: int = 10_000,
  num_test: int = 5_000,
  batch_size: int = 64,
  threshold: float = 0.05,
  seed: int = 0,
) -> dict[str, Any]:
  """The FactorVAE score: does the steadiest latent tell the held factor?

  In batches that share a factor's value, the latent of least variance, in units
  of its variance over all codes, votes for that factor. The score is the
  accuracy of the majority of the training votes on new batches.

  Args:
    codes: `[N, L]` of a full factor grid, or any pool.
    factors: `[N, F]` integers, none negative or constant.
    num_train: batches that vote.
    num_test: batches that are judged.
    batch_size: rows of a batch.
    threshold: latents of a smaller standard deviation are left out.
    seed: of the draws.

  Returns:
    `factor_vae_train` and `factor_vae_test`, 0 if no latent is left; `votes`
    `[L, F]`; `num_active`, how many latents are left; `protocol`, 'grid' or
    'pool'; the settings.

  Raises:
    ValueError: if the arrays are unfit, or no two rows share a value.

  Source: Kim and Mnih, https://arxiv.org/abs/1802.05983, section 4, with the
    threshold of Locatello et al., https://arxiv.org/abs/1811.12359.
  """
  codes, factors = inputs.check_pair(codes, factors)
  variance = codes.var(0, ddof=1)
  active = inputs.varying(codes) & (np.sqrt(variance) >= threshold)
  rng = np.random.default_rng(seed)
  votes = np.zeros((2, codes.shape[1], factors.shape[1]), int)
  for part, num in enumerate((num_train, num_test)):
    if not active.any():
      break
    for factor, rows in _batches(factors, num, batch_size, rng):
      spread = codes[:, active][rows].var(1, ddof=1) / variance[active]
      steadiest = np.flatnonzero(active)[spread.argmin(1)]
      np.add.at(votes[part], (steadiest, factor), 1)
  train, test = votes
  winner = train.argmax(1)
  right = test[np.arange(len(test)), winner].sum()
  return {
    'factor_vae_train': float(train.max(1).sum() / num_train),
    'factor_vae_test': float(right / num_test),
    'votes': train,
    'num_active': int(active.sum()),
    **_settings(factors, num_train, num_test, batch_size, seed),
    'threshold': threshold,
  }


def beta_vae_score(
  codes: ArrayLike,
  factors: ArrayLike,
  *,
  num_train: int = 10_000,
  num_test: int = 5_000,
  batch_size: int = 64,
  seed: int = 0,
) -> dict[str, Any]:
  """The BetaVAE score: do small differences tell which factor is shared?

  A feature is the mean of |z - z'| over pairs that share one factor's value; a
  logistic regression names the factor.

  Args:
    codes: `[N, L]` of a full factor grid, or any pool.
    factors: `[N, F]` integers, none negative or constant, F of 2 or more.
    num_train: features to fit.
    num_test: features that are judged.
    batch_size: pairs of a feature.
    seed: of the draws.

  Returns:
    `beta_vae_train` and `beta_vae_test`, accuracies, chance 1 / F; `protocol`,
    'grid' or 'pool'; the settings.

  Raises:
    ValueError: if the arrays are unfit, or there are fewer than two factors.

  Source: Higgins et al., https://openreview.net/forum?id=Sy2fzU9gl, section 3,
    with the classifier of Locatello et al., https://arxiv.org/abs/1811.12359.
  """
  codes, factors = inputs.check_pair(codes, factors)
  if factors.shape[1] < 2:
    raise ValueError('beta_vae_score tells factors apart, there is 1.')
  rng = np.random.default_rng(seed)
  parts = []
  for num in (num_train, num_test):
    batches = list(_pairs(codes, factors, num, batch_size, rng))
    parts.append([np.concatenate(x) for x in zip(*batches)])
  (labels, features), (test_labels, test_features) = parts
  model = logistic(features, labels)
  return {
    'beta_vae_train': float(model.score(features, labels)),
    'beta_vae_test': float(model.score(test_features, test_labels)),
    **_settings(factors, num_train, num_test, batch_size, seed),
  }


def is_grid(factors: np.ndarray) -> bool:
  """Whether factors `[N, F]` hold every combination of values once."""
  combinations = np.prod([float(len(np.unique(v))) for v in factors.T])
  if combinations != len(factors):
    return False
  return len(np.unique(factors, axis=0)) == len(factors)


class _Sharing:
  """Draws rows that share the value of a factor with a given row."""

  def __init__(self, values: np.ndarray) -> None:
    self._order = np.argsort(values, kind='stable')
    _, self._value, self._counts = np.unique(
      values, return_inverse=True, return_counts=True
    )
    self._starts = np.cumsum(self._counts) - self._counts
    self.shared = np.flatnonzero(self._counts[self._value] > 1)

  def draw(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    value = self._value[rows]
    place = (rng.random(rows.shape) * self._counts[value]).astype(int)
    return self._order[self._starts[value] + place]


def _sharings(factors: np.ndarray) -> list[_Sharing]:
  sharings = [_Sharing(values) for values in factors.T]
  for j, sharing in enumerate(sharings):
    if not len(sharing.shared):
      raise ValueError(f'no two rows share a value of factor {j}.')
  return sharings


def _batches(
  factors: np.ndarray, num: int, batch_size: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
  """Held factors `[B]` and rows `[B, batch_size]`, B batches at a time."""
  sharings = _sharings(factors)
  for start in range(0, num, _BATCHES_AT_ONCE):
    size = min(_BATCHES_AT_ONCE, num - start)
    held = rng.integers(len(sharings), size=size)
    rows = np.empty((size, batch_size), int)
    for j, sharing in enumerate(sharings):
      mine = held == j
      first = rng.choice(sharing.shared, (mine.sum(), 1))
      rows[mine] = sharing.draw(np.repeat(first, batch_size, 1), rng)
    yield held, rows


def _pairs(
  codes: np.ndarray,
  factors: np.ndarray,
  num: int,
  batch_size: int,
  rng: np.random.Generator,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
  """Shared factors `[B]` and features `[B, L]`, B at a time."""
  sharings = _sharings(factors)
  for start in range(0, num, _BATCHES_AT_ONCE):
    size = min(_BATCHES_AT_ONCE, num - start)
    shared = rng.integers(len(sharings), size=size)
    features = np.empty((size, codes.shape[1]))
    for j, sharing in enumerate(sharings):
      mine = shared == j
      first = rng.choice(sharing.shared, (mine.sum(), batch_size))
      second = sharing.draw(first, rng)
      features[mine] = np.abs(codes[first] - codes[second]).mean(1)
    yield shared, features


def _settings(
  factors: np.ndarray, num_train: int, num_test: int, size: int, seed: int
) -> dict[str, Any]:
  return {
    'protocol': 'grid' if is_grid(factors) else 'pool',
    'num_train': num_train,
    'num_test': num_test,
    'batch_size': size,
    'seed': seed,
  }
