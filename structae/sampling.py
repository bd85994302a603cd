"""New codes from old ones: hybrid samples, prior samples, paths and sweeps.

Everything here is a pure function of arrays and needs nothing but jax, so it
serves any encoder and decoder. Axes: `N` stored examples, `K` variables of
`D` numbers each, `S` samples.
"""

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def hybrid(
  key: jax.Array,
  codes: jax.Array,
  num_samples: int,
  groups: Sequence[int] | np.ndarray | None = None,
) -> jax.Array:
  """Recombines encoded examples, one variable, or group of them, at a time.

  Variables keep their marginals and lose their dependence; no prior is needed.
  Those of a group come from the same example, and keep theirs on each other.

  Args:
    key: a PRNG key.
    codes: `[N, K, D]`, `N` encoded examples of `K` variables.
    num_samples: the number of samples `S`.
    groups: of each variable the number of its group, K numbers below K; see
      `structae.evaluation.dependent_groups`. None: each is its own.

  Returns:
    `[S, K, D]`, every group of every sample copied from a random example.

  Raises:
    ValueError: if `codes` does not have three axes, or no example, or there
      are fewer than no samples, or `groups` does not fit.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 2.2; groups are
  not of the paper.
  """
  _check_key(key)
  _check_codes(codes)
  _check_num(num_samples, 'num_samples')
  num_variables = codes.shape[1]
  rows = jax.random.randint(key, (num_samples, num_variables), 0, len(codes))
  if groups is not None:
    rows = rows[:, _checked_groups(groups, num_variables)]
  return codes[rows, jnp.arange(num_variables)]


def pool(key: jax.Array, codes: jax.Array, size: int = 128) -> jax.Array:
  """Draws the stored codes that hybrid samples are made of.

  Args:
    key: a PRNG key.
    codes: `[N, K, D]`, codes of the training set.
    size: how many of them to keep; the paper keeps 128.

  Returns:
    `[size, K, D]`, distinct examples in random order.

  Raises:
    ValueError: if `codes` does not have three axes or fewer than `size` rows.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 2.2.
  """
  _check_key(key)
  _check_codes(codes)
  _check_num(size, 'size')
  if not 0 < size <= len(codes):
    raise ValueError(
      f'size must be between 1 and the number of codes, {len(codes)}; '
      f'got {size}.'
    )
  rows = jax.random.choice(key, len(codes), (size,), replace=False)
  return codes[rows]


def partial_hybrid(
  key: jax.Array,
  codes: jax.Array,
  base: jax.Array,
  variables: Sequence[int],
) -> jax.Array:
  """Recombines only the named variables and keeps the others of `base`.

  Args:
    key: a PRNG key.
    codes: `[N, K, D]`, the stored codes to copy from.
    base: `[S, K, D]`, the codes to vary, or one code `[K, D]`.
    variables: which of the `K` variables are replaced, counted from 0.

  Returns:
    `[S, K, D]` (or `[K, D]`): `base` with the named variables of a hybrid
    sample.

  Raises:
    ValueError: on a variable that is not there or shapes that do not fit.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figure 6a.
  """
  _check_key(key)
  _check_codes(codes)
  _check_array(base, 'base')
  num_variables = codes.shape[1]
  if base.shape[-2:] != codes.shape[1:] or base.ndim not in (2, 3):
    raise ValueError(
      f'base must be [S, K, D] or [K, D] with K, D = {codes.shape[1:]}, '
      f'got shape {base.shape}.'
    )
  try:
    numbers = list(variables)
  except TypeError as error:
    kind = type(variables).__name__
    raise ValueError(f'variables must be a sequence, got {kind}.') from error
  for number in numbers:
    _check_num(number, 'a variable')
  unknown = [v for v in numbers if not 0 <= v < num_variables]
  if unknown:
    raise ValueError(
      f'variables must lie in 0..{num_variables - 1}, got {unknown}.'
    )
  chosen = jnp.zeros(num_variables, bool).at[jnp.array(numbers, int)].set(True)
  batch = base if base.ndim == 3 else base[None]
  mixed = jnp.where(
    chosen[:, None], hybrid(key, codes, len(batch)), batch
  ).astype(base.dtype)
  return mixed if base.ndim == 3 else mixed[0]


def intervene(codes: jax.Array, values: Mapping[int, Any]) -> jax.Array:
  """Sets variables to given values and keeps the others: do(U_i = u).

  Args:
    codes: `[N, K, D]`.
    values: by the number of a variable, counted from 0: `[N, D]`, `[D]` for
      all codes alike, or one number.

  Returns:
    `[N, K, D]`.

  Raises:
    ValueError: on a variable that is not there, or a value of another shape.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.1.
  """
  _check_codes(codes)
  num, num_variables, dim = codes.shape
  changed = jnp.asarray(codes)
  for variable, value in values.items():
    _check_num(variable, 'a variable')
    if variable >= num_variables:
      raise ValueError(
        f'variables must lie in 0..{num_variables - 1}, got [{variable}].'
      )
    value = jnp.asarray(value, changed.dtype)
    if value.shape not in ((), (dim,), (num, dim)):
      raise ValueError(
        f'the value of variable {variable} has shape {value.shape}, expected '
        f'one number, [D] or [N, D] with N, D = {(num, dim)}.'
      )
    changed = changed.at[:, variable].set(value)
  return changed


