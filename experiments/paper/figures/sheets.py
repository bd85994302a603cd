"""The images of several runs on common sheets, models side by side."""

from collections.abc import Callable, Sequence

import numpy as np

from experiments.paper.figures import cells, scored
from structae.figures import grids, montage
from structae.pages.seeds import Group
from structae.run import Run

_ABREAST = 3  # traversals in a row at most
_FRAMES = 6  # of a traversal
_SIDE = 64  # of its images in pixels, or more
_SAMPLE_ROWS = 3
_NO_PRIOR = 'no prior'


def traversals(runs: Sequence[Run]) -> dict[str, np.ndarray]:
  """Traversals of models side by side, a row a latent dimension.

  Args:
    runs: finished runs; of those that differ in their seed the first is shown.

  Returns:
    `traversals-DATA`: `[H, W, 3]` uint8. Dimensions are in the order in which
    the decoder reads them; a bar marks the rows of a variable of several.

  Raises:
    ValueError: if no run has frames of traversals.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figures 4, 11, 13-15
  and 18.
  """
  found = {}
  for groups in scored.groups(runs).values():
    shown = [(g.name, run) for g in groups if (run := _first(g, _has_frames))]
    if shown:
      found[f'traversals-{scored.slug(groups[0])}'] = montage.titled(
        [_traversal(run) for _, run in shown],
        [name for name, _ in shown],
        montage.balanced(len(shown), _ABREAST),
      )
  if not found:
    raise scored.lacking('traversals', 'figures/frames.npz', scored.TRAIN)
  return found


def _has_frames(run: Run) -> bool:
  return {'traversal', 'labels'} <= run.samples.keys()


def _traversal(run: Run) -> np.ndarray:
  frames = run.samples['traversal']
  chosen = np.linspace(0, frames.shape[1] - 1, _FRAMES).round().astype(int)
  scale = max(1, _SIDE // frames.shape[2])
  labels = [str(label) for label in run.samples['labels']]
  return grids.traversal_sheet(frames[:, chosen], labels, scale=scale)


def controllable(runs: Sequence[Run]) -> dict[str, np.ndarray]:
  """What a part of the variables controls: partial hybrids, side by side.

  Args:
    runs: finished runs; of those that differ in their seed the first is shown.

  Returns:
    `controllable-DATA`: `[H, W, 3]` uint8. The first image of a row keeps its
    code; in the others the variables named on the left come from other images.

  Raises:
    ValueError: if no run has the sheet `partial_hybrid`.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figure 6a.
  """
  found = {}
  for groups in scored.groups(runs).values():
    shown = [
      (g.name, run.sheets['partial_hybrid'])
      for g in groups
      if (run := _first(g, lambda run: 'partial_hybrid' in run.sheets))
    ]
    if shown:
      found[f'controllable-{scored.slug(groups[0])}'] = montage.titled(
        [cells.read(path) for _, path in shown],
        [name for name, _ in shown],
        2,
      )
  if not found:
    raise scored.lacking('controllable', 'partial_hybrid.png', scored.TRAIN)
  return found


def sample_sheets(runs: Sequence[Run]) -> dict[str, np.ndarray]:
  """Hybrid samples beside samples of the prior, a row a model.

  Args:
    runs: finished runs; of those that differ in their seed the first is shown.

  Returns:
    `sample_sheets-DATA`: `[H, W, 3]` uint8, hybrids on the left; where codes
    have no prior, a line on the right says so.

  Raises:
    ValueError: if no run has the sheet `hybrid`.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figures 6b and 17.
  """
  found = {}
  for groups in scored.groups(runs).values():
    shown = [
      (g.name, run)
      for g in groups
      if (run := _first(g, lambda run: 'hybrid' in run.sheets))
    ]
    if not shown:
      continue
    sheets, titles = [], []
    for name, run in shown:
      hybrid = _samples(run, 'hybrid')
      sheets += [hybrid, _prior(run, hybrid)]
      titles += [f'{name}, hybrid', f'{name}, prior']
    found[f'sample_sheets-{scored.slug(groups[0])}'] = montage.titled(
      sheets, titles, 2
    )
  if not found:
    raise scored.lacking('sample_sheets', 'hybrid.png', scored.TRAIN)
  return found


def _prior(run: Run, hybrid: np.ndarray) -> np.ndarray:
  if 'prior' in run.sheets:
    return _samples(run, 'prior')
  height, width = hybrid.shape[:2]
  size = montage.text_size(2 * width)
  return montage.label(_NO_PRIOR, width, size, height=height)


def _samples(run: Run, stem: str) -> np.ndarray:
  rows = cells.cut(run.sheets[stem], _SAMPLE_ROWS, cells.COLUMNS)
  return grids.grid(np.concatenate(rows), cells.COLUMNS, scale=1)


def _first(group: Group, has: Callable[[Run], bool]) -> Run | None:
  """The first run of a group that has what is asked for."""
  return next((run for run in group.runs if has(run)), None)
