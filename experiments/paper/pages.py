"""What a study shows: its figures, tables, and one page with all of them."""

import json
import traceback
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.paper import choosing, record
from experiments.paper import figures as paper
from experiments.paper.choosing import Choice
from experiments.paper.extrapolate import PICTURES, RESULT
from experiments.paper.planning import Plan
from structae import figures, files, markdown, pages
from structae.commands.jobs import Job
from structae.pages import markup, wording
from structae.pages.embedding import embed_files
from structae.pages.seeds import Group, by_data, by_seed, statistics
from structae.run import Run, read_run

# Scores of the table, as far as runs have them.
SCORES = (
  'test_bce',
  'test_mse',
  'mig',
  'disentanglement',
  'pairwise_information',
  'scene_distance_hybrid',
  'scene_distance_prior',
  'scene_diversity_hybrid',
  'fid_rec',
  'fid_hybrid',
  'fid_prior',
)
_SCORES_NOTE = (
  'Mean and sample deviation over seeds. Minutes are those of training on '
  'whatever machine it ran, beside whatever ran there.'
)
_INTERVALS_NOTE = (
  'Mean and sample deviation over seeds; in brackets the 95 % interval of the '
  'mean, a bootstrap, from three seeds on. Of three it is the range of the '
  'values, which holds the mean of a symmetric distribution in 75 % of cases.'
)
_DIFFERENCES_NOTE = (
  'On the seeds that both have, with the 95 % interval; p is that of a '
  'permutation test, of one comparison each. Of three seeds p is .25 or more.'
)
_SHEETS = 12_000_000  # bytes of the pictures on the page

Rows = list[list[str]]  # of a table; the first is its head


def write(plan: Plan, name: str, shows: str, folder: Path) -> list[str]:
  """Writes figures, tables, the comparison of the runs and `index.html`.

  Args:
    plan: the study, trained as far as it could be.
    name: its name.
    shows: what it shows, in a sentence.
    folder: where to write.

  Returns:
    A line for each figure that could not be drawn.
  """
  failures = []
  written: list[Path] = []
  for figure, jobs in plan.figures().items():
    try:
      written += draw(figure, [_read(job) for job in jobs], folder)
    except ValueError as error:
      failures.append(f'figure {figure}: {error}')
    except Exception as error:  # a mistake in one figure costs no other
      traceback.print_exc()
      failures.append(f'figure {figure}: {error!r}, see above')
  links = [path.name for path in written if path.suffix == '.md']
  sections = []
  trained = [
    job.folder
    for job in plan.finals()
    if job.kind == 'train' and job.is_finished()
  ]
  if trained:
    rows = scores([read_run(run) for run in trained])
    sections.append(_table('Scores', rows, _SCORES_NOTE, folder / 'table.md'))
    sections.append(markup.Section('Runs', _runs(trained, folder)))
    pages.write_comparison(trained, folder / 'comparison.html')
    _save_statistics(trained, folder / 'statistics.json')
    numbers = _record(plan, name, trained)
    text = json.dumps(numbers, indent=1, allow_nan=False)
    files.write_text(folder / record.RESULT, f'{text}\n')
    sections += _over_seeds(numbers, folder)
    links += ['comparison.html', 'statistics.json', record.RESULT]
  if made := plan.choices():
    rows, note = choices(made)
    sections.append(_table('Choice', rows, note, folder / 'choice.md'))
  page = _page(name, shows, written, links, sections, failures)
  files.write_text(folder / 'index.html', page)
  return failures


def _record(plan: Plan, name: str, folders: Sequence[Path]) -> dict[str, Any]:
  (groups,) = by_data([read_run(folder) for folder in folders]).values()
  about = {
    'study': name,
    'command': plan.command(name),
    'data': plan.data,
    'scale': plan.scale,
    'changes': plan.changes,
  }
  return record.of(groups, plan.choices(), plan.matching(), about)


def _over_seeds(
  numbers: Mapping[str, Any], folder: Path
) -> list[markup.Section]:
  """Tables of means with intervals, and of differences from the reference."""
  sections = []
  less = f'{numbers["reference"]} less each other model'
  at_end = numbers['models']
  for title, note, models, stem in (
    ('Over seeds', _INTERVALS_NOTE, at_end, 'intervals'),
    ('At matched reconstruction', _matched_note(numbers['matched']),
     (numbers['matched'] or {}).get('models', {}), 'matched'),
  ):  # fmt: skip
    if models:
      rows = record.table(models)
      sections.append(_table(title, rows, note, folder / f'{stem}.md'))
    rows = record.differences(models)
    if len(rows) > 1:
      name, path = f'{title}: {less}', folder / f'{stem}_differences.md'
      sections.append(_table(name, rows, _DIFFERENCES_NOTE, path))
  return sections


def _matched_note(matched: Mapping[str, Any] | None) -> str:
  if matched is None:
    return ''
  nearest = lambda nats: 'none' if nats is None else f'nearest {nats:.1f}'
  left_out = '; '.join(
    f'{run} ({nearest(nats)})' for run, nats in matched['left_out'].items()
  )
  return (
    'Each run at the checkpoint whose validation loss is nearest to '
    f'{matched["level"]:.1f} nats. Its learning rate had not come down there, '
    'as that of a run that ends there has. Left out, for want of a checkpoint '
    f'near it: {left_out or "none"}.'
  )


def _save_statistics(folders: Sequence[Path], path: Path) -> None:
  """Writes means over seeds and paired differences, by data and score."""
  content = {}
  for data, groups in by_data([read_run(folder) for folder in folders]).items():
    runs = [run for group in groups for run in group.runs]
    names = dict.fromkeys(name for run in runs for name in run.scores)
    content[data] = statistics(groups, names)
  files.write_text(path, json.dumps(content, indent=1, allow_nan=False) + '\n')


