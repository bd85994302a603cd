"""Markdown tables of scores over seeds."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from experiments.paper.figures import published
from structae import markdown
from structae.evaluation import definitions, registry, uncertainty
from structae.pages import seeds, wording
from structae.pages.seeds import Group

OVER_SEEDS = (
  'After ±, the sample deviation over seeds; in brackets the 95 % interval of '
  'the mean. Bold is what is better than each other by more than the interval '
  'of the paired difference.'
)


def of_scores(
  groups: Sequence[Group],
  scores: Mapping[str, str],
  *,
  decimals: int | None = None,
  settings: Mapping[str, Sequence[str]] | None = None,
) -> str:
  """Scores with mean, deviation and interval over seeds, the best in bold.

  Only what is better than each other model, see `seeds.best`, is bold.

  Args:
    groups: of one data set, a line each; those without any score are left out.
    scores: the names of scores to the heads of their columns; a column without
      a number is left out.
    decimals: of every number; by default they have four digits.
    settings: further columns before the scores: heads to a cell a group.

  Returns:
    The table, with the numbers of codes that were scored, fitted + held out.
    Below a model on the authors' data stand its published values.
  """
  shown = [s for s in scores if any(g.values(s).size for g in groups)]
  settings = dict(settings or {})
  has = [any(g.values(s).size for s in shown) for g in groups]
  groups = [g for g, some in zip(groups, has) if some]
  columns = {
    head: [cell for cell, some in zip(cells, has) if some]
    for head, cells in settings.items()
  }
  counts = [num_codes(group, shown) for group in groups]
  if any(counts):
    columns['codes'] = counts
  best = {s: seeds.best(groups, s) for s in shown}
  rows = []
  for i, group in enumerate(groups):
    cells = [
      f'**{text}**' if i == best[score] else text
      for score in shown
      for text in [over_seeds(group.values(score), decimals)]
    ]
    given = [cells[i] for cells in columns.values()]
    name = markdown.text(group.name)
    rows.append([name, str(len(group.runs)), *given, *cells])
    known = [_published(group, score, decimals) for score in shown]
    if any(known):
      blank = [''] * len(given)
      label = markdown.text(published.label(group.model))
      rows.append([f'*{label}*', '', *blank, *known])
  head = ['model', 'seeds', *columns, *(scores[score] for score in shown)]
  return markdown.table(head, rows)


def num_codes(group: Group, scores: Iterable[str]) -> str:
  """How many codes scores are of: `10,000 + 5,000`; '' if that is not known.

  Scores of codes grow or fall with it, so that others do not compare.
  """
  found: dict[str, None] = {}
  for run in group.runs:
    for score in scores:
      entry = run.scores.get(score, {})
      row = definitions.find(score, entry)
      if row is None or row.metric not in registry.METRICS:
        continue
      numbers = [entry[key] for key in ('n', 'n_test') if key in entry]
      found |= dict.fromkeys([' + '.join(f'{num:,}' for num in numbers)])
  texts = [text for text in found if text]
  # A score without a held-out part is of the same codes.
  whole = [t for t in texts if not any(x.startswith(f'{t} +') for x in texts)]
  return ' or '.join(whole)


def in_sections(tables: Mapping[str, str], note: str = '') -> str:
  """A table below the title of its data each, and a remark."""
  parts = [
    f'### {markdown.text(title)}\n\n{table}' for title, table in tables.items()
  ]
  note = f'{note} {OVER_SEEDS}'.strip()
  if any('published' in table for table in tables.values()):
    note += (
      " Published: the authors' repository of 2021 "
      '(https://github.com/felixludos/learn_rep), released widths; their '
      'deviations are of the population.'
    )
  return '\n'.join([*parts, note, ''])


def _published(group: Group, score: str, decimals: int | None) -> str:
  value = published.of_run(group.runs[0], score)
  if value is None:
    return ''
  return _shown(value.mean, value.deviation, decimals)


def over_seeds(values: np.ndarray, decimals: int | None = None) -> str:
  """`[n]` values as their mean, and the deviation if there are several.

  From three on the 95 % interval of the mean follows in brackets.
  """
  if not values.size:
    return '–'
  found = uncertainty.mean(values)
  if found.num == 1:
    return _shown(found.mean, None, decimals)
  text = _shown(found.mean, found.deviation, decimals)
  if found.num < uncertainty.FEWEST:
    return text
  ends = (_shown(x, None, decimals) for x in (found.low, found.high))
  return f'{text} [{", ".join(ends)}]'


def _shown(mean: float, deviation: float | None, decimals: int | None) -> str:
  if decimals is None:
    if deviation is None:
      return wording.number(mean)
    return wording.mean_and_deviation(mean, deviation)
  text = f'{mean:,.{decimals}f}'
  return text if deviation is None else f'{text} ± {deviation:,.{decimals}f}'
