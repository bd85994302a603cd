"""Order: do a decoder's variables go from high-level to low-level factors?

A factor is low-level if its effect on the pixels does not depend on the other
factors, as that of a wall's colour; it is high-level if it does, as that of a
shape, which depends on size, angle and colours.

Source: this project; the claim is that of Leeb et al.,
https://arxiv.org/abs/2006.07796, section 4.1.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import by_variable as variables
from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.mutual_information import entropy
from structae.evaluation.metrics.variable_effect import sobol


def order_correlation(information: ArrayLike, levels: ArrayLike) -> float:
  """Computes how far early variables encode high-level factors.

  Every bit of information has a place, the variable that holds it, and a
  level, that of its factor. The score is minus the correlation of the two over
  all information: 1 if factors of a higher level are encoded in earlier
  variables, -1 in the opposite order, and 0 if every variable is informative
  of the same factors in the same proportion.

  Args:
    information: `[K, F]`, none negative: that of variable k, in decoder order,
      on factor j, as a share of the factor's entropy, without which factors of
      many values weigh more.
    levels: `[F]`, the larger the higher; see `factor_levels`.

  Returns:
    The score, in -1 ... 1.

  Raises:
    ValueError: if the arrays are unfit, or all information is in one variable
      or at one level, so that there is no order.

  Source: this project; the claim is that of Leeb et al.,
    https://arxiv.org/abs/2006.07796, section 4.1.
  """
  weights, levels = np.asarray(information), np.asarray(levels)
  inputs.check_finite(weights, 'information')
  inputs.check_finite(levels, 'levels')
  weights, levels = weights.astype(np.float64), levels.astype(np.float64)
  if weights.ndim != 2 or levels.shape != weights.shape[1:]:
    raise ValueError(
      'information must be [K, F] and levels [F], got shapes '
      f'{weights.shape} and {levels.shape}.'
    )
  if (weights < 0).any() or not weights.any():
    raise ValueError('information must not be negative, nor 0 everywhere.')
  # Powers of two, which change no other digit: sums and squares stay finite.
  weights = weights / _power(weights)
  weights = weights / weights.sum()
  levels = levels / _power(levels)
  places = np.arange(len(weights), dtype=np.float64)
  by_variable, by_factor = weights.sum(1), weights.sum(0)
  place = places - by_variable @ places
  level = levels - by_factor @ levels
  spread = (by_variable @ place**2) * (by_factor @ level**2)
  # What is left of equal levels, or of a single variable, is rounding.
  if spread <= 1e-24 * max(1.0, float(np.abs(levels).max()) ** 2):
    raise ValueError(
      'all information is in one variable or at one level: there is no order.'
    )
  return float(np.clip(-(place @ weights @ level) / np.sqrt(spread), -1, 1))


def _power(values: np.ndarray) -> float:
  """A power of two near the largest of values beyond 1; else 1."""
  largest = float(np.abs(values).max())
  return math.ldexp(1.0, math.frexp(largest)[1] - 1) if largest > 1 else 1.0


def factor_levels(
  render: Callable[[np.ndarray], ArrayLike],
  factor_sizes: Sequence[int],
  *,
  num: int = 500,
  seed: int = 0,
) -> np.ndarray:
  """Computes how far the effect of each factor depends on the others.

  One minus the main over the total Sobol' index of the factor on the pixels: 0
  if the factor adds something to the image that does not depend on the other
  factors, 1 if on average over these it changes nothing.

  Args:
    render: factors `[N, F]` to images or vectors `[N, ...]`; every combination
      must exist.
    factor_sizes: the number of values of each factor.
    num: the number N of images to draw; N (F + 2) are rendered.
    seed: of the draws.

  Returns:
    `[F]`, in 0 ... 1. A factor without any effect has level 0.
  """
  draws = np.random.RandomState(seed)
  a, b = (draws.randint(0, factor_sizes, (num, len(factor_sizes)))
          for _ in range(2))  # fmt: skip
  main, total = sobol(render, a, b)
  shares = np.ones(len(total))
  np.divide(main, total, out=shares, where=total > 0)
  return 1 - np.clip(shares, 0, 1)


def information_shares(
  codes: ArrayLike, factors: ArrayLike, *, seed: int = 0
) -> np.ndarray:
  """Computes each variable's information on each factor, less chance.

  It is a share of the factor's entropy. Chance is the estimate for the same
  codes in shuffled order; without subtracting it, uninformative variables would
  pull every factor to the middle of the order.

  Args:
    codes: `[N, K, D]` finite numbers, K of 2 or more.
    factors: `[N, F]` integers, none negative or constant.
    seed: of the shuffling.

  Returns:
    `[K, F]`, in 0 ... 1.

  Raises:
    ValueError: if the arrays are unfit.
  """
  codes, factors = np.asarray(codes), np.asarray(factors)
  shuffled = codes[np.random.RandomState(seed).permutation(len(codes))]
  known, chance = (
    variables.mig_by_variable(c, factors)['variable_information']
    for c in (codes, shuffled)
  )
  return np.maximum(known - chance, 0) / entropy(factors)
