"""The runner: names of metrics and what there is to score, to `scores.json`.

Every entry of a score is built here, from its row in the registry.
"""

import dataclasses
import pkgutil
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from structae import versions
from structae.evaluation import code_scores, registry, score_file
from structae.evaluation import codes as saved
from structae.evaluation.codes import Codes, varying
from structae.evaluation.inputs import Answer, Found, Inputs, unmet
from structae.evaluation.registry import Score

# With fewer rows of codes the bias of most scores exceeds their differences.
FEW_ROWS = 500


def score(
  names: Sequence[str],
  inputs: Inputs,
  *,
  chance: bool = True,
  points: str = 'split',
  seed: int = 0,
) -> dict[str, Any]:
  """Scores whatever there is.

  Args:
    names: metrics of the registry, in the order in which entries are to stand.
    inputs: what there is to score.
    chance: also score the same codes in shuffled order: what each metric gives
      codes that know nothing.
    points: what metrics of codes alone are taken over, kept beside each:
      'split', the codes as they are; or 'full', the paper's 10,000 points to
      fit and 5,000 to score, drawn from all codes there are (fewer where there
      are fewer).
    seed: of all draws of metrics of codes: of points, of shuffling, and of the
      metrics' own.

  Returns:
    `scores`: by name, an entry: its `value`, `definition`, `n` examples and
    `n_test` that were held out, the `metric`, the `score` and the member `of` a
    family that it is of, `group`, `range`, what is `better`, and the value of
    uninformed codes, `chance`. Where a need is not met, or a metric cannot
    score this, the value is None and `missing` is the reason. `matrices`: by
    name, `values` with the names of their `rows` and `columns`. `details`: what
    else the metrics answer, settings among it. `codes`: what was scored, and
    the constant factors that were left out. `versions`.

  Raises:
    ValueError: if a metric is unknown, or the parts do not match.
  """
  inputs = dataclasses.replace(inputs, asked=tuple(names))
  described = _described(inputs)
  prepared = _prepared(_drawn(inputs, points, seed))
  for line in _remarks(inputs):
    inputs.log(line)
  groups = _by_function(names)
  answers = code_scores.answers(
    [name for name in names if name in registry.METRICS],
    prepared, chance, points, seed,
  )  # fmt: skip
  for path, metrics in groups.items():
    if metrics[0] not in registry.METRICS:
      answers[metrics[0]] = _of_inputs(path, metrics, inputs)
  return {
    **_filed(groups.values(), answers, inputs, prepared),
    'codes': described,
    'versions': versions.installed(versions.SCORING),
  }


def score_codes(
  train: Codes,
  test: Codes | None = None,
  metrics: Sequence[str] | None = None,
  *,
  validation: Codes | None = None,
  chance: bool = True,
  points: str = 'split',
  seed: int = 0,
  repeats: int = 1,
) -> dict[str, Any]:
  """Scores codes by every metric that needs nothing else.

  Args:
    train: what is scored, and what predictors are fitted to.
    test: what predictors are scored on; by default a third of the rows of
      `train`, drawn at random and kept out of everything else.
    metrics: names out of `registry.METRICS`; all by default. Those over whole
      variables are left out by default where a variable is a single number.
    validation: more codes, which the points of 'full' are drawn from too.
    chance: as of `score`.
    points: as of `score`.
    seed: of what is held out, and as of `score`.
    repeats: the number of seeds, `seed` and those after it. With several, an
      entry also has the `mean` and the sample deviation `std` of its value over
      `seeds`: what a score owes to its own draws.

  Returns:
    What `score` returns.

  Raises:
    ValueError: if a metric is unknown, the parts do not match, or no metric
      can score these codes.

  Warns:
    UserWarning: if there are too few rows for scores to mean much.
  """
  if metrics is None:
    width = train.codes.shape[2]
    metrics = [
      name
      for name in registry.expand(['all'], width)
      if name in registry.METRICS
    ]
  registry.check_names(metrics)
  for name in metrics:
    if name not in registry.METRICS:
      raise ValueError(f'{name} is no metric of codes alone.')
  if repeats < 1:
    raise ValueError(f'repeats is {repeats}, expected 1 or more.')
  whole = Inputs(train, test, validation)
  described = _described(whole)
  for line in _remarks(whole):
    warnings.warn(line, stacklevel=2)

  def once(seed: int, chance: bool) -> dict[str, Any]:
    inputs = whole
    if test is None and points == 'split':
      inputs = Inputs(*_hold_out(train, seed))
    return score(metrics, inputs, chance=chance, points=points, seed=seed)

  content = once(seed, chance)
  check_any(content)
  seeds = range(seed, seed + repeats)
  _spread(content, [once(other, False) for other in seeds[1:]], seeds)
  return {**content, 'codes': described}


