"""Runs that differ in their seed only, taken together."""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from structae.config import flat
from structae.config.identity import RESUMABLE
from structae.evaluation import definitions, uncertainty
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
    return np.array([value for _, value in self._found(score)])

  def by_seed(self, score: str) -> dict[Any, float]:
    """The same by seed; of runs of one seed, that of the last."""
    return dict(self._found(score))

  def _found(self, score: str) -> list[tuple[Any, float]]:
    found = [
      (run.field('seed'), run.scores.get(score, {}).get('value'))
      for run in self.runs
    ]
    return [(s, x) for s, x in found if x is not None and np.isfinite(x)]


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


def best(groups: Sequence[Group], score: str) -> int | None:
  """The place of the group that is better than every other by a score.

  There is none where neither direction is better, but one group has it, or
  they are not comparable: of other points or other numbers of examples, on
  which scores such as DCI depend. Nor is there one if the interval of a paired
  difference holds zero, see `uncertainty.best`: below three seeds there is no
  interval, and nothing is called better.
  """
  entries = _entries(groups, score)
  if not _are_comparable(entries):
    return None
  sign = definitions.direction(score, next(iter(entries), {}))
  return uncertainty.best([group.by_seed(score) for group in groups], sign)


def statistics(
  groups: Sequence[Group], scores: Iterable[str]
) -> dict[str, Any]:
  """Means over seeds and paired differences of every two groups, for a file.

  Args:
    groups: of one data set.
    scores: names of scores.

  Returns:
    By score: `means`, by the name of a group, and `differences`, a list of the
    names `of` a group and `from` another one, with the members of
    `uncertainty.Mean` and `uncertainty.Difference`; numbers that do not exist
    are None. Groups that are not comparable have no difference. The p-values
    are of one comparison each, not corrected for their number.
  """
  return {
    score: {
      'means': {
        group.name: _members(uncertainty.mean(values))
        for group in groups
        if (values := group.values(score)).size
      },
      'differences': [
        {'of': a.name, 'from': b.name, **_members(found)}
        for a, b, found in compared(groups, score)
      ],
    }
    for score in scores
  }


def compared(
  groups: Sequence[Group], score: str
) -> list[tuple[Group, Group, uncertainty.Difference]]:
  """Every two groups that have a score of the same seeds, with the difference.

  There is none where the groups are not comparable, as of `best`.
  """
  if not _are_comparable(_entries(groups, score)):
    return []
  pairs = [
    (a, b, uncertainty.paired(a.by_seed(score), b.by_seed(score)))
    for a, b in itertools.combinations(groups, 2)
  ]
  return [(a, b, found) for a, b, found in pairs if found is not None]


def _members(found: uncertainty.Mean | uncertainty.Difference) -> dict:
  return {
    name: None if np.isnan(value) else value
    for name, value in found._asdict().items()
  }


def _entries(groups: Sequence[Group], score: str) -> list[dict[str, Any]]:
  return [
    entry
    for group in groups
    for run in group.runs
    if (entry := run.scores.get(score)) and entry.get('value') is not None
  ]


def _are_comparable(entries: Sequence[dict[str, Any]]) -> bool:
  return len({tuple(map(entry.get, _POINTS)) for entry in entries}) < 2


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
