"""What a study shows: its figures, tables, and one page with all of them."""

import importlib
import json
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.paper import planning, study_tables
from experiments.paper.launchers import Job
from experiments.paper.planning import Plan
from structae import figures, files, pages
from structae.pages import markup, wording
from structae.pages.embedding import embed_files
from structae.run import read_run

_SHEETS = 12_000_000  # bytes of the pictures on the page


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
  choices = plan.choices()
  trained = [
    job for job in plan.finals() if job.kind == 'train' and job.is_finished()
  ]
  sections = []
  if trained:
    table = study_tables.scores(trained)
    text = f'{study_tables.markdown(table)}\n{study_tables.NOTE}\n'
    files.write_text(folder / 'table.md', text)
    sections.append(
      markup.section('Scores', _html(table), note=study_tables.NOTE)
    )
    pages.write_comparison(
      [job.folder for job in trained], folder / 'comparison.html'
    )
  if choices:
    table, words = study_tables.choices(choices)
    text = f'{study_tables.markdown(table)}\n{words}\n'
    files.write_text(folder / 'choice.md', text)
    sections.append(markup.section('Choice', _html(table), note=words))
  page = _page(name, shows, written, sections, failures, bool(trained))
  files.write_text(folder / 'index.html', page)
  return failures


def _read(job: Job) -> Any:
  """What a figure takes of a job: the run, or the result of several."""
  if job.kind == 'extrapolate':
    return json.loads((job.folder / planning.RESULT).read_text('utf-8'))
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
  paper = importlib.import_module('experiments.paper.figures')
  written = []
  for stem, content in getattr(paper, figure)(runs).items():
    path = folder / (
      f'{stem}.md' if isinstance(content, str) else f'{stem}.png'
    )
    save: Callable[[Path, Any], None] = figures.save_figure
    if isinstance(content, str):
      save = files.write_text
    elif isinstance(content, np.ndarray):
      save = figures.save_png
    save(path, content)
    written.append(path)
  return written


def _html(rows: study_tables.Rows) -> str:
  head, *body = rows
  cells = lambda row: ''.join(
    f'<td class="value">{markup.text(x)}</td>' for x in row[1:]
  )
  top = ''.join(
    f'<th scope="col"{" class=value" * bool(i)}>{markup.text(x)}</th>'
    for i, x in enumerate(head)
  )
  lines = ''.join(
    f'<tr><th scope="row">{markup.text(row[0])}</th>{cells(row)}</tr>\n'
    for row in body
  )
  return markup.wide(
    f'<table class="comparison"><thead><tr>{top}</tr></thead>\n'
    f'<tbody>\n{lines}</tbody></table>',
    'Table',
  )


def _title(stem: str) -> str:
  """`traversals-shapes3d_synth-32` as `Traversals, shapes3d_synth, 32`."""
  name, *data = stem.split('-')
  return ', '.join([wording.words(name), *data])


def _page(
  name: str,
  shows: str,
  written: Sequence[Path],
  sections: Sequence[str],
  failures: Sequence[str],
  compared: bool,
) -> str:
  pictures = [path for path in written if path.suffix == '.png']
  uris = embed_files(pictures, _SHEETS) if pictures else []
  shown = [
    markup.section(title, markup.figure(markup.image(uri, title)))
    for path, uri in zip(pictures, uris)
    for title in [_title(path.stem)]
  ]
  links = [path.name for path in written if path.suffix == '.md']
  links += ['comparison.html'] if compared else []
  more = ' · '.join(f'<a href="{markup.text(x)}">{markup.text(x)}</a>'
                    for x in links)  # fmt: skip
  missing = ''.join(f'<p class="note">{markup.text(x)}</p>' for x in failures)
  header = (
    f'<header>\n<h1>{markup.text(wording.words(name))}</h1>\n'
    f'<p class="facts">{markup.text(shows)}</p>\n<p>{more}</p>\n</header>\n'
  )
  body = [header, *shown, *sections, markup.section('Not drawn', missing)]
  return markup.page(f'Study: {name}', f'<main>\n{"".join(body)}</main>')
