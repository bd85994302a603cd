"""FactorVAE score: does the latent of least variance identify a fixed factor?

Source: Kim and Mnih, https://arxiv.org/abs/1802.05983, section 4.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.interventions import (
  BATCHES_AT_ONCE,
  interventions,
  settings,
)


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
  """Computes the FactorVAE score, the accuracy of a majority vote.

  In batches that share a factor's value, the latent of least variance, in units
  of its variance over all codes, votes for that factor. The score is the
  accuracy of the majority of the training votes on new batches.

  Args:
    codes: `[N, L]` of a full factor grid, or any pool.
    factors: `[N, F]` integers, none negative or constant, F of 2 or more.
    num_train: the number of batches that vote.
    num_test: the number of batches that are predicted.
    batch_size: the number of rows of a batch.
    threshold: latents of a smaller standard deviation are left out.
    seed: of the draws.

  Returns:
    `factor_vae_train` and `factor_vae_test`, in 0 ... 1, and 0 if no latent is
    left; `votes` `[L, F]`; `num_active`, the number of latents that are left;
    `protocol`, 'grid' or 'pool'; the settings.

  Raises:
    ValueError: if the arrays are unfit, there are fewer than two factors, or no
      two rows share a value.

  Source: Kim and Mnih, https://arxiv.org/abs/1802.05983, section 4, with the
    threshold of Locatello et al., https://arxiv.org/abs/1811.12359.
  """
  codes, factors = inputs.check_pair(codes, factors)
  if factors.shape[1] < 2:
    raise ValueError('factor_vae_score compares two factors, there is 1.')
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
    **settings(factors, num_train, num_test, batch_size, seed),
    'threshold': threshold,
  }


def _batches(
  factors: np.ndarray, num: int, batch_size: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
  """Fixed factors `[B]` and rows `[B, batch_size]`, B batches at a time."""
  by_factor = interventions(factors)
  for start in range(0, num, BATCHES_AT_ONCE):
    size = min(BATCHES_AT_ONCE, num - start)
    fixed = rng.integers(len(by_factor), size=size)
    rows = np.empty((size, batch_size), int)
    for j, intervention in enumerate(by_factor):
      mine = fixed == j
      first = rng.choice(intervention.rows, (mine.sum(), 1))
      rows[mine] = intervention.draw(np.repeat(first, batch_size, 1), rng)
    yield fixed, rows
