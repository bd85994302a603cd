"""DCI-ES: DCI, with the capacity that a probe needs and the size of the code.

Source: Eastwood et al., https://arxiv.org/abs/2210.00364, sections 3 and 4.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.dci import concentration
from structae.evaluation.trees import boosting
from structae.evaluation.trees.histogram import Histogram


def dci_es(
  codes: ArrayLike,
  factors: ArrayLike,
  test_codes: ArrayLike,
  test_factors: ArrayLike,
  *,
  seed: int = 0,
) -> dict[str, Any]:
  """Computes disentanglement and completeness, ease of use and size.

  The probes are boosted trees, their capacity is the number of stages, their
  loss the held-out log loss. The source uses several families of probes: for
  another, pass its curve to `ease_of_use`, and its importances to
  `structae.evaluation.concentration`.

  Args:
    codes: `[N, L]` finite numbers, what the trees are fitted to.
    factors: `[N, F]` integers, none negative or constant.
    test_codes: `[M, L]` held out.
    test_factors: `[M, F]`; rows of values unknown to `factors` are left out.
    seed: breaks ties between splits.

  Returns:
    `disentanglement` and `completeness` as by `dci`; `ease_of_use` (the
    source's explicitness E), 1 if the smallest probe is already the best;
    `ease_of_use_per_factor` `[F]`; `size`, F / L; `losses` `[T + 1, F]` in
    nats; `seed`.

  Raises:
    ValueError: if the arrays are unfit.

  Source: Eastwood et al., https://arxiv.org/abs/2210.00364, sections 3 and 4.
  """
  codes, factors, test_codes, test_factors = inputs.check_split(
    codes, factors, test_codes, test_factors
  )
  codes, test_codes = inputs.in_float32(codes, test_codes)
  histogram = Histogram(codes)
  test_ranks = histogram.rank(test_codes, histogram.ranks.dtype)
  importance = np.empty((codes.shape[1], factors.shape[1]))
  losses = []
  for j, labels in enumerate(factors.T):
    if not np.isin(test_factors[:, j], labels).any():
      raise ValueError(f'no held-out value of factor {j} occurs in training.')
    trees = boosting.fit(histogram, labels, seed=seed)
    importance[:, j] = trees.importances
    losses.append(trees.losses(test_ranks, test_factors[:, j]))
  stages = np.arange(len(losses[0]))
  ease = np.array([ease_of_use(stages[1:], x[1:], x[0]) for x in losses])
  scores = concentration(importance)
  return {
    'disentanglement': scores['disentanglement'],
    'completeness': scores['completeness'],
    'ease_of_use': float(ease.mean()),
    'size': factors.shape[1] / codes.shape[1],
    'ease_of_use_per_factor': ease,
    'losses': np.stack(losses, axis=1),
    'seed': seed,
  }


def ease_of_use(
  capacities: ArrayLike, losses: ArrayLike, baseline: float
) -> float:
  """Computes 1 less the area between a loss-capacity curve and its minimum.

  The curve is the lowest loss so far. The area's unit is the area under a
  line from the baseline to 0 over the range of capacities: 1 means that the
  smallest probe is the best, 0 that the loss falls along that line, or that no
  probe is better than the baseline: what cannot be read is not easy to use.

  Args:
    capacities: `[T]` rising, T of 2 or more.
    losses: `[T]` none negative, held out.
    baseline: the loss of the best constant, positive.

  Returns:
    The ease of use, at most 1.

  Raises:
    ValueError: if the curve is unfit.

  Source: Eastwood et al., https://arxiv.org/abs/2210.00364, section 3.1.
  """
  capacity = np.asarray(capacities, np.float64)
  lowest = np.minimum.accumulate(np.asarray(losses, np.float64))
  if len(capacity) < 2 or len(capacity) != len(lowest):
    raise ValueError(
      f'{len(capacity)} capacities and {len(lowest)} losses, expected equally '
      'many, two or more.'
    )
  if not (np.diff(capacity) > 0).all():
    raise ValueError('capacities must rise.')
  if not (np.isfinite(lowest).all() and lowest.min() >= 0 < baseline):
    raise ValueError(
      f'the baseline is {baseline}, the lowest loss {lowest.min()}: losses '
      'must be finite and not negative, the baseline positive.'
    )
  if lowest[-1] >= baseline:
    return 0.0
  area = np.trapezoid(lowest - lowest[-1], capacity)
  return float(1 - 2 * area / ((capacity[-1] - capacity[0]) * baseline))
