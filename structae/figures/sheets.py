"""The sheets of a run, arranged from the images that it stored."""

from collections.abc import Mapping

import numpy as np

from structae.figures import grids

NUM_SAMPLES = 48
COLUMNS = 8


def of_samples(samples: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
  """Arranges stored images on sheets.

  Args:
    samples: as far as there are, uint8: `images` `[N, H, W, C]` and their
      `reconstructions`; `hybrid`, `hybrid_by_dimension` and `prior` `[S, H, W,
      C]`; `partial_hybrid` `[R, 8, H, W, C]`; `traversal` `[L, F, H, W, C]`;
      and `labels`, the names of K variables.

  Returns:
    Sheets `[H', W', C]` uint8 by the stem of their file.
  """
  found = {}
  if 'images' in samples:
    found['reconstructions'] = grids.pairs(
      samples['images'], samples['reconstructions']
    )
  for name in ('hybrid', 'hybrid_by_dimension', 'prior'):
    if name in samples:
      found[name] = grids.grid(samples[name][:NUM_SAMPLES], COLUMNS)
  labels = [str(label) for label in samples.get('labels', np.array([]))]
  if 'partial_hybrid' in samples:
    spans = [_span(labels, part) for part in quarters(len(labels))]
    found['partial_hybrid'] = grids.traversal_sheet(
      samples['partial_hybrid'], spans
    )
  if 'traversal' in samples:
    found['traversals'] = grids.traversal_sheet(samples['traversal'], labels)
  return found


def quarters(num_variables: int) -> list[np.ndarray]:
  """The numbers of the variables in four parts, or fewer, in decoder order."""
  return np.array_split(np.arange(num_variables), min(4, num_variables))


def _span(labels: list[str], variables: np.ndarray) -> str:
  first, last = labels[variables[0]], labels[variables[-1]]
  return first if first == last else f'{first}–{last}'
