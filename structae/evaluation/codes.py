"""Codes of a split with their factors, saved as one `.npz` file."""

import hashlib
import json
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from structae import files
from structae.data import catalog
from structae.evaluation.metrics import inputs

# The points of the paper's protocol: to fit, and to score.
_FULL = (10_000, 5_000)
# Of a latent's standard deviation, the rounding that is not warned of.
_MOST_LOST = 1e-3


class Codes(NamedTuple):
  """The codes of N examples and the factors that made them.

  Attributes:
    codes: `[N, K, D]` float32, K variables of D numbers (posterior means).
    log_var: `[N, K, D]` float32, or None where the encoder is deterministic.
    factors: `[N, F]` int32, each counted from 0; F may be 0.
    factor_names: F names.
    factor_sizes: F sizes; `factors[:, j] < factor_sizes[j]`.
    indices: `[N]` int64, the examples' places in their data set.
    meta: where they come from: data set, split, model, step, versions.
    variable_names: K names; by default U_1, ..., U_K.
  """

  codes: np.ndarray
  log_var: np.ndarray | None
  factors: np.ndarray
  factor_names: tuple[str, ...]
  factor_sizes: tuple[int, ...]
  indices: np.ndarray
  meta: dict[str, Any]
  variable_names: tuple[str, ...] = ()


def from_arrays(
  codes: ArrayLike, factors: ArrayLike | None = None, **more: Any
) -> Codes:
  """Codes out of arrays in memory, as `load` makes them of a file.

  Args:
    codes: `[N, L]` or `[N, K, D]` finite numbers.
    factors: `[N, F]` integers from 0; without any, dependence can be scored.
    **more: what else is known: `log_var`, `factor_names`, `factor_sizes`,
      `indices`, `meta` or `variable_names`; their defaults are those of `load`.

  Returns:
    The codes; `[N, L]` become `[N, L, 1]`.

  Raises:
    ValueError: if the arrays do not fit together, or a name is none of these.
  """
  for name in more:
    if name not in Codes._fields:
      raise ValueError(
        f'unknown {name!r}, expected some of {", ".join(Codes._fields)}.'
      )
  return _checked({'codes': codes, 'factors': factors, **more}, Path('arrays'))


def save(path: str | os.PathLike, codes: Codes) -> None:
  """Writes codes to an `.npz` file, whole or not at all.

  Args:
    path: the file; its folder is made where it is missing.
    codes: what to write.

  Raises:
    ValueError: if the arrays do not fit together.
  """
  path = Path(path)
  codes = _checked(codes._asdict(), path)
  arrays: dict[str, Any] = {
    'codes': codes.codes,
    'factors': codes.factors,
    'factor_names': np.array(codes.factor_names, dtype=np.str_),
    'factor_sizes': np.array(codes.factor_sizes, np.int64),
    'indices': codes.indices,
    'meta': np.array(json.dumps(codes.meta)),
  }
  if codes.log_var is not None:
    arrays['log_var'] = codes.log_var
  if codes.variable_names != numbered(codes.codes.shape[1]):
    arrays['variable_names'] = np.array(codes.variable_names, dtype=np.str_)
  files.write_arrays(path, arrays)


def load(path: str | os.PathLike) -> Codes:
  """Reads codes that `save`, or any other program, wrote.

  A foreign file needs one key: `codes`, `[N, L]` or `[N, K, D]`; most scores
  need `factors` too, `[N, F]` or `[N]` whole numbers or text. Names default to
  `factor_0`, ..., those of variables (`variable_names`) to `U_1`, ..., sizes to
  the largest value plus one, indices to 0, ..., N - 1. A file of `save` is
  sealed: nothing in it that was damaged is replaced by a default.

  Args:
    path: an `.npz` file; nothing in it is unpickled.

  Returns:
    The codes; `[N, L]` become `[N, L, 1]`, and text the place of its value
    among all that there are, in alphabetical order.

  Raises:
    FileNotFoundError: if there is no such file.
    ValueError: if the file is no such archive, or an array in it is missing,
      of the wrong type or shape, or not finite.
  """
  return load_parts([path])[0]


def load_parts(paths: Sequence[str | os.PathLike]) -> list[Codes]:
  """Reads parts of the same codes, as `load` does each.

  Args:
    paths: a file a part; the same text has the same number in all of them.

  Returns:
    The codes of each.

  Raises:
    FileNotFoundError: as `load`.
    ValueError: as `load`.
  """
  places = [Path(path) for path in paths]
  for path in places:
    if not path.is_file():
      raise FileNotFoundError(f'{path}: no such file.')
  parts = [files.read_arrays(path) for path in places]
  return [_checked(p, path) for p, path in zip(_without_text(parts), places)]


