"""Metrics that are functions of arrays, called for codes, all at once."""

import dataclasses
import os
import pkgutil
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from structae.evaluation import registry
from structae.evaluation.codes import Codes
from structae.evaluation.inputs import Answer, Found, Inputs, unmet
from structae.evaluation.registry import SHUFFLED, Score


def answers(
  names: Sequence[str], inputs: Inputs, chance: bool, points: str, seed: int
) -> dict[str, Answer | str]:
  """The answers of functions of arrays, or why there is none, by metric."""
  train = inputs.train
  jobs = [(name, inputs) for name in names]
  if chance and train is not None:
    order = np.random.default_rng(seed).permutation(len(train.codes))
    shuffled = dataclasses.replace(
      inputs, train=train._replace(codes=train.codes[order])
    )
    jobs += [(name, shuffled) for name in names if _has_null(name)]
  with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
    found = list(pool.map(lambda job: _call(*job), jobs))
  nulls = {
    name: answer
    for (name, _), answer in zip(jobs[len(names) :], found[len(names) :])
    if not isinstance(answer, str)
  }
  return {
    name: answer
    if isinstance(answer, str)
    else _filed(name, answer, nulls.get(name, {}), inputs, points)
    for name, answer in zip(names, found)
  }


def _has_null(metric: str) -> bool:
  return any(s.chance == SHUFFLED for s in registry.of_metric(metric))


def _call(metric: str, inputs: Inputs) -> dict[str, Any] | str:
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
  try:
    return pkgutil.resolve_name(row.function)(*arrays)
  except ValueError as error:
    return str(error)


def _filed(
  metric: str,
  answer: Mapping[str, Any],
  null: Mapping[str, Any],
  inputs: Inputs,
  points: str,
) -> Answer:
  """An answer of arrays, as values, matrices and details."""
  rows = registry.of_metric(metric)
  train, test = inputs.train, inputs.test
  assert train is not None
  more: dict[str, Any] = {}
  if 'held-out codes' in rows[0].needs:
    assert test is not None
    more['n_test'] = len(test.codes)
  more['points'] = points
  values, matrices, details = [], {}, {}
  for row in rows:
    beside = {'chance': null[row.name]} if row.name in null else {}
    values.append(
      Found(row.name, answer[row.name], len(train.codes), '', more | beside)
    )
  known = {row.name for row in rows}
  names, columns = _axes(rows[0], train)
  for key, value in answer.items():
    is_array = isinstance(value, np.ndarray)
    if is_array and value.shape == (len(names), len(columns)):
      matrices[key] = {
        'values': value.tolist(),
        'rows': names,
        'columns': columns,
      }
    elif key not in known:
      details[key] = value.tolist() if is_array else value
  return Answer(values, matrices, {metric: details})


def _axes(row: Score, codes: Codes) -> tuple[list[str], list[str]]:
  """Names of the rows and columns of a metric's matrices."""
  _, num_variables, width = codes.codes.shape
  names = [f'U_{k + 1}' for k in range(num_variables)]
  if width > 1 and not row.by_variable:
    names = [f'{name}.{d + 1}' for name in names for d in range(width)]
  return names, list(codes.factor_names) if 'factors' in row.needs else names
