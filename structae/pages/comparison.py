"""One page about many finished runs, in a single file."""

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from structae import files
from structae.evaluation import definitions, uncertainty
from structae.figures import canvas, plots, score_plots
from structae.pages import markup, wording
from structae.pages.embedding import embed_files
from structae.pages.markup import Section
from structae.pages.seeds import Group, best, by_seed, compared, differences
from structae.run import Run, read_run

_SHEETS = 3_400_000  # of the 5 MB that a page may weigh
_PLOTTED = 6  # scores that get a plot of their seeds
_LOG_FROM = 5  # as many times apart, values are drawn on a log axis
_ABOVE_FLOOR = 'test_bce_above_floor'
_SCORES_NOTE = (
  'After ±, the sample deviation over seeds; below, the 95 % interval of the '
  'mean. The best is marked where all columns are of as many examples and the '
  'interval of its difference from each other one, on the same seeds, leaves '
  'out zero. Chance is what codes that know nothing get.'
)
_SEEDS_NOTE = (
  'A dot for each seed; the line is their mean, the bar its 95 % interval from '
  'three seeds on.'
)
_DIFFERENCES_NOTE = (
  'Of the same seeds, first less second, with its 95 % interval; p is the '
  'share of all ways to exchange the two that differ as much. The p-values are '
  'not corrected for their number.'
)


