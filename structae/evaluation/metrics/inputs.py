"""Checks of the arrays that every metric takes."""

import numpy as np
from numpy.typing import ArrayLike

# A latent that moves by less, in steps of float64 numbers, is constant.
_ROUNDING = 64
# Powers of two from 1, beyond which trees, which take float32, see little.
_FAR = 64


def check_finite(array: np.ndarray, name: str) -> None:
  """Raises ValueError unless `array` holds finite real numbers, at least one.

  Args:
    array: an array of any shape.
    name: what to call it in the message.
  """
  if array.dtype.kind not in 'fiub':
    raise ValueError(f'{name} must be real numbers, got {array.dtype}.')
  if array.size == 0:
    raise ValueError(f'{name} is empty: shape {array.shape}.')
  bad = ~np.isfinite(array)
  if bad.any():
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    raise ValueError(
      f'{name} has {int(bad.sum())} values that are not finite, '
      f'the first {array[first]} at {list(first)}.'
    )


def check_answer(*values: ArrayLike) -> None:
  """Raises ValueError unless an answer is made of finite numbers.

  Args:
    *values: what was computed of finite numbers.
  """
  if not all(np.isfinite(value).all() for value in values):
    raise ValueError(
      'the numbers are so large that their squares exceed float64; divide '
      'them by their range.'
    )


def check_codes(codes: ArrayLike, name: str = 'codes') -> np.ndarray:
  """Returns codes as float64, or raises ValueError.

  Args:
    codes: `[N, L]` finite numbers.
    name: what to call them in a message.
  """
  array = np.asarray(codes)
  if array.ndim != 2:
    hint = '; reshape [N, K, D] to [N, K * D]' if array.ndim == 3 else ''
    raise ValueError(f'{name} must be [N, L], got shape {array.shape}{hint}.')
  check_finite(array, name)
  return array.astype(np.float64)


def check_factors(factors: ArrayLike, name: str = 'factors') -> np.ndarray:
  """Returns factors as int64, or raises ValueError.

  Args:
    factors: `[N, F]` integers, as floats too, none negative; or `[N]`, one
      factor.
    name: what to call them in a message.
  """
  array = np.asarray(factors)
  if array.ndim == 1:
    array = array[:, None]
  if array.ndim != 2:
    raise ValueError(f'{name} must be [N, F], got shape {array.shape}.')
  if array.size == 0:
    raise ValueError(f'{name} is empty: shape {array.shape}.')
  if array.dtype.kind in 'US':
    raise ValueError(
      f'{name} are text; number its values over all parts together: '
      'numpy.unique(text, return_inverse=True)[1].'
    )
  if array.dtype.kind == 'f':
    array = _whole(array, name)
  if array.dtype.kind not in 'iu':
    raise ValueError(
      f'{name} must be integers that name a class, got {array.dtype}.'
    )
  if array.max() > np.iinfo(np.int64).max:
    raise ValueError(
      f'{name} must be below 2**63, got {array.max()}; number the values '
      'from 0.'
    )
  if array.dtype.kind == 'i' and array.min() < 0:
    n, j = np.argwhere(array < 0)[0]
    raise ValueError(
      f'{name} must not be negative, got {array[n, j]} at [{n}, {j}].'
    )
  return array.astype(np.int64)


def _whole(array: np.ndarray, name: str) -> np.ndarray:
  """Whole numbers that came as floats, as integers."""
  check_finite(array, name)
  fractions = np.argwhere((array != np.round(array)) | (abs(array) > 2**53))
  if len(fractions):
    n, j = fractions[0]
    raise ValueError(
      f'{name} must be integers that name a class, got {array[n, j]} at '
      f'[{n}, {j}]; bin continuous factors first.'
    )
  return array.astype(np.int64)


def check_pair(
  codes: ArrayLike, factors: ArrayLike, *, min_rows: int = 2, prefix: str = ''
) -> tuple[np.ndarray, np.ndarray]:
  """Returns matching `[N, L]` float64 codes and `[N, F]` int64 factors.

  Args:
    codes: `[N, L]` finite numbers.
    factors: `[N, F]` integers, none negative, each with two values or more.
    min_rows: the smallest N that makes sense.
    prefix: put before the names in a message, such as 'test_'.

  Raises:
    ValueError: if either is unfit, their lengths differ, there are too few
      rows or a factor is constant (its entropy is 0).
  """
  codes = check_codes(codes, f'{prefix}codes')
  factors = check_factors(factors, f'{prefix}factors')
  if len(codes) != len(factors):
    raise ValueError(
      f'{len(codes)} rows of {prefix}codes, but {len(factors)} of '
      f'{prefix}factors.'
    )
  if len(codes) < min_rows:
    raise ValueError(
      f'{len(codes)} rows of {prefix}codes, expected {min_rows} or more.'
    )
  constant = np.flatnonzero(factors.min(0) == factors.max(0))
  if constant.size and not prefix:
    j = constant[0]
    raise ValueError(
      f'factor {j} is constant: {factors[0, j]} in all {len(factors)} rows; '
      'leave it out.'
    )
  return codes, factors


def check_split(
  codes: ArrayLike,
  factors: ArrayLike,
  test_codes: ArrayLike,
  test_factors: ArrayLike,
  *,
  min_rows: int = 2,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
  """Returns a training and a held-out pair with the same columns.

  A factor may be constant, and values may be missing, in the held-out part.

  Args:
    codes: `[N, L]` finite numbers.
    factors: `[N, F]` integers, none negative, each with two values or more.
    test_codes: `[M, L]`.
    test_factors: `[M, F]`.
    min_rows: the smallest N that makes sense.

  Raises:
    ValueError: if a pair is unfit, or they differ in their columns.
  """
  train = check_pair(codes, factors, min_rows=min_rows)
  test = check_pair(test_codes, test_factors, min_rows=1, prefix='test_')
  for name, a, b in zip(('codes', 'factors'), train, test):
    if a.shape[1] != b.shape[1]:
      raise ValueError(
        f'{name} have {a.shape[1]} columns, test_{name} {b.shape[1]}.'
      )
  return *train, *test


def varying(codes: np.ndarray) -> np.ndarray:
  """Which latents are alive: they move by more than float64 rounds.

  The variance does not show it: a float32 column of the constant .1 has a
  standard deviation of about 1e-8, since its mean rounds.

  Args:
    codes: `[N, ...]`.

  Returns:
    Booleans of shape `[...]`.
  """
  low, high = codes.min(0), codes.max(0)
  largest = np.maximum(np.abs(low), np.abs(high)).astype(np.float64)
  return np.asarray(high - low > _ROUNDING * np.spacing(largest))


def units(codes: np.ndarray) -> np.ndarray:
  """A power of two near the range of each latent; 1 for a constant one.

  Squares of what was divided by it neither vanish nor overflow, and all other
  digits stay as they are.

  Args:
    codes: `[N, ...]`.

  Returns:
    Positive float64 of shape `[...]`.
  """
  spread = codes.max(0) / 2 - codes.min(0) / 2
  # The least normal number: a division by less would overflow.
  exponent = np.maximum(np.frexp(spread)[1], -1021)
  return np.where(varying(codes), np.ldexp(1.0, exponent), 1.0)


def in_float32(codes: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
  """Latents `[N, L]` in other units where float32 could not tell their values.

  Args:
    codes: what the units are taken from.
    *others: `[M, L]` more of the same latents.
  """
  unit = units(codes)
  unit = np.where(np.abs(np.log2(unit)) > _FAR, unit, 1.0)
  return [z / unit for z in (codes, *others)]