def _spread(
  content: Mapping[str, Any],
  others: Sequence[Mapping[str, Any]],
  seeds: Sequence[int],
) -> None:
  """Adds mean and deviation over seeds to the entries of the first."""
  for name, entry in content['scores'].items():
    found = [x['scores'].get(name, {}).get('value') for x in others]
    values = [entry['value'], *found]
    if others and None not in values:
      entry['mean'] = float(np.mean(values))
      entry['std'] = float(np.std(values, ddof=1))
      entry['seeds'] = list(seeds)


def _remarks(inputs: Inputs) -> list[str]:
  """Lines on codes too few for their scores to mean much."""
  train = inputs.train
  if train is None:
    return []
  num, lines = len(train.codes), []
  if num < FEW_ROWS:
    lines.append(
      f'{num} rows of codes: scores of fewer than {FEW_ROWS} are mostly chance.'
    )
  for name, values in zip(train.factor_names, train.factors.T):
    classes = len(np.unique(values))
    if classes > max(num / 10, 1):
      lines.append(
        f'factor {name} has {classes} values in {num} rows of codes, too few '
        'rows of each; leave it out, or bin it.'
      )
  return lines


def check_any(content: Mapping[str, Any]) -> None:
  """Raises ValueError, with the first reason, if every score is missing."""
  entries = list(content['scores'].values())
  if entries and all(map(score_file.is_missing, entries)):
    raise ValueError(f'{entries[0]["metric"]}: {entries[0]["missing"]}')