def write_comparison(
  workdirs: Sequence[str | os.PathLike[str]], path: str | os.PathLike[str]
) -> Path:
  """Writes one page that sets runs side by side.

  Runs that differ in their seed only are one column: mean, standard deviation
  of the sample and, from three seeds on, the 95 % interval of the mean. The
  best is marked among runs on the same data, of scores of as many examples, if
  it is better than each other by more than the interval of the difference.
  Runs without scores are named with how far they got.

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
  files.write_text(path, comparison(runs, Path(path).parent))
  return Path(path)


def comparison(runs: Sequence[Run], folder: Path) -> str:
  """The page about runs, at most 5 MB, as text.

  Args:
    runs: the runs, one or more.
    folder: where the page will lie; links lead from there.
  """
  scored = [run for run in runs if run.progress is None] or runs
  groups = by_seed(scored)
  body: list[Section] = []
  per_data: dict[str, list[Group]] = {}
  for group in groups:
    per_data.setdefault(wording.data_title(group.runs[0]), []).append(group)
  numbers = itertools.count()  # of plots
  for data, some in per_data.items():
    suffix = f' on {data}' if len(per_data) > 1 else ''
    body += [
      Section(
        f'Scores{suffix}',
        _scores(some, folder) + _definitions(some),
        _SCORES_NOTE,
      ),
      Section(f'Seeds{suffix}', _seeds(some, numbers), _SEEDS_NOTE),
      Section(f'Differences{suffix}', _differences(some), _DIFFERENCES_NOTE),
      Section(f'Loss{suffix}', _curves(some, numbers)),
    ]
  body += [*_sheets(groups), Section('What differs', _table(groups))]
  title = f'{len(runs)} runs compared'
  return markup.page(title, _header(runs, groups), body)


def _header(runs: Sequence[Run], groups: Sequence[Group]) -> str:
  if len(groups) == 1:
    title = f'{groups[0].name}, {len(groups[0].runs)} seeds'
  else:
    title = ', '.join(group.name for group in groups[:-1])
    title += f' and {groups[-1].name}'
  if len(title) > 60:
    title = f'{len(groups)} configurations compared'
  data = dict.fromkeys(wording.data_title(run) for run in runs)
  facts = ' · '.join([f'{len(runs)} runs', *(name for name in data if name)])
  unfinished = ''.join(
    f'<p class="note">Not finished: {markup.text(_folder_name(run))}, '
    f'{markup.text(run.progress)}.</p>\n'
    for run in runs
    if run.progress is not None
  )
  return (
    f'<header>\n<h1>{markup.text(title)}</h1>\n'
    f'<p class="facts">{markup.text(facts)}</p>\n{unfinished}</header>\n'
  )


def _scores(groups: Sequence[Group], folder: Path) -> str:
  means = _score_table(groups, folder)
  if all(len(group.runs) == 1 for group in groups):
    return means
  single = [Group(_folder_name(r), [r]) for g in groups for r in g.runs]
  table = _score_table(single, folder)
  return f'{means}\n<details><summary>Every run</summary>{table}</details>'


def _score_table(groups: Sequence[Group], folder: Path) -> str:
  """A row for each score, in groups; a column for each group of runs."""
  scores = _union(groups)
  heads = ''.join(
    f'<th scope="col" class="value">{_column_head(group, folder)}</th>'
    for group in groups
  )
  body = ''
  for title, entries in definitions.grouped(scores).items():
    body += (
      f'<tr class="group"><th scope="rowgroup" colspan="{len(groups) + 2}">'
      f'{markup.text(title)}</th></tr>\n'
    )
    body += ''.join(_score_row(groups, *entry) for entry in entries.items())
  return markup.wide(
    '<table class="comparison"><thead><tr><th scope="col">score</th>'
    f'{heads}<th scope="col" class="value">chance</th></tr></thead>\n'
    f'<tbody>\n{body}</tbody></table>',
    'Scores',
  )


def _column_head(group: Group, folder: Path) -> str:
  """The name of a group, linked to the page of its run, or those of its runs.

  Where a run has no page there is no link.
  """
  count = f' <small>× {len(group.runs)}</small>' if len(group.runs) > 1 else ''
  if not count:
    page = group.runs[0].folder / 'report.html'
    return markup.link(page, group.name, folder)
  links = ' '.join(
    markup.link(run.folder / 'report.html', f'seed {run.field("seed")}', folder)
    for run in group.runs
  )
  return f'{markup.text(group.name)}{count}<small class="seeds">{links}</small>'


def _folder_name(run: Run) -> str:
  return run.folder.resolve().name


def _score_row(
  groups: Sequence[Group], name: str, score: Mapping[str, Any]
) -> str:
  marked = best(groups, name)
  cells = ''.join(
    f'<td class="value{" best" if i == marked else ""}">'
    f'{_cell(group.values(name))}</td>'
    for i, group in enumerate(groups)
  )
  chance = score.get('chance')
  beside = '' if chance is None else wording.number(chance)
  return (
    f'<tr><th scope="row">{markup.text(wording.score_name(name, score))}</th>'
    f'{cells}<td class="value">{beside}</td></tr>\n'
  )


def _cell(values: np.ndarray) -> str:
  interval = wording.interval(values)
  small = f'<small>{markup.text(interval)}</small>' if interval else ''
  return wording.over_seeds(values) + small


def _union(groups: Sequence[Group]) -> dict[str, Mapping[str, Any]]:
  """Every score that a run has, in the order of the groups of scores."""
  union: dict[str, Mapping[str, Any]] = {}
  for run in (run for group in groups for run in group.runs):
    for name, score in run.scores.items():
      if score.get('value') is not None:
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
    '<p>Higher is better where an arrow points up, lower where it points '
    f'down.</p><dl>{items}</dl></details>'
    if items
    else ''
  )


def _seeds(groups: Sequence[Group], numbers: Iterator[int]) -> str:
  if len(groups) < 2 and len(groups[0].runs) < 2:
    return ''
  scores = _union(groups)
  drawn = []
  for name in _plotted(scores):
    found = {g.name: g.values(name) for g in groups if g.values(name).size}
    title = wording.words(name)
    # What a model can change of a cross entropy is its part above the entropy.
    log = name == _ABOVE_FLOOR and _span(found.values()) > _LOG_FROM
    plot = score_plots.strips(found, label=title, log=log)
    svg = canvas.svg(plot, next(numbers))
    alt = '; '.join(
      f'{title} of {g}: {wording.over_seeds(v)}' for g, v in found.items()
    )
    drawn.append(markup.figure(markup.plot(svg, alt), _caption(name, scores)))
  return markup.side_by_side(drawn)


def _span(values: Iterable[np.ndarray]) -> float:
  """How many times the least of all values the largest is; 0 below zero."""
  every = np.concatenate([*values])
  return every.max() / every.min() if every.min() > 0 else 0.0


def _differences(groups: Sequence[Group]) -> str:
  """A row for every two groups of the scores that are plotted."""
  scores = _union(groups)
  rows = ''.join(
    _difference_row(wording.score_name(name, scores[name]), *found)
    for name in _plotted(scores)
    for found in compared(groups, name)
    if found[2].num >= uncertainty.FEWEST
  )
  heads = ('first', 'second', 'difference', '95 %', 'p', 'seeds')
  head = ''.join(f'<th scope="col">{x}</th>' for x in heads)
  return rows and markup.wide(
    f'<table class="comparison"><thead><tr><th scope="col">score</th>{head}'
    f'</tr></thead>\n<tbody>\n{rows}</tbody></table>',
    'Differences between models on the same seeds',
  )


def _difference_row(
  title: str, a: Group, b: Group, found: uncertainty.Difference
) -> str:
  cells = [
    a.name,
    b.name,
    wording.number(found.mean),
    f'{wording.number(found.low)} to {wording.number(found.high)}',
    f'{found.p_value:.3f}',
    str(found.num),
  ]
  shown = ''.join(f'<td class="value">{markup.text(x)}</td>' for x in cells)
  return f'<tr><th scope="row">{markup.text(title)}</th>{shown}</tr>\n'


def _plotted(scores: Mapping[str, Any]) -> list[str]:
  """The scores that get a plot: of a cross entropy its part above the floor."""
  first = [_ABOVE_FLOOR] if _ABOVE_FLOOR in scores else []
  hidden = ['test_bce', *first] if first else []
  known = {
    name: score
    for name, score in scores.items()
    if name not in hidden and score.get('value') is not None
  }
  return first + wording.headlines(known, _PLOTTED - len(first))


def _caption(name: str, scores: Mapping[str, Mapping[str, Any]]) -> str:
  better = {1: 'Higher is better.', -1: 'Lower is better.', 0: ''}
  chance = scores[name].get('chance')
  beside = '' if chance is None else f' Chance: {wording.number(chance)}.'
  return (better[definitions.direction(name, scores[name])] + beside).strip()


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


def _sheets(groups: Sequence[Group]) -> list[Section]:
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
    sections.append(Section(title, row, note))
  return sections


def _table(groups: Sequence[Group]) -> str:
  fields = differences(groups)
  if not fields:
    return ''
  head = ''.join(f'<th scope="col">{markup.text(g.name)}</th>' for g in groups)
  rows = ''.join(
    f'<tr><th scope="row">{markup.breakable(field)}</th>'
    + ''.join(f'<td>{markup.text(value)}</td>' for value in values)
    + '</tr>\n'
    for field, values in fields.items()
  )
  return markup.wide(
    f'<table class="comparison"><thead><tr><th scope="col">field</th>{head}'
    f'</tr></thead>\n<tbody>\n{rows}</tbody></table>',
    'Fields in which the configurations differ',
  )
