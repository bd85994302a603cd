"""Scores of codes by every metric, as one dictionary that JSON can hold."""

import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from structae import evaluation
from structae.evaluation import codes as saved
from structae.evaluation import score_file
from structae.evaluation.codes import Codes
from structae.evaluation.registry import METRICS, Metric, check_names, select


def score_codes(
  train: Codes,
  test: Codes | None = None,
  metrics: Sequence[str] | None = None,
  *,
  chance: bool = True,
  points: str = 'split',
  seed: int = 0,
) -> dict[str, Any]:
  """Scores codes by every metric that needs nothing else.

  Args:
    train: what is scored, and what probes are fitted to.
    test: what probes are judged on; by default a third of the rows of `train`,
      drawn at random and kept out of everything else.
    metrics: names out of `metrics.METRICS`; all by default. Those over whole
      variables are left out by default where a variable is a single number.
    chance: also score the same codes in shuffled order: what each metric says
      of codes that know nothing.
    points: what the parts are, kept beside each score: 'split', those of a
      split, or 'full', drawn from all data alike.
    seed: of draws.

  Returns:
    `scores`: by name, the `value`, its `definition`, `n` rows and `n_test` that
    were held out, if any, the `metric`, `points`, and the value of shuffled
    codes, `chance`. Where a metric cannot judge these codes the value is None,
    and `missing` says why. `matrices`: by name, `values` with the names of
    their `rows` (latents or variables) and `columns` (factors). `details`: what
    else the metrics answer, settings among it. `codes`: what was scored, and
    the constant factors that were left out. `versions`.

  Raises:
    ValueError: if a metric is unknown, the parts do not match, or no metric
      can judge these codes.
  """
  if metrics is None:
    metrics = select(['all'], train.codes.shape[2]).of_codes
  _check(metrics)
  if test is None:
    train, test = _hold_out(train, seed)
  train, test, data = _prepared(train, test)
  order = np.random.default_rng(seed).permutation(len(train.codes))
  shuffled = train._replace(codes=train.codes[order])
  jobs = [(name, train) for name in metrics]
  jobs += [(k, shuffled) for k in metrics if chance and METRICS[k].chance]
  with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
    answers = list(pool.map(lambda job: _answer(job[0], job[1], test), jobs))
  result: dict[str, Any] = {key: {} for key in score_file.PARTS}
  sizes = len(train.codes), len(test.codes)
  for name, answer in zip(metrics, answers):
    _add(result, name, answer, train, sizes)
  for (name, _), answer in zip(jobs[len(metrics) :], answers[len(metrics) :]):
    for key in METRICS[name].scores:
      if not isinstance(answer, str):
        result['scores'][key]['chance'] = answer[key]
  reasons = [answer for answer in answers if isinstance(answer, str)]
  if reasons and len(reasons) == len(answers):
    raise ValueError(f'{metrics[0]}: {reasons[0]}')
  for entry in result['scores'].values():
    entry['points'] = points
  return {**result, 'codes': data, 'versions': score_file.versions()}


def _check(metrics: Sequence[str]) -> None:
  check_names(metrics)
  for name in metrics:
    if name not in METRICS:
      raise ValueError(f'{name} is no metric of codes alone.')


def _hold_out(codes: Codes, seed: int) -> tuple[Codes, Codes]:
  num = len(codes.codes)
  if num < 3:
    raise ValueError(
      f'{num} rows of codes, expected 3 or more to hold some out.'
    )
  order = np.random.default_rng(seed).permutation(num)
  held_out, rest = order[: num // 3], order[num // 3 :]
  return saved.take(codes, np.sort(rest)), saved.take(codes, np.sort(held_out))


def _prepared(train: Codes, test: Codes) -> tuple[Codes, Codes, dict[str, Any]]:
  """Leaves constant factors out, and describes the data."""
  if train.codes.shape[1:] != test.codes.shape[1:]:
    raise ValueError(
      f'codes are [N, K, D] of shape {train.codes.shape}, test codes '
      f'{test.codes.shape}: K and D differ.'
    )
  if train.factor_names != test.factor_names:
    raise ValueError(
      f'factors are {", ".join(train.factor_names)}, those of the test codes '
      f'{", ".join(test.factor_names)}.'
    )
  varies = train.factors.min(0) < train.factors.max(0)
  keep = np.flatnonzero(varies)
  data = {
    'factor_names': [train.factor_names[j] for j in keep],
    'factor_sizes': [train.factor_sizes[j] for j in keep],
    'dropped_factors': [train.factor_names[j] for j in np.flatnonzero(~varies)],
    'num_variables': train.codes.shape[1],
    'width': train.codes.shape[2],
    'meta': train.meta,
  }
  parts = [
    part._replace(
      factors=part.factors[:, keep], factor_names=tuple(data['factor_names'])
    )
    for part in (train, test)
  ]
  return parts[0], parts[1], data


def _answer(name: str, train: Codes, test: Codes) -> dict[str, Any] | str:
  """What a metric says, or one line that says why it cannot."""
  metric = METRICS[name]
  if metric.takes != 'codes' and not train.factor_names:
    return 'no factor varies.'
  function: Callable[..., dict[str, Any]] = getattr(evaluation, name)
  arguments = []
  for part in (train, test) if metric.takes == 'split' else (train,):
    codes = part.codes
    arguments.append(
      codes if metric.by_variable else codes.reshape(len(codes), -1)
    )
    arguments.append(part.factors)
  try:
    return function(*(arguments[:1] if metric.takes == 'codes' else arguments))
  except ValueError as error:
    return str(error)


def _add(
  result: dict[str, Any],
  name: str,
  answer: dict[str, Any] | str,
  train: Codes,
  sizes: tuple[int, int],
) -> None:
  """Files a metric's answer under scores, matrices and details."""
  metric = METRICS[name]
  num_train, num_test = sizes
  values, missing = (answer, {}) if isinstance(answer, dict) else ({}, answer)
  for key, definition in metric.scores.items():
    result['scores'][key] = {
      'value': values.get(key),
      'definition': definition,
      'n': num_train,
      **({'n_test': num_test} if metric.takes == 'split' else {}),
      'metric': name,
      **({'missing': missing} if missing else {}),
    }
  rows, columns = _axes(metric, train)
  details: dict[str, Any] = {}
  for key, value in values.items():
    is_array = isinstance(value, np.ndarray)
    if is_array and value.shape == (len(rows), len(columns)):
      result['matrices'][key] = {
        'values': value.tolist(),
        'rows': rows,
        'columns': columns,
      }
    elif key not in result['scores']:
      details[key] = value.tolist() if is_array else value
  result['details'][name] = details


def _axes(metric: Metric, codes: Codes) -> tuple[list[str], list[str]]:
  """Names of the rows and columns of a metric's matrices."""
  _, num_variables, width = codes.codes.shape
  rows = [f'U_{k + 1}' for k in range(num_variables)]
  if width > 1 and not metric.by_variable:
    rows = [f'{row}.{d + 1}' for row in rows for d in range(width)]
  return rows, rows if metric.takes == 'codes' else list(codes.factor_names)
