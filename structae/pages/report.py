"""One page about one finished run, in a single file."""

import os
from pathlib import Path

import numpy as np

from structae import files
from structae.figures import canvas, plots
from structae.pages import interactive, markup, wording
from structae.pages.embedding import embed_files
from structae.run import Run, read_run

_SHEETS = 2_300_000  # of the 5 MB that a page may weigh
_FLOOR = ' The axis shows the loss above its least possible value.'


def write_report(
  workdir: str | os.PathLike[str],
  path: str | os.PathLike[str] | None = None,
) -> Path:
  """Writes what a run has to show into one page without outside parts.

  Args:
    workdir: the folder of the run, see `structae.run`; what is missing is left
      out.
    path: where to write, by default `report.html` in that folder.

  Returns:
    The path of the page.

  Raises:
    ValueError: if a file of the run is broken.
  """
  run = read_run(workdir)
  if path is None:
    return run.save_report(report(run))
  files.write_text(path, report(run))
  return Path(path)


def report(run: Run) -> str:
  """The page about a run, at most 5 MB, as text."""
  sheets = _sheets(run)
  # A model with a prior shows it beside the hybrids.
  rest = 'prior' if 'prior' in sheets else 'partial_hybrid'
  first = ('hybrid', rest)
  body = [
    _header(run),
    markup.section('Reconstructions', sheets.pop('reconstructions', '')),
    _pair('Samples', [sheets.pop(name, '') for name in first]),
    interactive.traversal(run),
    interactive.pool(run),
    markup.section('Every variable at a glance', sheets.pop('traversals', '')),
    markup.section(
      'Scores',
      markup.score_table(run.scores),
      note='Each name unfolds its definition. Higher is better where an arrow '
      'points up, lower where it points down.',
    ),
    _matrices(run)
    or markup.section(
      'Mutual information', sheets.pop('mutual_information', '')
    ),
    _loss(run) or markup.section('Loss', sheets.pop('loss', '')),
  ]
  for stem, sheet in sheets.items():
    body.append(markup.section(wording.figure_title(stem), sheet))
  body.append(
    markup.section(
      'How it was made',
      markup.settings('Configuration', {'name': run.name, **run.settings}),
      markup.settings('Versions', run.versions),
    )
  )
  title = wording.title(run)
  return markup.page(title, f'<main>\n{"".join(body)}</main>')


def _header(run: Run) -> str:
  facts = ' · '.join(wording.facts(run))
  headline = {name: run.scores[name] for name in wording.headlines(run.scores)}
  return (
    f'<header>\n<h1>{markup.text(wording.title(run))}</h1>\n'
    f'<p class="facts">{markup.text(facts)}</p>\n</header>\n'
    f'{markup.tiles(headline)}'
  )


def _sheets(run: Run) -> dict[str, str]:
  paths = {
    stem: path
    for stem, path in run.sheets.items()
    if not getattr(run, wording.REDRAWN.get(stem, ''), None)
  }
  uris = embed_files(list(paths.values()), _SHEETS)
  return {
    stem: markup.figure(
      markup.image(uri, wording.figure_title(stem)), wording.caption(stem)
    )
    for stem, uri in zip(paths, uris)
  }


def _pair(title: str, sheets: list[str]) -> str:
  return markup.section(title, markup.side_by_side(sheets))


def _loss(run: Run) -> str:
  # What is validated is the reconstruction: a penalty would part the curves.
  trained = 'reconstruction' if run.curve('reconstruction')[0] else 'loss'
  names = {'train': trained, 'validation': 'validation_loss'}
  curves = {name: run.curve(key) for name, key in names.items()}
  curves = {name: curve for name, curve in curves.items() if curve[0]}
  if not curves:
    return ''
  plot = plots.loss_curve(curves, floor=run.floor)
  last = ', '.join(
    f'{name} {wording.number(losses[-1])} at step {steps[-1]:,}'
    for name, (steps, losses) in curves.items()
  )
  return markup.section(
    'Loss' if trained == 'loss' else 'Reconstruction loss',
    markup.figure(
      markup.plot(canvas.svg(plot, 0), f'Loss by step: {last}'),
      f'Last: {last}.{_FLOOR if run.floor is not None else ""}',
    ),
  )


def _matrices(run: Run) -> str:
  parts: list[str] = []
  for name, matrix in run.matrices.items():
    values = np.asarray(matrix['values'], float)
    plot = plots.matrix(
      values, matrix['rows'], matrix['columns'], label=matrix.get('unit', '')
    )
    title = wording.figure_title(name)
    drawn = markup.plot(canvas.svg(plot, 1 + len(parts)), title)
    parts.append(
      f'<div><h3>{markup.text(title)}</h3>'
      f'{markup.figure(drawn, wording.caption(name))}</div>'
    )
  return markup.section('Latents and factors', markup.side_by_side(parts))
