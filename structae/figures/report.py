"""One page about one finished run, in a single file."""

import os
from pathlib import Path

import numpy as np

from structae.figures import canvas, markup, plots, wording
from structae.figures.embedding import embed_files, embed_frames
from structae.figures.files import write_whole
from structae.figures.grids import variable_labels
from structae.figures.run_files import Run, read_run

# A page weighs 5 MB at most; text and plots take the rest.
_SHEETS = 2_300_000
_TRAVERSAL = 1_300_000
_POOL = 900_000
_SEEN = 12  # hybrid samples seen at once


def write_report(
  workdir: str | os.PathLike[str],
  path: str | os.PathLike[str] | None = None,
) -> Path:
  """Writes what a run has to show into one page without outside parts.

  Args:
    workdir: the folder of the run, see `run_files`; parts that are missing are
      left out.
    path: where to write, by default `report.html` in that folder.

  Returns:
    The path of the page.

  Raises:
    ValueError: if a file of the run is broken.
  """
  run = read_run(workdir)
  path = Path(path or run.folder / 'report.html')
  write_whole(path, report(run).encode())
  return path


def report(run: Run) -> str:
  """The page about a run, at most 5 MB, as text."""
  sheets = _sheets(run)
  first = ('hybrid', 'partial_hybrid')
  body = [
    _header(run),
    markup.section('Reconstructions', sheets.pop('reconstructions', '')),
    _pair('Samples', [sheets.pop(name, '') for name in first]),
    _traversal(run),
    _pool(run),
    markup.section('Every variable at a glance', sheets.pop('traversals', '')),
    markup.section('Scores', markup.score_table(run.scores)),
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
      markup.settings('Configuration', run.config),
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
  content = '\n'.join(sheet for sheet in sheets if sheet)
  return markup.section(
    title, f'<div class="side-by-side">{content}</div>' if content else ''
  )


def _traversal(run: Run) -> str:
  frames = run.frames.get('traversal')
  if frames is None or not frames.size:
    return ''
  uris: list[str] = []
  while not (uris := embed_frames(_flat(frames), _TRAVERSAL)):
    frames = frames[:, ::2]
  count = frames.shape[1]
  labels = [str(x) for x in run.frames.get('labels', np.array([])).ravel()]
  labels = labels or variable_labels(len(frames))
  width = len(frames) // len(labels)
  cards = []
  for i in range(len(frames)):
    k, d = divmod(i, width)
    name = labels[k] if width == 1 else f'{labels[k]}, {d + 1}'
    identity = f'u{k + 1}' if width == 1 else f'u{k + 1}.{d + 1}'
    cards.append(_card(name, identity, uris[i * count : (i + 1) * count]))
  if width == 1:
    groups = [f'<div class="frames">\n{"".join(cards)}</div>']
  else:
    groups = [
      f'<fieldset class="frames">\n<legend>{markup.text(label)}</legend>\n'
      f'{"".join(cards[k * width : (k + 1) * width])}</fieldset>'
      for k, label in enumerate(labels)
    ]
  return markup.section(
    'One variable at a time',
    '<button type="button" id="play" aria-pressed="false">Play</button>',
    *groups,
    note='Each slider changes one variable of the same code, from its lowest '
    'observed value to its highest. The decoder reads them in this order.',
  )


def _card(name: str, identity: str, uris: list[str]) -> str:
  middle = len(uris) // 2
  images = ''.join(
    markup.image(
      uri,
      f'{name} at position {s + 1} of {len(uris)}',
      hidden=s != middle,
    )
    for s, uri in enumerate(uris)
  )
  return (
    f'<div class="frame">{images}<label><span class="name">'
    f'<span>{markup.text(name)}</span>'
    f'<output>{middle + 1} / {len(uris)}</output></span>'
    f'<input type="range" id="{identity}" min="0" max="{len(uris) - 1}" '
    f'value="{middle}" autocomplete="off"></label></div>\n'
  )


def _pool(run: Run) -> str:
  frames = run.frames.get('hybrid')
  if frames is None or not frames.size:
    return ''
  uris: list[str] = []
  while not (uris := embed_frames(frames, _POOL)):
    frames = frames[: len(frames) // 2]
  seen = min(_SEEN, max(1, len(uris) // 2))
  images = '\n'.join(
    markup.image(uri, f'Hybrid sample {i + 1}', hidden=i >= seen)
    for i, uri in enumerate(uris)
  )
  return markup.section(
    'New images by recombination',
    '<button type="button" id="shuffle">Shuffle</button>',
    f'<div class="pool">{images}</div>',
    note=f'Hybrid samples, drawn from {len(uris)} made after training.',
  )


def _loss(run: Run) -> str:
  names = {'train': 'loss', 'validation': 'validation_loss'}
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
    'Loss',
    markup.figure(
      markup.plot(canvas.svg(plot, 'loss'), f'Loss by step: {last}'),
      f'Last: {last}.',
    ),
  )


def _matrices(run: Run) -> str:
  parts = []
  for name, matrix in run.matrices.items():
    values = np.asarray(matrix['values'], float)
    plot = plots.matrix(
      values, matrix['rows'], matrix['columns'], label=matrix.get('unit', '')
    )
    title = wording.figure_title(name)
    drawn = markup.plot(canvas.svg(plot, f'matrix-{len(parts)}'), title)
    parts.append(
      f'<div><h3>{markup.text(title)}</h3>'
      f'{markup.figure(drawn, wording.caption(name))}</div>'
    )
  content = '\n'.join(parts)
  return markup.section(
    'Latents and factors',
    f'<div class="side-by-side">{content}</div>' if content else '',
  )


def _flat(frames: np.ndarray) -> np.ndarray:
  return frames.reshape(-1, *frames.shape[2:])
