"""Loss curves and matrices, drawn to be read on a phone.

Every function returns a `matplotlib.figure.Figure`; see `canvas.save_figure`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colors as mpl_colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike

from structae.figures import canvas, grids

# The share of training whose fall would hide all that follows.
_WARM_UP = 0.2
_MAX_POINTS = 500


@canvas.styled
def loss_curve(
  curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
  *,
  floor: float | None = None,
  groups: Sequence[str] | None = None,
) -> Figure:
  """Loss against step, on an axis that shows the late progress too.

  Args:
    curves: name to `(steps, losses)`, in nats.
    floor: the least possible loss, such as the entropy of the data; then the
      axis shows the loss above it, on a log scale.
    groups: one a curve; those of a group share a colour and a legend entry.
      By default each curve is its own group.

  Returns:
    The plot. Without a floor the axis is linear and spans the losses after the
    first fifth of training.

  Raises:
    ValueError: if there is no finite loss.
  """
  groups = list(curves) if groups is None else list(groups)
  colours = dict(zip(dict.fromkeys(groups), canvas.cycle(len(set(groups)))))
  axes = canvas.axes()
  drawn: list[tuple[np.ndarray, np.ndarray]] = []
  for (name, (steps, losses)), group in zip(curves.items(), groups):
    x, y = _finite(name, steps, losses)
    y = y - (floor or 0.0)
    label = canvas.short(group) if group not in groups[: len(drawn)] else None
    fine = 1.1 if len(x) > 100 else 1.8  # noise should not hide the rest
    axes.plot(*_thin(x, y), color=colours[group], label=label, lw=fine)
    drawn.append((x, y))
  _loss_axis(axes, drawn, floor)
  axes.set_xlabel('step')
  axes.set_xlim(left=0)
  axes.xaxis.set_major_formatter(lambda x, _: f'{x:,.0f}')
  axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
  axes.grid(axis='y')
  axes.legend(loc='upper right')
  return canvas.figure_of(axes)


@canvas.styled
def matrix(
  values: ArrayLike,
  rows: Sequence[str],
  columns: Sequence[str],
  *,
  label: str = '',
  top: float | None = None,
) -> Figure:
  """A matrix as a heat map, such as mutual information or importance.

  Args:
    values: `[L, F]`, not negative.
    rows: `L` names, such as those of latents.
    columns: `F` names, such as those of factors.
    label: what the values are, with their unit.
    top: the value of the darkest colour, by default the largest.

  Returns:
    The plot; up to ten columns, the cells carry their numbers.

  Raises:
    ValueError: if the names do not fit the values.
  """
  values = np.asarray(values, float)
  if values.shape != (len(rows), len(columns)):
    raise ValueError(
      f'values {list(values.shape)} need as many names, got {len(rows)} rows '
      f'and {len(columns)} columns.'
    )
  axes = canvas.axes(4.6, 1.4 + 0.27 * len(rows))
  top = top or float(np.nanmax(values, initial=0.0)) or 1.0
  mesh = axes.pcolormesh(
    values,
    cmap=canvas.MAP,
    vmin=0,
    vmax=top,
    edgecolors=(*mpl_colors.to_rgb(canvas.MUTED), 0.3),
    lw=0.6,
  )
  axes.invert_yaxis()
  axes.set_xticks(np.arange(len(columns)) + 0.5, [_short(x) for x in columns])
  axes.set_yticks(np.arange(len(rows)) + 0.5, [_short(x) for x in rows])
  axes.tick_params(length=0, labelsize=9)
  axes.tick_params('x', labelrotation=35 if len(columns) <= 10 else 60)
  for tick in axes.get_xticklabels():
    tick.set(ha='right', rotation_mode='anchor')
  axes.spines[:].set_visible(False)
  if len(columns) <= 10:
    axes.set_title(canvas.plain(label), loc='left', size=9)
    _write_numbers(axes, values, top)
  else:
    bar = canvas.figure_of(axes).colorbar(
      mesh, ax=axes, label=canvas.plain(label), fraction=0.05
    )
    bar.outline.set_visible(False)
  return canvas.figure_of(axes)


def _short(name: str) -> str:
  return canvas.short(grids.number_name(name))


def _finite(
  name: str, steps: Sequence[float], losses: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
  x, y = np.asarray(steps, float), np.asarray(losses, float)
  if not np.isfinite(y).any():
    raise ValueError(f'the curve {name!r} has no finite loss.')
  return x[np.isfinite(y)], y[np.isfinite(y)]


def _thin(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """At most `_MAX_POINTS` points, ends kept: more cannot be seen."""
  if len(x) <= _MAX_POINTS:
    return x, y
  chosen = np.linspace(0, len(x) - 1, _MAX_POINTS).round().astype(int)
  return x[chosen], y[chosen]


def _loss_axis(
  axes: Axes, drawn: list[tuple[np.ndarray, np.ndarray]], floor: float | None
) -> None:
  losses = np.concatenate([y for _, y in drawn])
  # A batch may have less entropy than the set: single losses below the floor
  # are no reason to give up the log axis, half of them are.
  if floor is not None:
    axes.set_ylabel(f'nats above {floor:,.0f}')
    if np.mean(losses > 0) > 0.5:
      axes.set_yscale('log')
      axes.set_ylim(bottom=0.7 * np.quantile(losses[losses > 0], 0.02))
      axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
      axes.yaxis.set_major_formatter(lambda y, _: f'{y:,.6g}')
      axes.yaxis.set_minor_formatter(NullFormatter())
    return
  axes.set_ylabel('loss, nats')
  late = np.concatenate([y[x >= _WARM_UP * x.max()] for x, y in drawn])
  low, high = late.min(), late.max()
  margin = 0.05 * (high - low) or 1.0
  axes.set_ylim(low - margin, high + margin)
  axes.yaxis.set_major_formatter(lambda y, _: f'{y:,.6g}')


def _write_numbers(axes: Axes, values: np.ndarray, top: float) -> None:
  form, least = '.2f', 0.005
  if np.array_equal(values, np.round(values)):
    form = ',.0f'
  elif top < 0.05:
    form, least = '.2g', top / 100
  for (row, column), value in np.ndenumerate(values):
    if value >= least:
      colour = 'white' if value > 0.8 * top else canvas.INK
      axes.annotate(
        f'{value:{form}}',
        (column + 0.5, row + 0.5),
        color=colour,
        size=8,
        ha='center',
        va='center',
      )
