"""Runs that differ in their seed only, taken together."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from structae.config import flat
from structae.config.identity import RESUMABLE
from structae.evaluation import definitions
from structae.figures import models
from structae.pages import wording
from structae.run import Run

# Fields that say where a run lives, which repetition it is or what was asked of
# it afterwards, not what it is.
_INCIDENTAL = {'seed', 'workdir', 'config_hash', *RESUMABLE} - {
  'train.num_steps'
}
_POINTS = ('n', 'n_test', 'points')  # of an entry of a score


@dataclasses.dataclass(frozen=True)
class Group:
  """Runs of one configuration, in the order of their seeds."""

  name: str
  runs: list[Run]

  @property
  def model(self) -> str:
    """What the model is called, without what tells it from its namesakes."""
    return wording.model_title(self.runs[0])

  def values(self, score: str) -> np.ndarray:
    """The score of every run that has it, `[n]`."""
    found = [run.scores.get(score, {}).get('value') for run in self.runs]
    return np.array([x for x in found if x is not None and np.isfinite(x)])


def by_seed(runs: Sequence[Run]) -> list[Group]:
  """Groups runs, in the order in which their first members come.

  Args:
    runs: any runs.

  Returns:
    The groups. Names are those of the models; where several groups share one,
    the fields in which these differ are added.
  """
  members: dict[str, list[Run]] = {}
  for run in runs:
    members.setdefault(repr(sorted(_identity(run).items())), []).append(run)
  groups = [
    sorted(some, key=lambda run: str(run.field('seed')).zfill(9))
    for some in members.values()
  ]
  bases = [wording.model_title(some[0]) for some in groups]
  names = []
  for base, some in zip(bases, groups):
    namesakes = [g[0] for g, other in zip(groups, bases) if other == base]
    names.append(', '.join([base, *_distinctions(some[0], namesakes)]))
  return [Group(name, some) for name, some in zip(names, groups)]


def by_data(runs: Sequence[Run]) -> dict[str, list[Group]]:
  """Groups of seeds by the data they are of, models in the order of `models`.

  Args:
    runs: any runs.

  Returns:
    The groups, by the title of their data.
  """
  data: dict[str, list[Run]] = {}
  for run in runs:
    data.setdefault(wording.data_title(run), []).append(run)
  return {
    title: sorted(by_seed(some), key=lambda group: models.rank(group.model))
    for title, some in data.items()
  }


def best(groups: Sequence[Group], score: str) -> list[int]:
  """The places of the groups with the best mean of a score.

  There are none where neither direction is better, but one group has it, or
  they are not comparable: of other points or other numbers of examples, on
  which scores such as DCI depend.
  """
  entries = [
    entry
    for group in groups
    for run in group.runs
    if (entry := run.scores.get(score)) and entry.get('value') is not None
  ]
  if len({tuple(map(entry.get, _POINTS)) for entry in entries}) > 1:
    return []
  sign = definitions.direction(score, next(iter(entries), {}))
  means = [
    sign * values.mean() if (values := group.values(score)).size else -np.inf
    for group in groups
  ]
  if not sign or np.isfinite(means).sum() < 2:
    return []
  return [i for i, mean in enumerate(means) if mean == max(means)]


def differences(groups: Sequence[Group]) -> dict[str, list[Any]]:
  """The fields in which groups differ, to their values, one a group."""
  identities = [_identity(group.runs[0]) for group in groups]
  fields = dict.fromkeys(field for one in identities for field in one)
  table = {f: [one.get(f, '') for one in identities] for f in fields}
  return {f: values for f, values in table.items() if len(set(values)) > 1}


def _distinctions(run: Run, namesakes: Sequence[Run]) -> list[str]:
  """The fewest fields that tell a run from its namesakes, with their values."""
  own, others = _identity(run), [_identity(other) for other in namesakes]
  told: list[str] = []
  while len(_alike(told, others)) < len(others):
    # The field that tells most apart; the first of them, as they are listed.
    fields = {f: None for one in (own, *others) for f in one if f not in told}
    told.append(max(fields, key=lambda f: len(_alike([*told, f], others))))
  return [f'{_words(field)} {own.get(field, "none")}' for field in told]


def _alike(fields: Sequence[str], runs: Sequence[dict[str, str]]) -> set:
  """The combinations of values that some fields have."""
  return {tuple(run.get(field) for field in fields) for run in runs}


def _words(field: str) -> str:
  """`train.learning_rate` as `learning rate`; `data.name` says less alone."""
  last = field.rpartition('.')[2]
  return (field if last == 'name' else last).replace('_', ' ')


def _identity(run: Run) -> dict[str, str]:
  return {
    field: str(value)
    for field, value in {'name': run.name, **flat(run.settings)}.items()
    if field not in _INCIDENTAL
  }
