"""Malformed arrays for sampling and every metric.

Each call takes valid arguments but for one, and is refused with a ValueError or
answered: by arrays of the promised shape in sampling, by finite numbers (or
None, where an answer is not defined) in metrics.
"""

import dataclasses
import random
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from experiments.fuzz import outcomes
from experiments.fuzz.outcomes import Fault, Tally
from structae import evaluation, sampling


@dataclasses.dataclass(frozen=True)
class Target:
  """A function with valid arguments, by name.

  Attributes:
    call: takes them as keywords.
    arguments: valid ones.
    finite: whether its numbers must be finite whatever it is given.
  """

  call: Callable[..., Any]
  arguments: Mapping[str, Any]
  finite: bool = True


def fuzz(folder: Path, num: int, seed: int, names: Any = None) -> Tally:
  """Tries malformed arrays.

  Args:
    folder: not used; the other kinds work in one.
    num: how many, function after function.
    seed: of the arrays.
    names: of functions; by default all.

  Returns:
    What became of them.
  """
  del folder
  tally, known = Tally(), targets()
  names = list(names or known)
  for i, name in enumerate(names):
    rng = random.Random(f'{seed} {name}')
    for n in range(num // len(names) + (i < num % len(names))):
      chosen = rng.choice(sorted(known[name].arguments))
      value, what = malformed(rng, known[name].arguments[chosen])
      arguments = {**known[name].arguments, chosen: value}
      case = f'{name}, case {n}, {chosen}: {what}'
      with warnings.catch_warnings(action='ignore'), np.errstate(all='ignore'):
        tally.add(_try(known[name], arguments, case))
  return tally


def targets() -> dict[str, Target]:
  """Every function, with arguments that suit it."""
  rng = np.random.default_rng(0)
  codes = rng.normal(size=(40, 4))
  factors = rng.integers(0, 3, (40, 2))
  codes[:, :2] += factors
  deep = codes.reshape(40, 2, 2).astype(np.float32)
  pair = {'codes': codes, 'factors': factors}
  split = pair | {'test_codes': codes[::2], 'test_factors': factors[::2]}
  few = {'num_train': 60, 'num_test': 30, 'batch_size': 8}
  deep_pair = {'codes': deep, 'factors': factors}
  deep_split = deep_pair | {
    'test_codes': deep[::2], 'test_factors': factors[::2],
  }  # fmt: skip
  with_few = lambda metric: lambda **given: metric(**given, **few)
  cov = np.cov(codes.T)
  score = evaluation
  key = jax.random.key(0)
  of_key = lambda function: lambda **given: function(key, **given)
  base = deep[0]
  found = {
    name: Target(getattr(score, name), pair)
    for name in ('mig', 'irs', 'modularity', 'sap_continuous', 'infomec')
  }
  found |= {
    name: Target(getattr(score, name), split)
    for name in ('dci', 'explicitness', 'sap', 'probe')
  }
  return found | {
    'beta_vae_score': Target(with_few(score.beta_vae_score), pair),
    'factor_vae_score': Target(with_few(score.factor_vae_score), pair),
    'mig_by_variable': Target(score.mig_by_variable, deep_pair),
    'irs_by_variable': Target(score.irs_by_variable, deep_pair),
    'dci_by_variable': Target(score.dci_by_variable, deep_split),
    'gaussian_dependence': Target(score.gaussian_dependence, {'codes': codes}),
    'pairwise_information': Target(
      score.pairwise_information, {'codes': codes}
    ),
    'distance_correlation': Target(score.distance_correlation, {'codes': deep}),
    'udr': Target(
      lambda a, b: score.udr([a, b]), {'a': codes, 'b': codes[:, ::-1]}
    ),
    'order_correlation': Target(
      score.order_correlation,
      {'information': np.abs(codes[:4]), 'levels': np.arange(4.0)},
    ),
    'variable_effect': Target(
      lambda codes: score.variable_effect(lambda x: x, codes), {'codes': deep}
    ),
    'frechet_distance': Target(
      lambda a, b: score.frechet_distance(a, b), {'a': codes, 'b': codes + 1}
    ),
    'frechet_distance_from_moments': Target(
      score.frechet_distance_from_moments,
      {'mean_a': codes[0], 'cov_a': cov, 'mean_b': codes[1], 'cov_b': cov},
    ),
    'kid': Target(
      lambda a, b: score.kid(a, b, num_subsets=3, subset_size=20),
      {'a': codes, 'b': codes + 1},
    ),
    'precision_recall': Target(
      lambda a, b: score.precision_recall(a, b), {'a': codes, 'b': codes + 1}
    ),
    'hybrid': Target(
      of_key(sampling.hybrid), {'codes': deep, 'num_samples': 3}, False
    ),
    'pool': Target(of_key(sampling.pool), {'codes': deep, 'size': 4}, False),
    'partial_hybrid': Target(
      of_key(sampling.partial_hybrid),
      {'codes': deep, 'base': deep[:3], 'variables': [0]},
      False,
    ),
    'prior': Target(
      of_key(sampling.prior),
      {'num_samples': 3, 'num_variables': 2, 'dim': 2},
      False,
    ),
    'interpolate': Target(
      sampling.interpolate, {'a': base, 'b': base + 1, 'num': 3}, False
    ),
    'traverse': Target(
      sampling.traverse,
      {'code': base, 'low': base - 1, 'high': base + 1, 'num': 3},
      False,
    ),
  }


def malformed(rng: random.Random, value: Any) -> tuple[Any, str]:
  """A value in the place of a valid one, and what it is."""
  if rng.randrange(8) == 0 or not isinstance(value, np.ndarray):
    other = rng.choice(
      [None, 'text', [], [[1.0, 2.0], [3.0]], -1, 2.5, {}, True, b'x',
       object(), float('nan'), [None], np.array(['a']), np.array(3.0)]
    )  # fmt: skip
    return other, f'{other!r:.40}'
  array = np.array(value)
  name = rng.choice(sorted(_CHANGES))
  with np.errstate(all='ignore'), warnings.catch_warnings(action='ignore'):
    return _CHANGES[name](rng, array), name


def _with(rng: random.Random, array: np.ndarray, value: float) -> np.ndarray:
  array = array.astype(np.float64)
  array[tuple(rng.randrange(n) for n in array.shape)] = value
  return array


def _column(array: np.ndarray, change: Callable[[Any], Any]) -> np.ndarray:
  array = array.astype(np.float64)
  array[..., 0] = change(array[..., 0])
  return array


def _with_none(array: np.ndarray) -> np.ndarray:
  objects = array.astype(object)
  objects.flat[0] = None
  return objects


_CHANGES: dict[str, Callable[[random.Random, np.ndarray], Any]] = {
  'one nan': lambda r, a: _with(r, a, np.nan),
  'one inf': lambda r, a: _with(r, a, np.inf),
  'one of -inf': lambda r, a: _with(r, a, -np.inf),
  'one of 1e300': lambda r, a: _with(r, a, 1e300),
  'all nan': lambda r, a: np.full(a.shape, np.nan),
  'no rows': lambda r, a: a[:0],
  'no columns': lambda r, a: a[..., :0],
  'one row': lambda r, a: a[:1],
  'two rows': lambda r, a: a[:2],
  'three rows': lambda r, a: a[:3],
  'one column': lambda r, a: a[..., :1],
  'one row less': lambda r, a: a[:-1],
  'an axis more': lambda r, a: a[..., None],
  'an axis less': lambda r, a: a[0],
  'no axis': lambda r, a: a.ravel()[0],
  'objects': lambda r, a: a.astype(object),
  'objects, one None': lambda r, a: _with_none(a),
  'text': lambda r, a: a.astype(str),
  'bytes': lambda r, a: a.astype('S'),
  'booleans': lambda r, a: a > 0,
  'complex': lambda r, a: a * (1 + 1j),
  'dates': lambda r, a: a.astype('M8[s]'),
  'records': lambda r, a: np.zeros(a.shape, [('x', float)]),
  'float16': lambda r, a: a.astype(np.float16),
  'float128': lambda r, a: a.astype(np.longdouble),
  'int8': lambda r, a: a.astype(np.int8),
  'uint64 beyond int64': lambda r, a: np.full(a.shape, 2**64 - 1, np.uint64),
  'negative': lambda r, a: -np.abs(a) - 1,
  'zeros': lambda r, a: np.zeros_like(a),
  'a constant': lambda r, a: np.full(a.shape, 0.1),
  'a constant column': lambda r, a: _column(a, lambda x: 0 * x + 0.1),
  'a column up to rounding': lambda r, a: _column(
    a, lambda x: 0.1 + np.sign(x) * 2e-17
  ),
  'a column of 1e-165': lambda r, a: _column(a, lambda x: x * 1e-165),
  'a column of 1e150': lambda r, a: _column(a, lambda x: x * 1e150),
  'equal columns': lambda r, a: np.repeat(a[..., :1], a.shape[-1], -1),
  'times 1e-300': lambda r, a: a * 1e-300,
  'times 1e-30': lambda r, a: a * 1e-30,
  'times 1e30': lambda r, a: a * 1e30,
  'times 1e300': lambda r, a: a * 1e300,
  'offset by 1e12': lambda r, a: a + 1e12,
  'sorted': lambda r, a: np.sort(a, 0),
  'nested lists': lambda r, a: a.tolist(),
  'reversed view': lambda r, a: a[::-1],
  'Fortran order': lambda r, a: np.asfortranarray(a),
  'read-only': lambda r, a: np.broadcast_to(a.flat[0], a.shape),
  'big-endian': lambda r, a: a.astype(a.dtype.newbyteorder('>')),
}


def _try(target: Target, arguments: Any, case: str) -> str | Fault:
  def call() -> str | Fault:
    answer = target.call(**arguments)
    if target.finite and not _is_defined(answer):
      return Fault('silent difference', case, 'a number is not finite')
    return 'answered'

  return outcomes.outcome_of(case, call)


def _is_defined(answer: Any) -> bool:
  """Whether all numbers in an answer are finite."""
  if isinstance(answer, Mapping):
    return all(map(_is_defined, answer.values()))
  if isinstance(answer, list | tuple):
    return all(map(_is_defined, answer))
  array = np.asarray(answer)
  return array.dtype.kind not in 'fc' or bool(np.isfinite(array).all())
