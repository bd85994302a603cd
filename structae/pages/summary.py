"""A few scores of many runs, a row for each configuration."""

from collections.abc import Sequence

from structae.pages import wording
from structae.pages.seeds import by_seed
from structae.run import Run

_COLUMNS = 5


def summary(runs: Sequence[Run]) -> list[list[str]]:
  """A table of the scores that reports put first.

  Args:
    runs: finished runs.

  Returns:
    Rows of cells, the first of which is the head: what tells a configuration
    from the others, how many seeds it has, and the mean and the deviation of
    its scores over them.
  """
  groups = by_seed(runs)
  known = {
    name: entry
    for run in runs
    for name, entry in run.scores.items()
    if entry.get('value') is not None
  }
  names = wording.headlines(known, _COLUMNS)
  head = [wording.score_name(name, known[name]) for name in names]
  rows = [
    [group.name, str(len(group.runs))]
    + [wording.over_seeds(group.values(name)) for name in names]
    for group in groups
  ]
  return [['run', 'seeds', *head], *rows]


def aligned(rows: Sequence[Sequence[str]]) -> str:
  """A table as lines: names on the left, numbers on the right."""
  widths = [max(map(len, column)) for column in zip(*rows)]
  return '\n'.join(
    '  '.join(
      [first.ljust(widths[0]), *(x.rjust(w) for x, w in zip(rest, widths[1:]))]
    ).rstrip()
    for first, *rest in rows
  )
