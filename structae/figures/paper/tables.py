"""Markdown tables of scores over seeds."""

from collections.abc import Mapping, Sequence

import numpy as np

from structae.figures import wording
from structae.figures.paper import published, scored
from structae.figures.seeds import Group


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """A table with names on the left and numbers on the right of their cells."""
  lines = [head, ['---', *['---:'] * (len(head) - 1)], *rows]
  cells = [[str(cell).replace('|', r'\|') for cell in line] for line in lines]
  return '\n'.join(f'| {" | ".join(line)} |' for line in cells) + '\n'


def of_scores(
  groups: Sequence[Group],
  scores: Mapping[str, str],
  directions: Mapping[str, int] | None = None,
) -> str:
  """Scores with mean and deviation over seeds, the best in bold.

  Args:
    groups: of one data set, a line each; those without any score are left out.
    scores: the names of scores to the heads of their columns; a column without
      a number is left out.
    directions: by score, 1 where higher is better, -1 where lower is, and 0
      where nothing is to be marked; by default what the names of scores say.

  Returns:
    The table. Below a model on the authors' data stand its published values.
  """
  shown = [s for s in scores if any(g.values(s).size for g in groups)]
  groups = [g for g in groups if any(g.values(s).size for s in shown)]
  best = {s: _best(groups, s, directions) for s in shown}
  rows = []
  for i, group in enumerate(groups):
    cells = [
      f'**{text}**' if i in best[score] else text
      for score in shown
      for text in [wording.over_seeds(group.values(score))]
    ]
    rows.append([group.name, str(len(group.runs)), *cells])
    known = [_published(group, score) for score in shown]
    if any(known):
      rows.append([f'*{group.model}, published*', '', *known])
  head = ['model', 'seeds', *(scores[score] for score in shown)]
  return markdown(head, rows)


def in_sections(tables: Mapping[str, str], note: str = '') -> str:
  """A table below the title of its data each, and a remark."""
  parts = [f'### {title}\n\n{table}' for title, table in tables.items()]
  note = f'{note} After ±, the deviation of the population over seeds.'.strip()
  if any('published' in table for table in tables.values()):
    note += (
      " Published: the authors' repository of 2021 "
      '(https://github.com/felixludos/learn_rep), released widths.'
    )
  return '\n'.join([*parts, note, ''])


def _best(
  groups: Sequence[Group], score: str, directions: Mapping[str, int] | None
) -> list[int]:
  if directions is None:
    entries = (r.scores.get(score) for g in groups for r in g.runs)
    sign = wording.direction(score, next(filter(None, entries), {}))
  else:
    sign = directions.get(score, 0)
  means = [
    sign * values.mean() if (values := group.values(score)).size else -np.inf
    for group in groups
  ]
  if not sign or np.isfinite(means).sum() < 2:
    return []
  return [i for i, mean in enumerate(means) if mean == max(means)]


def _published(group: Group, score: str) -> str:
  value = published.of_run(group.runs[0], score)
  if value is None:
    return ''
  if value.deviation is None:
    return wording.number(value.mean)
  return wording.mean_and_deviation(value.mean, value.deviation)