def prior(
  key: jax.Array, num_samples: int, num_variables: int, dim: int
) -> jax.Array:
  """Draws codes from the standard normal prior of variational models.

  Args:
    key: a PRNG key.
    num_samples: the number of samples `S`.
    num_variables: the number of variables `K`.
    dim: the numbers per variable `D`.

  Returns:
    `[S, K, D]`, independent N(0, 1) numbers.

  Raises:
    ValueError: if a count is no whole number from 0.
  """
  _check_key(key)
  _check_num(num_samples, 'num_samples')
  _check_num(num_variables, 'num_variables')
  _check_num(dim, 'dim')
  return jax.random.normal(key, (num_samples, num_variables, dim))


def interpolate(a: jax.Array, b: jax.Array, num: int) -> jax.Array:
  """Walks in a straight line from one code to another.

  Args:
    a: `[..., K, D]`, where to start.
    b: the same shape, where to end.
    num: the number of points, both ends included.

  Returns:
    `[num, ..., K, D]`; the first is `a`, the last is `b`.

  Raises:
    ValueError: if the shapes differ, or `num` is no whole number from 0.
  """
  _check_array(a, 'a')
  _check_array(b, 'b')
  _check_num(num, 'num')
  if a.shape != b.shape:
    raise ValueError(f'a and b must agree in shape: {a.shape}, {b.shape}.')
  return jnp.linspace(a, b, num)


def traverse(
  code: jax.Array, low: jax.Array, high: jax.Array, num: int
) -> jax.Array:
  """Sweeps each number of a code from its lowest to its highest value.

  Args:
    code: `[K, D]`, the code to vary.
    low: `[K, D]`, where each sweep starts: the observed minimum.
    high: `[K, D]`, where it ends: the observed maximum.
    num: the number of points of a sweep.

  Returns:
    `[K, D, num, K, D]`: entry `[k, d]` is the sweep of number `d` of variable
    `k`, all others held.

  Raises:
    ValueError: if the shapes differ, or `num` is no whole number from 0.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figure 4.
  """
  _check_num(num, 'num')
  for name, array in {'code': code, 'low': low, 'high': high}.items():
    _check_array(array, name)
  if not code.shape == low.shape == high.shape or code.ndim != 2:
    raise ValueError(
      'code, low and high must be [K, D] alike: '
      f'{code.shape}, {low.shape}, {high.shape}.'
    )
  values = jnp.moveaxis(jnp.linspace(low, high, num), 0, -1)
  one_hot = jnp.eye(code.size, dtype=bool).reshape(*code.shape, *code.shape)
  return jnp.where(
    one_hot[:, :, None], values[..., None, None], code[None, None, None]
  )


def _check_key(key: Any) -> None:
  dtype, ndim = getattr(key, 'dtype', None), getattr(key, 'ndim', 0)
  is_key = dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key)
  of_old = dtype == jnp.uint32 and ndim == 1  # jax.random.PRNGKey
  if not (is_key and ndim == 0 or of_old):
    shown = ' '.join(repr(key).split())
    raise ValueError(
      f'key is {shown:.60}, expected one PRNG key: jax.random.key(0).'
    )


def _check_codes(codes: jax.Array) -> None:
  _check_array(codes, 'codes')
  if codes.ndim != 3:
    raise ValueError(f'codes must be [N, K, D], got shape {codes.shape}.')
  if not len(codes):
    raise ValueError('codes holds no example; encode some images first.')


def _check_array(values: Any, name: str) -> None:
  """Refuses what is no array of real numbers that jax can hold."""
  if not hasattr(values, 'ndim') or not hasattr(values, 'dtype'):
    raise ValueError(f'{name} must be an array, got {type(values).__name__}.')
  kinds = (jnp.floating, jnp.integer, jnp.bool_)
  dtype = values.dtype
  is_real = any(jnp.issubdtype(dtype, kind) for kind in kinds)
  if not is_real or dtype.itemsize > 8 or not dtype.isnative:
    raise ValueError(f'{name} must be real numbers, got {dtype}.')


def _checked_groups(
  groups: Sequence[int] | np.ndarray, num_variables: int
) -> np.ndarray:
  numbers = np.asarray(groups)
  if numbers.shape != (num_variables,) or numbers.dtype.kind not in 'iu':
    raise ValueError(
      f'groups must be {num_variables} whole numbers, one a variable, got '
      f'{groups!r}.'
    )
  if not 0 <= numbers.min() <= numbers.max() < num_variables:
    raise ValueError(
      f'groups are numbered from 0 to {num_variables - 1}, got {groups!r}.'
    )
  return numbers


def _check_num(num: Any, name: str) -> None:
  try:
    good = operator.index(num) >= 0
  except TypeError:
    good = False
  if not good:
    raise ValueError(
      f'{name} must be a whole number, 0 or more, got {num!r:.80}.'
    )
