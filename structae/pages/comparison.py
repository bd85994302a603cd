"""One page about many finished runs, in a single file."""

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from structae import files
from structae.evaluation import definitions
from structae.figures import canvas, plots, score_plots
from structae.pages import markup, wording
from structae.pages.embedding import embed_files
from structae.pages.seeds import Group, best, by_seed, differences
from structae.run import Run, read_run

_SHEETS = 3_400_000  # of the 5 MB that a page may weigh
_PLOTTED = 6  # scores that get a plot of their seeds


def write_comparison(
  workdirs: Sequence[str | os.PathLike[str]], path: str | os.PathLike[str]
) -> Path:
  """Writes one page that sets runs side by side.

  Runs that differ in their seed only are one line with mean and standard
  deviation (of the population). The best is marked among runs on the same
  data.

  Args:
    workdirs: the folders of the runs.
    path: where to write the page.

  Returns:
    The path of the page.

  Raises:
    ValueError: if there is no run, or a file of one is broken.
  """
  if not workdirs:
    raise ValueError('there is no run to compare: give one folder or more.')
  runs = [read_run(workdir) for workdir in workdirs]
  files.write_text(path, comparison(runs))
  return Path(path)


def comparison(runs: Sequence[Run]) -> str:
  """The page about runs, at most 5 MB, as text."""
  groups = by_seed(runs)
  body = [_header(runs, groups)]
  per_data: dict[str, list[Group]] = {}
  for group in groups:
    per_data.setdefault(wording.data_title(group.runs[0]), []).append(group)
  numbers = itertools.count()  # of plots
  for data, some in per_data.items():
    suffix = f' on {data}' if len(per_data) > 1 else ''
    body += [
      markup.section(f'Scores{suffix}', _scores(some), _definitions(some)),
      markup.section(f'Seeds{suffix}', _seeds(some, numbers)),
      markup.section(f'Loss{suffix}', _curves(some, numbers)),
    ]
  body += [*_sheets(groups), markup.section('What differs', _table(groups))]
  title = f'{len(runs)} runs compared'
  return markup.page(title, f'<main>\n{"".join(body)}</main>')


def _header(runs: Sequence[Run], groups: Sequence[Group]) -> str:
  if len(groups) == 1:
    title = f'{groups[0].name}, {len(runs)} seeds'
  else:
    title = ', '.join(group.name for group in groups[:-1])
    title += f' and {groups[-1].name}'
  if len(title) > 60:
    title = f'{len(groups)} configurations compared'
  data = dict.fromkeys(wording.data_title(run) for run in runs)
  facts = ' · '.join([f'{len(runs)} runs', *(name for name in data if name)])
  return (
    f'<header>\n<h1>{markup.text(title)}</h1>\n'
    f'<p class="facts">{markup.text(facts)}</p>\n</header>\n'
  )


def _scores(groups: Sequence[Group]) -> str:
  means = _score_table(groups, 'model')
  if all(len(group.runs) == 1 for group in groups):
    return means
  single = [Group(r.folder.resolve().name, [r]) for g in groups for r in g.runs]
  table = _score_table(single, 'run')
  return f'{means}\n<details><summary>Every run</summary>{table}</details>'


def _score_table(groups: Sequence[Group], kind: str) -> str:
  scores = _union(groups)
  head = ''.join(
    f'<th scope="col" class="value">'
    f'{markup.text(wording.score_name(name, score))}</th>'
    for name, score in scores.items()
  )
  marked = {name: best(groups, name) for name in scores}
  rows = ''
  for i, group in enumerate(groups):
    cells = ''.join(
      f'<td class="value{" best" if i in marked[name] else ""}">'
      f'{wording.over_seeds(group.values(name))}</td>'
      for name in scores
    )
    count = (
      f' <small>× {len(group.runs)}</small>' if len(group.runs) > 1 else ''
    )
    name = f'{markup.text(group.name)}{count}'
    rows += f'<tr><th scope="row">{name}</th>{cells}</tr>\n'
  return markup.wide(
    f'<table class="comparison"><thead><tr><th scope="col">{kind}</th>{head}'
    f'</tr></thead>\n<tbody>\n{rows}</tbody></table>',
    'Scores',
  )


