"""Scores of runs beside each other, drawn to be read on a phone.

Every function returns a `matplotlib.figure.Figure`; see `canvas.save_figure`.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from structae.evaluation import uncertainty
from structae.figures import canvas


@canvas.styled
def strips(
  scores: Mapping[str, Sequence[float] | np.ndarray],
  *,
  label: str = '',
  published: Mapping[str, float] | None = None,
  log: bool = False,
) -> Figure:
  """Scores of seeds as dots, with their mean and its interval.

  Args:
    scores: a name (of a model, say) to the scores of its seeds.
    label: what the score is.
    published: values from elsewhere to show beside ours, by the same names.
    log: whether the axis is logarithmic; scores are then positive.

  Returns:
    The plot: one line a name, in the given order. The interval is that of
    `uncertainty.mean`, from three seeds on.
  """
  axes = canvas.axes(4.6, 0.85 + 0.36 * len(scores))
  names = lines(axes, scores, label)
  for y, (name, colour) in enumerate(zip(names, canvas.cycle(len(names)))):
    strip(axes, y, np.asarray(scores[name], float), colour)
  _mark_published(axes, names, published)
  if log:
    axes.set_xscale('log')
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(lambda x, _: f'{x:,.5g}')
  return canvas.figure_of(axes)


@canvas.styled
def bars(
  values: Mapping[str, float],
  *,
  errors: Mapping[str, float] | None = None,
  label: str = '',
  published: Mapping[str, float] | None = None,
) -> Figure:
  """One bar a name, from zero, with the value at its end.

  Args:
    values: name to value.
    errors: name to the half-length of an error bar.
    label: what the value is.
    published: values from elsewhere to show beside ours, by the same names.

  Returns:
    The plot.
  """
  axes = canvas.axes(4.6, 0.85 + 0.36 * len(values))
  names = lines(axes, values, label)
  heights = [values[name] for name in names]
  lengths = [errors.get(name, 0.0) for name in names] if errors else None
  drawn = axes.barh(
    range(len(names)),
    heights,
    0.6,
    xerr=lengths,
    color=canvas.COLOURS[0],
    ecolor=canvas.INK,
  )
  axes.bar_label(drawn, [f'{v:.4g}' for v in heights], padding=4, fontsize=9)
  axes.margins(x=0.18)
  _mark_published(axes, names, published)
  return canvas.figure_of(axes)


@canvas.styled
def scatter(
  groups: Mapping[str, np.ndarray], *, xlabel: str, ylabel: str
) -> Figure:
  """Two scores of many runs against each other.

  Args:
    groups: name to `[n, 2]`, the two scores of each seed.
    xlabel: the first score.
    ylabel: the second.

  Returns:
    The plot, a colour and a marker for each name.
  """
  axes = canvas.axes()
  for name, colour, marker in zip(
    groups, canvas.cycle(len(groups)), 'osD^vP' * 9
  ):
    x, y = np.asarray(groups[name], float).reshape(-1, 2).T
    label = canvas.short(name)
    axes.plot(x, y, marker, color=colour, label=label, ms=6.5, alpha=0.8, mew=0)
  axes.set_xlabel(canvas.plain(xlabel))
  axes.set_ylabel(canvas.plain(ylabel))
  axes.grid()
  axes.legend()
  return canvas.figure_of(axes)


def strip(
  axes: Axes,
  y: float,
  values: np.ndarray,
  colour: str,
  marker: str = 'o',
  *,
  height: float = 16,
) -> None:
  """Draws `[n]` values of seeds on a line: dots, mean and its interval.

  Args:
    axes: where to draw.
    y: the place of the line.
    values: `[n]`.
    colour: of all marks.
    marker: of the dots.
    height: of the mark of the mean, in points.
  """
  if len(values) >= uncertainty.FEWEST:
    found = uncertainty.mean(values)
    span = [found.low, found.high]
    axes.plot(
      span, [y, y], color=colour, lw=6, alpha=0.25, solid_capstyle='butt'
    )
  if len(values) > 1:
    axes.plot([values.mean()], [y], '|', color=colour, ms=height, mew=2.2)
  heights = np.full(len(values), y)
  axes.plot(values, heights, marker, color=colour, ms=6, alpha=0.75, mew=0)


def lines(axes: Axes, names: Iterable[str], label: str) -> list[str]:
  """Makes a line for each name, from the top; returns the names."""
  names = list(names)
  # A name may have several lines of text.
  shown = ['\n'.join(map(canvas.short, name.split('\n'))) for name in names]
  axes.set_yticks(range(len(names)), shown)
  axes.set_ylim(len(names) - 0.5, -0.5)
  axes.tick_params('y', length=0)
  axes.spines['left'].set_visible(False)
  axes.set_xlabel(canvas.plain(label))
  axes.xaxis.set_major_locator(MaxNLocator(4))
  axes.xaxis.set_major_formatter(lambda x, _: f'{x:,.5g}')
  axes.margins(x=0.06)
  axes.grid(axis='x')
  return names


def _mark_published(
  axes: Axes, names: list[str], published: Mapping[str, float] | None
) -> None:
  published = published or {}
  known = [(published[n], y) for y, n in enumerate(names) if n in published]
  if known:
    axes.plot(
      *zip(*known), 'D', mfc='none', mec=canvas.INK, ms=7, label='published'
    )
    axes.legend(loc='lower center', bbox_to_anchor=(0.5, 1.0))
