"""One page about one finished run, in a single file."""

import os
from pathlib import Path

import numpy as np

from structae import files
from structae.figures import canvas, plots
from structae.pages import (
  again,
  findings,
  interactive,
  live,
  markup,
  wording,
)
from structae.pages.embedding import embed_files
from structae.pages.markup import Section
from structae.run import Run, read_run

_SHEETS = 2_300_000  # of the 5 MB that a page may weigh
_LEARNED_NOTE = (
  'How much of a factor is in a number of the code: the information that they '
  'share, as a part of all there is to know about the factor.'
)
_SCORES_NOTE = (
  'Each name unfolds its definition. Higher is better where an arrow points '
  'up, lower where it points down. Chance is what codes that know nothing get.'
)
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
  beside = 'prior' if 'prior' in sheets else 'partial_hybrid'
  samples = [sheets.pop(name, '') for name in ('hybrid', beside)]
  played = live.sections(run, findings.carried(run))
  scripts = live.SCRIPTS if played else interactive.SCRIPTS
  sections = [
    Section('What this run learned', _learned(run), _LEARNED_NOTE),
    *(played or interactive.sections(run)),
    Section('Reconstructions', sheets.pop('reconstructions', '')),
    Section('Samples', markup.side_by_side(samples)),
    Section('Every variable at a glance', sheets.pop('traversals', '')),
    Section('Scores', markup.score_table(run.scores), note=_SCORES_NOTE),
    _matrices(run, sheets.pop('mutual_information', '')),
    _loss(run, sheets.pop('loss', '')),
    *(Section(wording.figure_title(stem), x) for stem, x in sheets.items()),
    Section('How it was made', _made(run)),
  ]
  return markup.page(wording.title(run), _header(run), sections, scripts)


def _learned(run: Run) -> str:
  items = ''.join(
    f'<li>{markup.text(sentence)}</li>\n'
    for sentence in findings.sentences(run)
  )
  return f'<ul class="learned">\n{items}</ul>' if items else ''


def _made(run: Run) -> str:
  command = again.command(run)
  return (
    f'<p>Made on {run.date.day} {run.date:%B %Y}. To make it again:</p>\n'
    f'<pre><code>{markup.text(command)}</code></pre>\n'
    + markup.settings('Configuration', {'name': run.name, **run.settings})
    + markup.settings('Versions', run.versions)
  )


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


def _loss(run: Run, sheet: str) -> Section:
  """The curves of the loss; the sheet of another program without rows."""
  # What is validated is the reconstruction: a penalty would part the curves.
  trained = 'reconstruction' if run.curve('reconstruction')[0] else 'loss'
  names = {'train': trained, 'validation': 'validation_loss'}
  curves = {name: run.curve(key) for name, key in names.items()}
  curves = {name: curve for name, curve in curves.items() if curve[0]}
  if not curves:
    return Section('Loss', sheet)
  plot = plots.loss_curve(curves, floor=run.floor)
  last = ', '.join(
    f'{name} {wording.number(losses[-1])} at step {steps[-1]:,}'
    for name, (steps, losses) in curves.items()
  )
  return Section(
    'Loss' if trained == 'loss' else 'Reconstruction loss',
    markup.figure(
      markup.plot(canvas.svg(plot, 0), f'Loss by step: {last}'),
      f'Last: {last}.{_FLOOR if run.floor is not None else ""}',
    ),
  )


def _matrices(run: Run, sheet: str) -> Section:
  """What numbers know of factors; the sheet of a run without matrices."""
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
  if not parts:
    return Section('Mutual information', sheet)
  return Section('Numbers of a code and factors', markup.side_by_side(parts))
