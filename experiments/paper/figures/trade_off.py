"""Two measures of reconstruction against each other, seed by seed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.paper.figures import dots, published, quality, scored
from structae.figures import canvas
from structae.pages.seeds import Group
from structae.run import Run

_LOG = 6.0  # a log scale from this ratio of the largest to the least value
# What stands on the vertical axis, by the first score that a data set has.
_SECOND = {
  'fid_rec': 'FID of reconstructions',
  'scene_distance_reconstruction': 'squared error to the nearest scene',
}


class _Panel(NamedTuple):
  title: str
  groups: list[Group]
  points: dict[str, np.ndarray]  # [seeds, 2]
  score: str
  floor: float | None


@canvas.styled
def bce_against_fid(runs: Sequence[Run]) -> dict[str, Figure]:
  """Cross entropy against FID of reconstructions: crosses, circles of means.

  Args:
    runs: finished runs.

  Returns:
    `bce_against_fid`: a panel a data set. Where no FID is scored and all scenes
    are known, the distance of reconstructions to the nearest scene instead,
    which the axis then says.

  Raises:
    ValueError: if no run has either pair of scores.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figure 8.
  """
  data = scored.groups(runs)
  panels = [p for title in data if (p := _find(title, data[title]))]
  if not panels:
    raise scored.lacking(
      'bce_against_fid', 'test_bce beside fid_rec', quality.MAKE_FID
    )
  figure = Figure(figsize=(7.2, 3.9 * len(panels)))
  for i, panel in enumerate(panels):
    _draw(figure.add_subplot(len(panels), 1, i + 1), panel)
  lacks = [n for p in panels for n, xy in p.points.items() if not len(xy)]
  if lacks:
    note = scored.left_out({'one of the two scores': lacks})
    figure.supxlabel(note, x=0.01, ha='left', size=8, color=canvas.MUTED)
  return {'bce_against_fid': figure}


def _find(title: str, groups: list[Group]) -> _Panel | None:
  floor = quality.floor_of(groups)
  for score in _SECOND:
    points = {group.name: _points(group, score, floor) for group in groups}
    if any(map(len, points.values())):
      return _Panel(title, groups, points, score, floor)
  return None


def _points(group: Group, score: str, floor: float | None) -> np.ndarray:
  pairs = [
    (quality.value(run, 'test_bce', floor), quality.value(run, score))
    for run in group.runs
  ]
  return np.array([p for p in pairs if None not in p], float).reshape(-1, 2)


def _draw(axes: Axes, panel: _Panel) -> None:
  colours, handles = scored.colours(panel.groups), []
  for group in panel.groups:
    points, colour = panel.points[group.name], colours[group.name]
    if not len(points):
      continue
    axes.plot(*points.T, 'x', color=colour, ms=7, mew=1.8, alpha=0.85)
    mean = points.mean(0)
    axes.plot(*mean, 'o', mfc='none', mec=colour, ms=13, mew=2)
    handles.append(
      Line2D([], [], ls='', marker='x', color=colour, mew=2, label=group.name)
    )
    known = _published(group.runs[0], panel)
    if known is not None:
      axes.plot(*known, 'D', mfc='none', mec=colour, ms=8, mew=1.4)
  _scales(axes, np.concatenate([*panel.points.values()]))
  axes.set_xlabel(quality.cross_entropy_label(panel.floor))
  axes.set_ylabel(_SECOND[panel.score])
  axes.set_title(panel.title, loc='left', size=10.5, weight='bold')
  axes.grid()
  axes.legend(
    handles=[*handles, *_explained(panel)],
    loc='upper left',
    bbox_to_anchor=(1.0, 1.02),
    handletextpad=0.1,
  )


def _explained(panel: _Panel) -> list[Line2D]:
  """What the marks are."""
  marks = {'x': 'a seed', 'o': 'mean of seeds'}
  if any(_published(g.runs[0], panel) is not None for g in panel.groups):
    marks['D'] = 'published, 2021'
  colour = canvas.MUTED
  return [
    Line2D([], [], ls='', marker=m, color=colour, mfc='none', ms=9, label=label)
    for m, label in marks.items()
  ]


def _published(run: Run, panel: _Panel) -> tuple[float, float] | None:
  x = published.of_run(run, 'test_bce', panel.floor)
  y = published.of_run(run, panel.score)
  return None if x is None or y is None else (x.mean, y.mean)


def _scales(axes: Axes, points: np.ndarray) -> None:
  for values, axis, set_scale in zip(
    points.T, (axes.xaxis, axes.yaxis), (axes.set_xscale, axes.set_yscale)
  ):
    if values.min() > 0 and values.max() > _LOG * values.min():
      set_scale('log')
      dots.plain_log(axis, (1, 2, 5))
  axes.margins(0.12)