def _union(groups: Sequence[Group]) -> dict[str, Mapping[str, Any]]:
  """Every score that a run has, in the order of the groups of scores."""
  union: dict[str, Mapping[str, Any]] = {}
  for run in (run for group in groups for run in group.runs):
    for name, score in run.scores.items():
      union.setdefault(name, score)
  return {
    name: score
    for entries in definitions.grouped(union).values()
    for name, score in entries.items()
  }


def _definitions(groups: Sequence[Group]) -> str:
  items = ''.join(
    f'<dt>{markup.text(wording.score_name(name, score))}</dt>'
    f'<dd>{markup.text(score["definition"])}</dd>\n'
    for name, score in _union(groups).items()
    if score.get('definition')
  )
  return (
    '<details><summary>What the scores mean</summary>'
    '<p>After ±, the standard deviation of the population over seeds. Higher '
    'is better where an arrow points up, lower where it points down; the best '
    f'value is marked.</p><dl>{items}</dl></details>'
    if items
    else ''
  )


def _seeds(groups: Sequence[Group], numbers: Iterator[int]) -> str:
  if len(groups) < 2 and len(groups[0].runs) < 2:
    return ''
  scores = _union(groups)
  drawn = []
  for name in wording.headlines(scores, _PLOTTED):
    found = {g.name: g.values(name) for g in groups if g.values(name).size}
    if found:
      title = wording.words(name)
      plot = score_plots.strips(found, label=title)
      svg = canvas.svg(plot, next(numbers))
      alt = '; '.join(
        f'{title} of {g}: {wording.over_seeds(v)}' for g, v in found.items()
      )
      drawn.append(markup.figure(markup.plot(svg, alt)))
  return markup.side_by_side(drawn)


def _curves(groups: Sequence[Group], numbers: Iterator[int]) -> str:
  runs = [(group.name, run) for group in groups for run in group.runs]
  keys = ('validation_loss', 'loss')
  key = next((k for k in keys if any(r.curve(k)[0] for _, r in runs)), None)
  if key is None:
    return ''
  shown = [(name, run) for name, run in runs if run.curve(key)[0]]
  floors = {run.floor for _, run in shown}
  plot = plots.loss_curve(
    {str(run.folder): run.curve(key) for _, run in shown},
    floor=floors.pop() if len(floors) == 1 else None,
    groups=[name for name, _ in shown],
  )
  part = 'Validation' if key == 'validation_loss' else 'Training'
  caption = f'{part} loss, one line a run.'
  return markup.figure(
    markup.plot(canvas.svg(plot, next(numbers)), caption), caption
  )


def _sheets(groups: Sequence[Group]) -> list[str]:
  """For every figure a section, with the first run of each group."""
  runs = [group.runs[0] for group in groups]
  stems = dict.fromkeys(
    [*wording.FIGURES, *(stem for run in runs for stem in run.sheets)]
  )
  places = [
    (stem, group.name, run.sheets[stem])
    for stem in stems
    for group, run in zip(groups, runs)
    if stem in run.sheets and stem != 'loss'
  ]
  uris = embed_files([path for _, _, path in places], _SHEETS)
  sections = []
  for stem in stems:
    title = wording.figure_title(stem)
    figures = [
      markup.figure(markup.image(uri, f'{title} of {name}'), name)
      for uri, (other, name, _) in zip(uris, places)
      if other == stem
    ]
    note = wording.caption(stem)
    row = markup.side_by_side(figures, narrow=True)
    sections.append(markup.section(title, row, note=note))
  return sections


def _table(groups: Sequence[Group]) -> str:
  fields = differences(groups)
  if not fields:
    return ''
  head = ''.join(f'<th scope="col">{markup.text(g.name)}</th>' for g in groups)
  rows = ''.join(
    f'<tr><th scope="row">{markup.text(field)}</th>'
    + ''.join(f'<td>{markup.text(value)}</td>' for value in values)
    + '</tr>\n'
    for field, values in fields.items()
  )
  return markup.wide(
    f'<table class="comparison"><thead><tr><th scope="col">field</th>{head}'
    f'</tr></thead>\n<tbody>\n{rows}</tbody></table>',
    'Fields in which the configurations differ',
  )
