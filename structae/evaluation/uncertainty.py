"""How sure a mean is, over seeds or over points: the one home of intervals.

Every interval that a table, a page, a figure or a file of scores gives comes
from here, and every word such as "better" rests on `difference`.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

LEVEL = 0.95
# Fewer values give no interval: two say nothing of their own spread.
FEWEST = 3
_NUM_RESAMPLES = 10_000
# Of many points a tenth of the resamples will do, and costs a second.
_FEWEST_RESAMPLES = 1000
_MOST_NUMBERS = 20_000_000  # of all resamples, beyond the fewest
_AT_ONCE = 10_000_000  # numbers of a batch of resamples


class Mean(NamedTuple):
  """A mean with what is known of its error.

  Attributes:
    mean: of the values.
    deviation: of the sample, ddof 1; NaN of a single value.
    low: the lower end of the 95 % interval of the mean; NaN below three values.
    high: its upper end.
    num: the number of values.
  """

  mean: float
  deviation: float
  low: float
  high: float
  num: int

  @property
  def interval(self) -> dict[str, list[float]]:
    """The interval as an entry of a score keeps it; empty if there is none."""
    if np.isnan(self.low):
      return {}
    return {'interval': [self.low, self.high]}


class Difference(NamedTuple):
  """A mean of paired differences.

  Attributes:
    mean: of the differences, first less second.
    low: the lower end of its 95 % interval; NaN below three pairs.
    high: its upper end.
    p_value: of the sign-flip permutation test, two-sided.
    num: the number of pairs.
  """

  mean: float
  low: float
  high: float
  p_value: float
  num: int

  @property
  def sign(self) -> int:
    """1 or -1 where the interval leaves out zero, else 0."""
    return int(self.low > 0) - int(self.high < 0)


def mean(values: ArrayLike) -> Mean:
  """Summarizes values of seeds, or of points.

  The interval is the expanded percentile bootstrap: the percentiles are moved
  outward so that it is as wide as Student's t for few values. No bootstrap
  reaches beyond the values: of three, it is their range, which holds the mean
  of a symmetric distribution in 75 % of cases only; of five, in 94 %.

  Args:
    values: `[n]` finite numbers, n of 1 or more.

  Returns:
    The mean and its error.

  Raises:
    ValueError: if there is no value, or one is not finite.

  Source: Hesterberg, What teachers should know about the bootstrap, The
    American Statistician 69, 2015, section 5.1, https://arxiv.org/abs/1411.5279.
  """
  x = np.asarray(values, np.float64).ravel()
  if not x.size or not np.isfinite(x).all():
    raise ValueError(
      f'values are {x.size} numbers, expected 1 or more, all finite.'
    )
  low, high = _interval(x) if x.size >= FEWEST else (np.nan, np.nan)
  deviation = float(x.std(ddof=1)) if x.size > 1 else np.nan
  return Mean(float(x.mean()), deviation, low, high, x.size)


def difference(a: ArrayLike, b: ArrayLike) -> Difference:
  """Compares paired values: two models' scores of the same seeds, say.

  Args:
    a: `[n]` finite numbers.
    b: `[n]`, each the partner of one of `a`.

  Returns:
    The mean of `a - b` with its interval, as of `mean`, and the share of the
    2^n ways to exchange partners whose mean is as far from zero (of 10,000
    random ones beyond n of 13): no less than 2 / 2^n, .25 of three pairs.

  Raises:
    ValueError: if the shapes differ, or a number is not finite.

  Source: Fisher, The design of experiments, 1935, section 21.
  """
  x, y = (np.asarray(v, np.float64).ravel() for v in (a, b))
  if x.shape != y.shape:
    raise ValueError(f'{x.size} values have {y.size} partners, expected pairs.')
  found = mean(x - y)
  return Difference(
    found.mean, found.low, found.high, _sign_flips(x - y), found.num
  )


def paired(
  a: Mapping[Hashable, float], b: Mapping[Hashable, float]
) -> Difference | None:
  """Compares values by what they share, seeds say; None if that is nothing."""
  shared = [key for key in a if key in b]
  if not shared:
    return None
  return difference([a[key] for key in shared], [b[key] for key in shared])


def best(values: Sequence[Mapping[Hashable, float]], sign: int) -> int | None:
  """The place of what is better than all others, if that can be said.

  Args:
    values: two or more mappings of seeds to finite numbers; empty ones stand
      for what was not measured, and are passed over.
    sign: 1 where higher is better, -1 where lower is, 0 where neither is.

  Returns:
    The place of the best mean, if the interval of its difference from each
    other one, on the seeds that both have, leaves out zero; else None.
  """
  known = [i for i, some in enumerate(values) if some]
  if not sign or len(known) < 2:
    return None
  first = max(known, key=lambda i: sign * np.mean([*values[i].values()]))
  for other in known:
    found = None if other == first else paired(values[first], values[other])
    if other != first and (found is None or found.sign != sign):
      return None
  return first


def _interval(values: np.ndarray) -> tuple[float, float]:
  from scipy import stats  # takes long to import

  num = values.size
  quantile = stats.t.ppf((1 - LEVEL) / 2, num - 1)
  tail = stats.norm.cdf(np.sqrt(num / (num - 1)) * quantile)
  found = stats.bootstrap(
    (values,), np.mean,
    n_resamples=max(
      min(_NUM_RESAMPLES, _MOST_NUMBERS // num), _FEWEST_RESAMPLES
    ),
    batch=max(1, _AT_ONCE // num),
    confidence_level=1 - 2 * tail,
    method='percentile',
    rng=np.random.default_rng(0),
  ).confidence_interval  # fmt: skip
  return float(found.low), float(found.high)


def _sign_flips(differences: np.ndarray) -> float:
  from scipy import stats  # takes long to import

  if differences.size < 2 or not differences.any():
    return 1.0
  return float(
    stats.permutation_test(
      (differences,), np.mean,
      permutation_type='samples',
      vectorized=True,
      n_resamples=_NUM_RESAMPLES,
      batch=max(1, _AT_ONCE // differences.size),
      rng=np.random.default_rng(0),
    ).pvalue
  )  # fmt: skip