def _without_text(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
  """Numbers factors that are text, over all parts together."""
  factors = [np.asarray(part.get('factors', 0)) for part in parts]
  axes = {array.shape[1:] for array in factors}
  if not all(x.dtype.kind in 'US' and x.ndim in (1, 2) for x in factors):
    return parts
  if len(axes) > 1 or not all(array.size for array in factors):
    return parts
  columns = np.concatenate([x.reshape(len(x), -1) for x in factors]).T
  numbers = [np.unique(column, return_inverse=True)[1] for column in columns]
  ends = np.cumsum([len(array) for array in factors])
  split = np.split(np.stack(numbers, axis=1), ends[:-1])
  return [part | {'factors': x} for part, x in zip(parts, split)]


def numbered(num_variables: int) -> tuple[str, ...]:
  """The names of variables that have no others: `U_1`, ..."""
  return tuple(f'U_{k + 1}' for k in range(num_variables))


def periodic(codes: Codes) -> list[int]:
  """The columns of periodic factors: of the catalogue, or as `meta` says.

  `meta` may name them as `periodic`; else its `data` is looked up.
  """
  names = codes.meta.get('periodic')
  if names is None:
    known = catalog.CATALOG.get(codes.meta.get('data', ''))
    names = known.periodic if known else ()
  return [j for j, name in enumerate(codes.factor_names) if name in names]


def take(codes: Codes, rows: np.ndarray) -> Codes:
  """Some rows of codes."""
  return codes._replace(
    codes=codes.codes[rows],
    log_var=None if codes.log_var is None else codes.log_var[rows],
    factors=codes.factors[rows],
    indices=codes.indices[rows],
  )


def varying(codes: Codes) -> np.ndarray:
  """The places of the factors that have more than one value."""
  return np.flatnonzero(codes.factors.min(0) < codes.factors.max(0))


def digest(codes: Codes) -> str:
  """The sha256 of codes, log variances and factors, in hexadecimal digits."""
  found = hashlib.sha256()
  for array, kind in (
    (codes.codes, np.float32),
    (codes.log_var, np.float32),
    (codes.factors, np.int32),
  ):
    if array is not None:
      found.update(repr(array.shape).encode())
      found.update(array.astype(kind).tobytes())
  return found.hexdigest()


def sampled(codes: Codes, seed: int = 0) -> Codes:
  """Codes drawn from their Gaussian posteriors, one each.

  Args:
    codes: posterior means with log variances.
    seed: of the draws.
  """
  assert codes.log_var is not None
  noise = np.random.default_rng(seed).standard_normal(codes.codes.shape)
  with np.errstate(over='ignore'):
    deviation = np.exp(0.5 * codes.log_var.astype(np.float64))
  drawn = codes.codes + deviation * noise
  return codes._replace(codes=drawn.astype(np.float32), log_var=None)


def check_alike(codes: Codes, others: Codes) -> None:
  """Raises ValueError unless codes have the same variables and factors."""
  if codes.codes.shape[1:] != others.codes.shape[1:]:
    raise ValueError(
      f'codes are [N, K, D] of shape {codes.codes.shape}, test codes '
      f'{others.codes.shape}: K and D differ.'
    )
  if codes.factor_names != others.factor_names:
    raise ValueError(
      f'factors are {", ".join(codes.factor_names)}, those of the test codes '
      f'{", ".join(others.factor_names)}.'
    )


def redrawn(parts: Sequence[Codes], seed: int = 0) -> tuple[Codes, Codes]:
  """Draws the paper's points from all parts together, or two thirds of them.

  Args:
    parts: codes of the same variables and factors: of the whole data set, or
      of what was saved of it.
    seed: of the draw.

  Returns:
    At most 10,000 codes to fit and 5,000 to score, none in both.

  Raises:
    ValueError: if variables or factors differ.
  """
  for part in parts[1:]:
    check_alike(parts[0], part)
  log_vars = [p.log_var for p in parts if p.log_var is not None]
  is_gaussian = len(log_vars) == len(parts)
  whole = parts[0]._replace(
    codes=np.concatenate([p.codes for p in parts]),
    log_var=np.concatenate(log_vars) if is_gaussian else None,
    factors=np.concatenate([p.factors for p in parts]),
    indices=np.concatenate([p.indices for p in parts]),
  )
  rng = np.random.default_rng(seed)
  order = rng.permutation(len(whole.codes))[: sum(_FULL)]
  num = round(len(order) * _FULL[0] / sum(_FULL))
  return take(whole, order[:num]), take(whole, order[num:])


def _checked(values: dict[str, Any], path: Path) -> Codes:
  if 'codes' not in values:
    found = ', '.join(sorted(values)) or 'nothing'
    raise ValueError(f'{path}: no codes in the archive, found {found}.')
  codes = _numbers(values['codes'], f'{path}: codes')
  factors = values.get('factors')
  factors = np.asarray(
    np.zeros((len(codes), 0), np.int32) if factors is None else factors
  )
  if factors.ndim != 2 or factors.shape[1]:  # [N, 0] are data without factors
    factors = inputs.check_factors(factors, f'{path}: factors')
    if factors.max() > np.iinfo(np.int32).max:
      raise ValueError(
        f'{path}: factors must be below 2**31, got {factors.max()}; number '
        'the values from 0.'
      )
  num, num_factors = factors.shape
  if len(codes) != num:
    raise ValueError(f'{path}: {len(codes)} codes, but {num} rows of factors.')
  log_var = values.get('log_var')
  if log_var is not None:
    log_var = _numbers(log_var, f'{path}: log_var')
    if log_var.shape != codes.shape:
      raise ValueError(
        f'{path}: log_var has shape {log_var.shape}, codes {codes.shape}.'
      )
  names, factor_names = (
    values.get(key) for key in ('variable_names', 'factor_names')
  )
  unnamed = tuple(f'factor_{j}' for j in range(num_factors))
  return Codes(
    codes=codes,
    log_var=log_var,
    factors=factors.astype(np.int32),
    factor_names=_names(factor_names, unnamed, f'{path}: factor_names'),
    factor_sizes=_sizes(values.get('factor_sizes'), factors, path),
    indices=_indices(values.get('indices'), num, path),
    meta=_meta(values.get('meta'), path),
    variable_names=_names(
      names, numbered(codes.shape[1]), f'{path}: variable_names'
    ),
  )


def _numbers(values: Any, name: str) -> np.ndarray:
  array = np.asarray(values)
  if array.ndim == 2:
    array = array[:, :, None]
  if array.ndim != 3:
    raise ValueError(
      f'{name} must be [N, L] or [N, K, D], got shape {array.shape}.'
    )
  inputs.check_finite(array, name)
  with np.errstate(over='ignore'):
    narrow = array.astype(np.float32)
  if not np.isfinite(narrow).all():
    raise ValueError(f'{name} exceeds the range of float32.')
  if array.dtype.itemsize > 4 or array.dtype.kind != 'f':
    _warn_of_rounding(array, narrow, name)
  return narrow


def _warn_of_rounding(array: np.ndarray, narrow: np.ndarray, name: str) -> None:
  wide = array.astype(np.float64)
  lost, spread = np.abs(wide - narrow).max(0), wide.std(0)
  alive = inputs.varying(wide)
  for k, d in np.argwhere(alive & (lost > _MOST_LOST * spread))[:1]:
    warnings.warn(
      f'{name}: float32 rounds number {d} of variable {k} by up to '
      f'{lost[k, d]:.2g}, its standard deviation is {spread[k, d]:.2g}; '
      'subtract the mean before saving.',
      stacklevel=2,
    )


def _names(values: Any, default: tuple[str, ...], name: str) -> tuple[str, ...]:
  """Names as they are given, as many as there are by default."""
  num = len(default)
  if values is None or (isinstance(values, tuple) and not values):
    return default
  array = np.asarray(values, None if num else np.str_)
  if array.dtype.kind not in 'US' or array.shape != (num,):
    raise ValueError(
      f'{name} must be {num} strings, got {array.dtype} of shape {array.shape}.'
    )
  names = tuple(map(str, array.astype(np.str_)))
  if len(set(names)) < num:
    raise ValueError(f'{name} repeat: {", ".join(names)}.')
  return names


def _sizes(values: Any, factors: np.ndarray, path: Path) -> tuple[int, ...]:
  largest = factors.max(0)
  if values is None:
    return tuple(int(v) + 1 for v in largest)
  array = np.asarray(values, None if len(largest) else np.int64)
  if array.dtype.kind not in 'iu' or array.shape != largest.shape:
    raise ValueError(
      f'{path}: factor_sizes must be {len(largest)} integers, '
      f'got {array.dtype} of shape {array.shape}.'
    )
  for j in np.flatnonzero(array <= largest):
    raise ValueError(
      f'{path}: factor {j} has the value {largest[j]}, its size is {array[j]}.'
    )
  return tuple(map(int, array))


def _indices(values: Any, num: int, path: Path) -> np.ndarray:
  if values is None:
    return np.arange(num)
  array = np.asarray(values)
  if array.dtype.kind not in 'iu' or array.shape != (num,):
    raise ValueError(
      f'{path}: indices must be {num} integers, '
      f'got {array.dtype} of shape {array.shape}.'
    )
  if array.max() > np.iinfo(np.int64).max:
    raise ValueError(f'{path}: indices must be below 2**63, got {array.max()}.')
  return array.astype(np.int64)


def _meta(value: Any, path: Path) -> dict[str, Any]:
  if value is None:
    return {}
  if isinstance(value, dict):
    return value
  try:
    meta = files.parse_json(str(np.asarray(value).item()))
  except (ValueError, TypeError) as error:
    raise ValueError(f'{path}: meta must be one JSON string.') from error
  if not isinstance(meta, dict):
    raise ValueError(f'{path}: meta must be a JSON object.')
  return meta
