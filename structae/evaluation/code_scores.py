"""Metrics that are functions of arrays, called for codes, all at once."""

import dataclasses
import inspect
import os
import pkgutil
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from structae.evaluation import codes as saved
from structae.evaluation import registry
from structae.evaluation.codes import Codes
from structae.evaluation.inputs import Answer, Found, Inputs, unmet
from structae.evaluation.registry import INDEPENDENT, SAMPLED, SHUFFLED, Score

_NULLS = (SHUFFLED, INDEPENDENT)


class _Job(NamedTuple):
  """A call of a metric.

  Attributes:
    metric: its name.
    of: '' for the codes, `SAMPLED` for draws from their posterior.
    is_null: whether the codes are made to know nothing.
    inputs: what it is called for.
  """

  metric: str
  of: str
  is_null: bool
  inputs: Inputs


def answers(
  names: Sequence[str], inputs: Inputs, chance: bool, points: str, seed: int
) -> dict[str, Answer | str]:
  """The answers of functions of arrays, or why there is none, by metric."""
  jobs = _jobs(names, inputs, chance, seed)
  call = lambda job: _call(job.metric, job.inputs, seed)
  with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
    found = {job[:3]: result for job, result in zip(jobs, pool.map(call, jobs))}
  result: dict[str, Answer | str] = {}
  for job in jobs:
    answer = found[job[:3]]
    if job.is_null or (job.of and isinstance(answer, str)):
      continue
    if isinstance(answer, str) or isinstance(result.get(job.metric), str):
      result.setdefault(job.metric, str(answer))
      continue
    null = found.get((job.metric, job.of, True), {})
    null = {} if isinstance(null, str) else null
    settings = {'points': points, 'seed': seed}
    filed = _filed(job.metric, job.of, answer, null, inputs, settings)
    before = result.get(job.metric)
    result[job.metric] = (
      _joined(before, filed) if isinstance(before, Answer) else filed
    )
  return result


def _jobs(
  names: Sequence[str], inputs: Inputs, chance: bool, seed: int
) -> list[_Job]:
  """Every metric of the codes, of samples of them, and of their nulls."""
  train = inputs.train
  found = {'': inputs}
  if train is not None and train.log_var is not None:
    found[SAMPLED] = _with(inputs, saved.sampled(train, seed))
  jobs = []
  for of, some in found.items():
    wanted = [k for k in names if not of or registry.is_of_samples(k)]
    jobs += [_Job(name, of, False, some) for name in wanted]
    if not chance or some.train is None:
      continue
    nulls: dict[tuple[str, bool], Inputs] = {}
    for name in wanted:
      kind = _null_of(name)
      if kind is not None and kind not in nulls:
        nulls[kind] = _with(some, _uninformed(some.train, *kind, seed))
      if kind is not None:
        jobs.append(_Job(name, of, True, nulls[kind]))
  return jobs


def _null_of(metric: str) -> tuple[str, bool] | None:
  """How codes are made to know nothing, and whether by whole variables."""
  rows = registry.of_metric(metric)
  kinds = [row.chance for row in rows if row.chance in _NULLS]
  return (str(kinds[0]), rows[0].by_variable) if kinds else None


def _with(inputs: Inputs, train: Codes) -> Inputs:
  return dataclasses.replace(inputs, train=train)


def _uninformed(codes: Codes, kind: str, by_variable: bool, seed: int) -> Codes:
  """Codes in another order: all alike, or every number or variable by itself.

  The former know nothing of the factors, but still depend on each other. The
  latter do not, as hybrid samples do not.
  """
  rng = np.random.default_rng(seed)
  z = codes.codes
  if kind == SHUFFLED:
    return codes._replace(codes=z[rng.permutation(len(z))])
  columns = z if by_variable else z.reshape(len(z), -1)
  orders = [rng.permutation(len(z)) for _ in range(columns.shape[1])]
  shuffled = [columns[order, k] for k, order in enumerate(orders)]
  return codes._replace(codes=np.stack(shuffled, axis=1).reshape(z.shape))


def _call(metric: str, inputs: Inputs, seed: int) -> dict[str, Any] | str:
  """What a function of arrays answers, or one line on why it cannot."""
  need = unmet(metric, inputs)
  if need:
    return registry.NEEDS[need]
  row = registry.of_metric(metric)[0]
  parts = [inputs.train, inputs.test][: 1 + ('held-out codes' in row.needs)]
  arrays: list[np.ndarray] = []
  for part in parts:
    assert part is not None
    codes = part.codes
    arrays.append(codes if row.by_variable else codes.reshape(len(codes), -1))
    if 'factors' in row.needs:
      arrays.append(part.factors)
  function = pkgutil.resolve_name(row.function)
  assert inputs.train
  settings = {'seed': seed, 'periodic': saved.periodic(inputs.train)}
  takes = inspect.signature(function).parameters
  try:
    return function(*arrays, **{k: settings[k] for k in settings if k in takes})
  except ValueError as error:
    return str(error)


def _filed(
  metric: str,
  of: str,
  answer: Mapping[str, Any],
  null: Mapping[str, Any],
  inputs: Inputs,
  settings: Mapping[str, Any],
) -> Answer:
  """An answer of arrays, as values, matrices and details."""
  rows = registry.of_metric(metric)
  train, test = inputs.train, inputs.test
  assert train is not None
  more: dict[str, Any] = {}
  if 'held-out codes' in rows[0].needs:
    assert test is not None
    more['n_test'] = len(test.codes)
  more |= settings
  values, matrices, details = [], {}, {}
  for row in rows:
    has_null = row.name in null and row.chance in _NULLS
    beside = {'chance': null[row.name]} if has_null else {}
    values.append(
      Found(row.name, answer[row.name], len(train.codes), of, more | beside)
    )
  known = {row.name for row in rows}
  names, columns = _axes(rows[0], train)
  suffix = f'_{of}' if of else ''
  for key, value in answer.items():
    is_array = isinstance(value, np.ndarray)
    if is_array and value.shape == (len(names), len(columns)):
      matrices[key + suffix] = {
        'values': value.tolist(),
        'rows': names,
        'columns': columns,
      }
    elif key not in known:
      details[key] = value.tolist() if is_array else value
  return Answer(values, matrices, {metric + suffix: details})


def _joined(a: Answer, b: Answer) -> Answer:
  return Answer(
    [*a.values, *b.values],
    {**a.matrices, **b.matrices},
    {**a.details, **b.details},
  )


def _axes(row: Score, codes: Codes) -> tuple[list[str], list[str]]:
  """Names of the rows and columns of a metric's matrices."""
  _, num_variables, width = codes.codes.shape
  names = list(codes.variable_names or saved.numbered(num_variables))
  if width > 1 and not row.by_variable:
    names = [f'{name}.{d + 1}' for name in names for d in range(width)]
  return names, list(codes.factor_names) if 'factors' in row.needs else names
