"""How well models take up what training left out, by what is trained then."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.paper.figures import (
  dots,
  published,
  published_tables,
  scored,
  tables,
)
from structae import markdown
from structae.evaluation import uncertainty
from structae.figures import canvas, grids, models, montage
from structae.pages import wording

# What was trained afterwards, in the order of the paper.
COLUMNS = ('none', 'encoder', 'decoder', 'both')
_COMMAND = 'python -m experiments.paper.extrapolate MODEL --hold_out=shape'
_PUBLISHED = ('shapes3d', 'shape')  # the data and what was held out
_SHARED = {'data.size': 64}
# The weights of the losses of the published models.
_WEIGHTS = {
  'VAE': {'objective.beta': 1.0},
  'β-VAE': {'objective.beta': 4.0},
  'VLAE-12': {'objective.beta': 1.0},
  'WAE': {'objective.mmd_weight': 10.0},
}
_SCALE = 1000.0  # of the mean squared error, as published
_SHOWN, _ENLARGED = 5, 4  # images of a model, and how often a pixel is repeated


def extrapolation(
  results: Sequence[Mapping[str, Any]],
) -> dict[str, Figure | str | np.ndarray]:
  """Errors on held-out values by the half of the model that was trained then.

  Args:
    results: the content of `extrapolation.json` of each study: `model`, `seed`,
      `hold_out`, `mse` by what was trained, and `data` where it is known.

  Returns:
    `extrapolation`: Markdown, a table a data set and held-out factor;
    `extrapolation-DATA-FACTOR`: bars of the mean squared error x 1000 with the
    95 % interval over seeds; on a log scale where they span more than a decade;
    `extrapolation_images-DATA-FACTOR`: `[H, W, 3]` uint8, by model held-out
    images above what each training made of them, if results have `pictures`.

  Raises:
    ValueError: if there is no result, or one lacks `model` or `mse`.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figures 7 and 12.
  """
  if not results:
    raise scored.lacking('extrapolation', 'extrapolation.json', _COMMAND)
  found: dict[str, Figure | str | np.ndarray] = {}
  sections = {}
  familiar = _grouped(results, 'mse_familiar')
  for (data, held_out), errors in _grouped(results, 'mse').items():
    title = f'{data}, held out: {held_out}' if data else f'held out: {held_out}'
    alike = {
      wording.model_name(result['model'])
      for result in results
      if (result.get('data'), result['hold_out']) == (data, held_out)
      and _is_published(result)
    }
    known = _published(alike) if (data, held_out) == _PUBLISHED else {}
    sections[title] = _table(errors, familiar.get((data, held_out), {}), known)
    ending = '-'.join(filter(None, [data, held_out]))
    found[f'extrapolation-{ending}'] = _draw(title, errors, known)
    sheets = _sheets(results, data, held_out)
    if sheets:
      found[f'extrapolation_images-{ending}'] = montage.titled(
        [*sheets.values()], [*sheets], columns=2
      )
  note = (
    'Mean squared error x 1000 on test images with the held-out values, by '
    'what was trained on all images afterwards; familiar: on test images '
    'without them.'
  )
  text = tables.in_sections(sections, note)
  return {'extrapolation': text, **found}


# By model, then by what was trained, then by seed.
_Errors = dict[str, dict[str, dict[Any, float]]]


def _sheets(
  results: Sequence[Mapping[str, Any]], data: str, held_out: str
) -> dict[str, np.ndarray]:
  """Held-out images over their reconstructions, by the name of the model."""
  sheets: dict[str, np.ndarray] = {}
  for result in results:
    alike = (str(result.get('data', '')), str(result['hold_out']))
    pictures = result.get('pictures')
    if pictures and alike == (data, held_out):
      rows = np.stack([x[:_SHOWN] for x in pictures.values()])
      sheet = grids.traversal_sheet(rows, [*pictures], scale=_ENLARGED)
      sheets.setdefault(wording.model_name(result['model']), sheet)
  return {model: sheets[model] for model in sorted(sheets, key=models.rank)}


def _grouped(
  results: Sequence[Mapping[str, Any]], kind: str
) -> dict[tuple[str, str], _Errors]:
  """Errors x 1000 by data and held-out factor, models in their order."""
  found: dict[tuple[str, str], _Errors] = {}
  for result in results:
    if not {'model', 'hold_out', 'mse'} <= result.keys():
      raise ValueError(
        f'a result has {", ".join(result)}; expected model, hold_out and mse, '
        f'as this writes them: {_COMMAND}'
      )
    place = (str(result.get('data', '')), str(result['hold_out']))
    model = wording.model_name(result['model'])
    columns = found.setdefault(place, {}).setdefault(model, {})
    for column, value in result.get(kind, {}).items():
      if value is not None and np.isfinite(value):
        columns.setdefault(column, {})[result.get('seed')] = _SCALE * value
  return {
    place: {
      model: by_model[model] for model in sorted(by_model, key=models.rank)
    }
    for place, by_model in found.items()
  }


def _values(by_seed: Mapping[Any, float]) -> np.ndarray:
  return np.array([*by_seed.values()])


def _is_published(result: Mapping[str, Any]) -> bool:
  """Whether a model was trained as the published one of its name."""
  settings = result.get('settings', {})
  expected = _SHARED | _WEIGHTS.get(wording.model_name(result['model']), {})
  return result.get('scale') == 'paper' and all(
    settings.get(name) == value for name, value in expected.items()
  )


def _published(models: Collection[str]) -> dict[str, dict[str, float]]:
  """The published errors of these models by what was trained."""
  table = published.read(published_tables.EXTRAPOLATION)
  return {
    column: {m: v.mean for m, v in values.items() if m in models}
    for column, values in table.items()
  }


def _table(
  errors: _Errors, familiar: _Errors, known: Mapping[str, Mapping[str, float]]
) -> str:
  columns = [c for c in COLUMNS if any(c in some for some in errors.values())]
  best = {
    c: uncertainty.best([some.get(c, {}) for some in errors.values()], -1)
    for c in columns
  }
  rows = []
  for i, (model, some) in enumerate(errors.items()):
    name, cells = markdown.text(model), []
    for column in columns:
      text = tables.over_seeds(_values(some.get(column, {})), 2)
      cells.append(f'**{text}**' if i == best[column] else text)
    seeds = max(map(len, some.values()), default=0)
    rows.append([name, str(seeds), *cells])
    if usual := familiar.get(model):
      cells = [
        tables.over_seeds(_values(usual.get(column, {})), 2)
        for column in columns
      ]
      rows.append([f'{name}, familiar', '', *cells])
    given = [known.get(column, {}).get(model) for column in columns]
    if any(given):
      shown = ['' if x is None else f'{x:.2f}' for x in given]
      rows.append([f'*{markdown.text(published.label(model))}*', '', *shown])
  return markdown.table(['model', 'seeds', *columns], rows)


@canvas.styled
def _draw(
  title: str, errors: _Errors, known: Mapping[str, Mapping[str, float]]
) -> Figure:
  axes = canvas.axes(8.0, 3.9)
  width = 0.8 / len(errors)
  for i, (model, colour) in enumerate(zip(errors, models.colours([*errors]))):
    offset = (i - (len(errors) - 1) / 2) * width
    _bars(axes, errors[model], offset, width, colour, model)
  given = [
    (x + (i - (len(errors) - 1) / 2) * width, known[column][model])
    for x, column in enumerate(COLUMNS)
    for i, model in enumerate(errors)
    if model in known.get(column, {})
  ]
  if given:
    axes.plot(
      *np.transpose(given),
      'D',
      mfc='white',
      mec=canvas.INK,
      ms=5,
      label='published, 2021',
    )
  axes.set_xticks(range(len(COLUMNS)), [_words(c) for c in COLUMNS])
  axes.tick_params('x', length=0)
  means = [_values(x).mean() for some in errors.values() for x in some.values()]
  axes.yaxis.set_major_formatter(lambda y, _: f'{y:,.5g}')
  if max(means) > 10 * min(means):
    axes.set_yscale('log')
    dots.plain_log(axes.yaxis, (1, 3))
  axes.set_ylabel('mean squared error × 1000')
  axes.grid(axis='y')
  axes.set_title(title, loc='left', size=10.5, weight='bold')
  axes.legend(loc='upper left', bbox_to_anchor=(1.0, 1.02), handlelength=1.0)
  return canvas.figure_of(axes)


def _bars(
  axes: Axes,
  errors: Mapping[str, Mapping[Any, float]],
  offset: float,
  width: float,
  colour: str,
  label: str,
) -> None:
  columns = [c for c in COLUMNS if c in errors]
  found = [uncertainty.mean(_values(errors[c])) for c in columns]
  lengths = [(x.mean - x.low, x.high - x.mean) for x in found]
  axes.bar(
    [COLUMNS.index(c) + offset for c in columns],
    [x.mean for x in found],
    0.92 * width,
    yerr=np.nan_to_num(np.transpose(lengths)),
    color=colour,
    error_kw={'ecolor': canvas.INK, 'elinewidth': 1},
    label=label,
  )


def _words(column: str) -> str:
  return {'none': 'nothing', 'both': 'both'}.get(column, f'{column} only')