def _hold_out(codes: Codes, seed: int) -> tuple[Codes, Codes]:
  num = len(codes.codes)
  if num < 3:
    raise ValueError(
      f'{num} rows of codes, expected 3 or more to hold some out.'
    )
  order = np.random.default_rng(seed).permutation(num)
  held_out, rest = order[: num // 3], order[num // 3 :]
  return saved.take(codes, np.sort(rest)), saved.take(codes, np.sort(held_out))


def _parts(inputs: Inputs) -> dict[str, Codes]:
  parts = {
    'train': inputs.train,
    'test': inputs.test,
    'validation': inputs.validation,
  }
  return {name: part for name, part in parts.items() if part is not None}


def _described(inputs: Inputs) -> dict[str, Any]:
  """What the codes are, with the digest of each part."""
  train, parts = inputs.train, _parts(inputs)
  if train is None:
    return {'meta': {}}
  keep = varying(train)
  names = [train.factor_names[j] for j in keep]
  return {
    'factor_names': names,
    'factor_sizes': [train.factor_sizes[j] for j in keep],
    'dropped_factors': [k for k in train.factor_names if k not in names],
    'num_variables': train.codes.shape[1],
    'width': train.codes.shape[2],
    'meta': train.meta,
    'sha256': {name: saved.digest(part) for name, part in parts.items()},
  }


def _drawn(inputs: Inputs, points: str, seed: int) -> Inputs:
  """What metrics of codes alone are taken over."""
  if points not in ('split', 'full'):
    raise ValueError(f"points is {points!r}, expected 'split' or 'full'.")
  if points == 'split' or inputs.train is None:
    return inputs
  train, test = saved.redrawn([*_parts(inputs).values()], seed)
  return dataclasses.replace(inputs, train=train, test=test, validation=None)


def _prepared(inputs: Inputs) -> Inputs:
  """Leaves constant factors out."""
  train, test = inputs.train, inputs.test
  if train is None:
    return inputs
  if test is not None:
    saved.check_alike(train, test)
  keep = varying(train)
  names = tuple(train.factor_names[j] for j in keep)
  train, test = (
    part and part._replace(factors=part.factors[:, keep], factor_names=names)
    for part in (train, test)
  )
  return dataclasses.replace(inputs, train=train, test=test)


def _by_function(names: Sequence[str]) -> dict[str, list[str]]:
  """Metrics by the path of the function that computes them."""
  groups: dict[str, list[str]] = {}
  for name in names:
    rows = registry.of_metric(name)
    if not rows:
      raise ValueError(f'unknown metric {name!r}.')
    groups.setdefault(rows[0].function, []).append(name)
  return groups


def _filed(
  groups: Iterable[list[str]],
  answers: Mapping[str, Answer | str],
  inputs: Inputs,
  points: Inputs,
) -> dict[str, Any]:
  """Answers, or why there are none, under scores, matrices and details.

  Args:
    groups: metrics that one function computes.
    answers: of each group, by its first metric.
    inputs: what there is to score.
    points: what metrics of codes alone were taken over.
  """
  result: dict[str, Any] = {key: {} for key in score_file.PARTS}
  failed: dict[str, list[str]] = {}
  for metrics in groups:
    answer = answers[metrics[0]]
    if isinstance(answer, str):
      failed.setdefault(answer, []).extend(metrics)
      of_codes = metrics[0] in registry.METRICS
      answer = _missing(metrics, answer, points if of_codes else inputs)
    for found in answer.values:
      name = f'{found.score}_{found.of}' if found.of else found.score
      result['scores'][name] = _entry(found)
    result['matrices'] |= answer.matrices
    result['details'] |= answer.details
  for reason, metrics in failed.items():
    inputs.log(f'{", ".join(metrics)}: {reason}')
  return result


def _of_inputs(
  path: str, metrics: Sequence[str], inputs: Inputs
) -> Answer | str:
  """What a function of all inputs answers, or one line on why it cannot."""
  need = unmet(metrics[0], inputs)
  if need:
    return registry.NEEDS[need]
  try:
    return pkgutil.resolve_name(path)(inputs)
  except ValueError as error:
    return str(error)


def _missing(metrics: Sequence[str], reason: str, inputs: Inputs) -> Answer:
  """Values that could not be computed."""
  num = None if inputs.train is None else len(inputs.train.codes)
  return Answer(
    [
      Found(row.name, None, num, of, missing=reason)
      for metric in metrics
      for row in registry.of_metric(metric)
      for of in _members(row, inputs)
    ],
    details={metric: {} for metric in metrics},
  )


def _members(row: Score, inputs: Inputs) -> Iterable[str]:
  """The members of a family that are known, or the score itself."""
  if row.family == 'factor':
    train = inputs.train
    return [train.factor_names[j] for j in varying(train)] if train else []
  if row.family == 'variable' and inputs.test is not None:
    test = inputs.test
    return test.variable_names or saved.numbered(test.codes.shape[1])
  return ['']


def _entry(found: Found) -> dict[str, Any]:
  """An entry of `scores.json`."""
  row = registry.SCORES[found.score]
  value = found.value
  is_number = isinstance(row.chance, int | float) and value is not None
  return {
    'value': value,
    'definition': row.define(found.of),
    **({} if found.num is None else {'n': found.num}),
    'metric': row.metric,
    **({'chance': row.chance} if is_number else {}),
    **found.more,
    'score': row.name,
    **({'of': found.of} if found.of else {}),
    'group': row.group,
    'range': list(row.range),
    'better': row.better,
    **({'missing': found.missing} if found.missing else {}),
  }