def _read(job: Job) -> Any:
  """What a figure takes of a job: the run, or the result of several."""
  if job.kind == 'extrapolate':
    found = files.read_object(job.folder / RESULT)
    pictures = job.folder / PICTURES
    if pictures.is_file():
      found['pictures'] = files.read_arrays(pictures)
    return found
  return read_run(job.folder)


def draw(figure: str, runs: Sequence[Any], folder: Path) -> list[Path]:
  """Draws one figure of the paper.

  Args:
    figure: the name of a function of `experiments.paper.figures`.
    runs: what it takes, one a run.
    folder: where to write what it returns.

  Returns:
    The files.

  Raises:
    ValueError: if the runs lack what the figure needs.
  """
  written = []
  for stem, content in getattr(paper, figure)(runs).items():
    path = folder / f'{stem}.{"md" if isinstance(content, str) else "png"}'
    if isinstance(content, str):
      files.write_text(path, content)
    elif isinstance(content, np.ndarray):
      figures.save_png(path, content)
    else:
      figures.save_figure(path, content)
    written.append(path)
  return written


def scores(runs: Sequence[Run]) -> Rows:
  """A row per model, with its learning rate, and means over seeds."""
  groups = by_seed(runs)
  known = [s for s in SCORES if any(g.values(s).size for g in groups)]
  head = ['model', 'seeds', 'learning rate', *map(wording.words, known),
          'parameters', 'minutes']  # fmt: skip
  return [head, *(_row(group, known) for group in groups)]


def _row(group: Group, names: Sequence[str]) -> list[str]:
  first = group.runs[0]
  minutes = [x for run in group.runs if (x := run.minutes) is not None]
  return [
    group.name,
    str(len(group.runs)),
    f'{first.field("train.learning_rate"):g}',
    *(wording.over_seeds(group.values(name)) for name in names),
    f'{record.num_parameters(first.config):,}',
    f'{np.mean(minutes):.1f}' if minutes else '–',
  ]


def choices(made: Sequence[Choice]) -> tuple[Rows, str]:
  """A row per value that was tried, the chosen one marked; and by what."""
  rows = [['model', 'field', 'value', 'nats', 'chosen']]
  for choice in made:
    for value, nats in choice.results.items():
      shown = {None: 'not finished', np.inf: 'diverged'}.get(nats)
      rows.append([
        wording.model_name(choice.model),
        choice.field,
        f'{value:g}',
        shown or f'{nats:.2f}',
        '*' if value == choice.best else '',
      ])  # fmt: skip
  names = dict.fromkeys(choice.criterion for choice in made)
  words = '; '.join(choosing.CRITERIA[name].words for name in names)
  scales = dict.fromkeys(choice.scale for choice in made if choice.scale)
  where = ''.join(f' at the {scale} scale' for scale in scales)
  updates = dict.fromkeys(c.num_steps for c in made if c.num_steps)
  where += ''.join(f', {num:,} updates' for num in updates)
  return rows, f'Seed 0{where}; the least is chosen: {words}.'


def _table(title: str, rows: Rows, note: str, path: Path) -> markup.Section:
  """Writes a table in Markdown; returns it as a section of the page."""
  head, *body = rows
  escaped = [[markdown.text(cell) for cell in row] for row in rows]
  table = markdown.table(escaped[0], escaped[1:])
  files.write_text(path, f'{table}\n{note}\n')
  top = ''.join(
    f'<th scope="col"{" class=value" * bool(i)}>{markup.text(x)}</th>'
    for i, x in enumerate(head)
  )
  lines = ''.join(
    f'<tr><th scope="row">{markup.text(first)}</th>{cells}</tr>\n'
    for first, *rest in body
    for cells in [
      ''.join(f'<td class="value">{markup.text(x)}</td>' for x in rest)
    ]
  )
  table = (
    f'<table class="comparison"><thead><tr>{top}</tr></thead>\n'
    f'<tbody>\n{lines}</tbody></table>'
  )
  return markup.Section(title, markup.wide(table, title), note)


def _runs(folders: Sequence[Path], page: Path) -> str:
  """Links to the pages of runs, from a page in another folder."""
  items = ''.join(
    f'<li>{markup.link(run / "report.html", run.name, page)}</li>\n'
    for run in folders
  )
  return f'<ul>\n{items}</ul>'


def _page(
  name: str,
  shows: str,
  written: Sequence[Path],
  links: Sequence[str],
  sections: Sequence[markup.Section],
  failures: Sequence[str],
) -> str:
  pictures = [path for path in written if path.suffix == '.png']
  uris = embed_files(pictures, _SHEETS) if pictures else []
  shown = [
    markup.Section(title, markup.figure(markup.image(uri, title), large=True))
    for path, uri in zip(pictures, uris)
    for title in [_title(path.stem)]
  ]
  more = ' · '.join(f'<a href="{urllib.parse.quote(x)}">{markup.text(x)}</a>'
                    for x in links)  # fmt: skip
  missing = ''.join(f'<p class="note">{markup.text(x)}</p>' for x in failures)
  header = (
    f'<header>\n<h1>{markup.text(wording.words(name))}</h1>\n'
    f'<p class="facts">{markup.text(shows)}</p>\n<p>{more}</p>\n</header>\n'
  )
  body = [*shown, *sections, markup.Section('Not drawn', missing)]
  return markup.page(f'Study: {name}', header, body)


def _title(stem: str) -> str:
  """`traversals-shapes3d_synth-32` as `Traversals, shapes3d_synth, 32`."""
  name, *data = stem.split('-')
  return ', '.join([wording.words(name), *data])
