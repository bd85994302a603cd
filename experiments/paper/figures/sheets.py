"""The images of several runs on common sheets, models side by side."""

from collections.abc import Callable, Sequence

import numpy as np

from experiments.paper.figures import scored
from structae.figures import grids, montage
from structae.figures import sheets as run_sheets
from structae.run import Run

_ABREAST = 3  # traversals in a row at most
_FRAMES = 6  # of a traversal
_SIDE = 64  # of its images in pixels, or more
_NUM_SAMPLES = 24


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

  def arranged(shown: dict[str, Run]) -> np.ndarray:
    columns = montage.balanced(len(shown), _ABREAST)
    sheets = [_traversal(run.samples) for run in shown.values()]
    return montage.titled(sheets, [*shown], columns)

  return _by_data('traversals', runs, ('traversal', 'labels'), arranged)


def _traversal(samples: dict[str, np.ndarray]) -> np.ndarray:
  frames = samples['traversal']
  chosen = np.linspace(0, frames.shape[1] - 1, _FRAMES).round().astype(int)
  scale = max(1, _SIDE // frames.shape[2])
  labels = [str(label) for label in samples['labels']]
  return grids.traversal_sheet(frames[:, chosen], labels, scale=scale)


def controllable(runs: Sequence[Run]) -> dict[str, np.ndarray]:
  """What a part of the variables controls: partial hybrids, side by side.

  Args:
    runs: finished runs; of those that differ in their seed the first is shown.

  Returns:
    `controllable-DATA`: `[H, W, 3]` uint8. The first image of a row keeps its
    code; in the others the variables named on the left come from other images.

  Raises:
    ValueError: if no run has partial hybrids.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figure 6a.
  """
  names = ('partial_hybrid', 'labels')

  def arranged(shown: dict[str, Run]) -> np.ndarray:
    few = [
      {name: run.samples[name] for name in names} for run in shown.values()
    ]
    sheets = [run_sheets.of_samples(some)['partial_hybrid'] for some in few]
    return montage.titled(sheets, [*shown], 2)

  return _by_data('controllable', runs, names, arranged)


def sample_sheets(runs: Sequence[Run]) -> dict[str, np.ndarray]:
  """Hybrid samples beside samples of the prior, a row a model.

  Args:
    runs: finished runs; of those that differ in their seed the first is shown.

  Returns:
    `sample_sheets-DATA`: `[H, W, 3]` uint8, hybrids on the left; where codes
    have no prior, a line on the right says so.

  Raises:
    ValueError: if no run has hybrid samples.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, figures 6b and 17.
  """

  def arranged(shown: dict[str, Run]) -> np.ndarray:
    sheets, titles = [], []
    for name, run in shown.items():
      hybrid = _samples(run, 'hybrid')
      sheets += [hybrid, _prior(run, hybrid)]
      titles += [f'{name}, hybrid', f'{name}, prior']
    return montage.titled(sheets, titles, 2)

  return _by_data('sample_sheets', runs, ('hybrid',), arranged)


def _prior(run: Run, hybrid: np.ndarray) -> np.ndarray:
  if 'prior' in run.samples:
    return _samples(run, 'prior')
  height, width = hybrid.shape[:2]
  size = montage.text_size(2 * width)
  return montage.label('no prior', width, size, height=height)


def _samples(run: Run, kind: str) -> np.ndarray:
  return grids.grid(run.samples[kind][:_NUM_SAMPLES], run_sheets.COLUMNS)


def _by_data(
  figure: str,
  runs: Sequence[Run],
  names: Sequence[str],
  arranged: Callable[[dict[str, Run]], np.ndarray],
) -> dict[str, np.ndarray]:
  """A sheet a data set of those of its models that have stored such images."""
  found = {}
  for groups in scored.groups(runs).values():
    shown = {g.name: r for g in groups if (r := scored.with_samples(g, *names))}
    if shown:
      found[f'{figure}-{scored.slug(groups[0])}'] = arranged(shown)
  if not found:
    needs = f'{" and ".join(names)} in samples.npz'
    raise scored.lacking(figure, needs, scored.TRAIN)
  return found
