"""Panels of dots: a line a model, a dot a seed, the published value beside."""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import (
  LogLocator,
  MaxNLocator,
  NullFormatter,
  ScalarFormatter,
)

from experiments.paper.figures.published import NOTE, Value
from structae.figures import canvas, score_plots

_LOG = 8.0  # a log scale from this ratio of the largest to the least value
_WIDTH = 8.4  # of a plot, in inches: text is legible at a README's width
_BESIDE = 0.3  # between a line and what is published
_STEP = 0.3  # between the series of a line, which are 1 apart


class Dots(NamedTuple):
  """Scores of the seeds of one model.

  Attributes:
    line: the name of the line that they are drawn on.
    values: `[n]`.
    colour: of the dots.
    series: what to call these, where a line has several.
    marker: of the dots.
    published: the published value, if any.
  """

  line: str
  values: np.ndarray
  colour: str
  series: str = ''
  marker: str = 'o'
  published: Value | None = None


class Panel(NamedTuple):
  """Dots on common axes; `label` is what the values are, with their unit."""

  title: str
  label: str
  dots: list[Dots]
  log: bool = True


@canvas.styled
def draw(
  rows: Sequence[Sequence[Panel | str]], note: str = '', *, columns: int = 0
) -> Figure:
  """Draws panels in rows.

  Args:
    rows: the panels; a text stands where there is none, and says why.
    note: a remark below.
    columns: panels in a row; by default those of the first row.

  Returns:
    The plot. On a log scale, if a panel allows one, where values are positive
    and differ more than eightfold.
  """
  panels = [panel for row in rows for panel in row]
  columns = columns or len(rows[0])
  rows = [panels[i : i + columns] for i in range(0, len(panels), columns)]
  heights = [max(_height(panel) for panel in row) for row in rows]
  width = _WIDTH if columns > 1 else 5.4
  legend = _legend(panels)
  note = f'{note} {NOTE}' if _any_published(panels) else note
  note = '\n'.join(textwrap.wrap(note, round(width * 14.5)))
  lines = note.count('\n') + 1 if note else 0
  above = 0.3 if legend else 0.0
  figure = Figure(figsize=(width, sum(heights) + above + 0.17 * lines))
  grid = figure.add_gridspec(len(rows), columns, height_ratios=heights)
  for i, panel in enumerate(panels):
    row, column = divmod(i, columns)
    axes = figure.add_subplot(grid[row, column])
    if isinstance(panel, str):
      axes.set_axis_off()
      text = textwrap.fill(panel, 34)
      axes.text(0, 0.5, text, color=canvas.MUTED, va='center', size=9.5)
    else:
      _panel(axes, panel)
      # The lines of panels beside each other have their names once.
      if column and _alike(panel, rows[row][0]):
        axes.set_yticklabels([])
  if legend:
    figure.legend(
      handles=legend,
      loc='outside upper left',
      ncols=len(legend),
      handletextpad=0.1,
    )
  if note:
    figure.supxlabel(
      note, x=0.01, ha='left', size=8, color=canvas.MUTED, linespacing=1.3
    )
  return figure


def _height(panel: Panel | str) -> float:
  """In inches; lines with several series are wider."""
  if isinstance(panel, str):
    return 1.0
  num, series = len(_lines(panel)), len(_series(panel))
  return 0.95 + num * (0.31 if series == 1 else 0.14 * series + 0.1)


def _alike(panel: Panel, first: Panel | str) -> bool:
  return not isinstance(first, str) and _lines(panel) == _lines(first)


def _lines(panel: Panel) -> list[str]:
  return list(dict.fromkeys(dots.line for dots in panel.dots))


def _series(panel: Panel) -> list[str]:
  return list(dict.fromkeys(dots.series for dots in panel.dots))


def _panel(axes: Axes, panel: Panel) -> None:
  lines = score_plots.lines(axes, _lines(panel), panel.label)
  axes.set_title(panel.title, loc='left', size=10.5, weight='bold')
  step = _STEP if len(_series(panel)) > 1 else 0.0
  for y, line in enumerate(lines):
    some = [dots for dots in panel.dots if dots.line == line]
    if step and y % 2 == 0:
      axes.axhspan(y - 0.5, y + 0.5, color=canvas.MUTED, alpha=0.07, lw=0)
    for i, dots in enumerate(some):
      height = y + step * (i - (len(some) - 1) / 2)
      score_plots.strip(
        axes,
        height,
        dots.values,
        dots.colour,
        dots.marker,
        height=9 if step else 14,
      )
      if dots.published is not None:
        _published(axes, height + (0.4 * step or _BESIDE), dots.published)
  _scale(axes, panel)


def _published(axes: Axes, y: float, value: Value) -> None:
  axes.errorbar(
    value.mean,
    y,
    xerr=value.deviation,
    fmt='D',
    ms=4.8,
    mfc='white',
    mec=canvas.INK,
    mew=1.0,
    ecolor=canvas.INK,
    elinewidth=0.9,
    zorder=3,
  )


def _scale(axes: Axes, panel: Panel) -> None:
  """Chooses the scale, and labels a log axis in plain numbers."""
  values = np.concatenate([dots.values for dots in panel.dots])
  if panel.log and values.min() > 0 and values.max() > _LOG * values.min():
    axes.set_xscale('log')
    wide = values.max() > 100 * values.min()
    plain_log(axes.xaxis, (1,) if wide else (1, 2, 5))
  else:
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(_plain())


def plain_log(axis: Axis, digits: Sequence[int]) -> None:
  """Labels a log axis in plain numbers that start with some digits."""
  axis.set_major_locator(LogLocator(subs=digits))
  axis.set_major_formatter(lambda x, _: f'{x:,.6g}')
  axis.set_minor_formatter(NullFormatter())


def _plain() -> ScalarFormatter:
  """As many decimals for each number, and no offset apart from them."""
  formatter = ScalarFormatter(useOffset=False)
  formatter.set_scientific(False)
  return formatter


def _any_published(panels: Sequence[Panel | str]) -> bool:
  return any(
    dots.published is not None
    for panel in panels
    if not isinstance(panel, str)
    for dots in panel.dots
  )


def _legend(panels: Sequence[Panel | str]) -> list[Line2D]:
  """A handle for each series that has a name."""
  kinds = {
    dots.series: (dots.marker, dots.colour)
    for panel in panels
    if not isinstance(panel, str)
    for dots in panel.dots
    if dots.series
  }
  return [
    Line2D([], [], ls='', marker=marker, color=colour, label=name, ms=7)
    for name, (marker, colour) in kinds.items()
  ]
