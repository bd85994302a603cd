"""The best split of every node of a level, from bins to single rows.

A split with s of the residual sum S and n of the N rows on its left removes
s^2/n + (S - s)^2/(N - n) - S^2/N = (s N - S n)^2 / (N n (N - n)) of the squared
error. Sums over bins show which latents come near the best; within the two bins
beside such a latent's cut, every row is tried.
"""

from typing import NamedTuple

import numpy as np

from structae.evaluation.trees.histogram import Histogram

_NEAR = 0.9  # of the best gain over bins: latents whose cuts are refined
_TIE = 1e-9  # relative difference that the order of a sum may make
_MIN_GAIN = 1e-15  # what rounding leaves in a node of equal residuals


class Level(NamedTuple):
  """The nodes of a level of the trees of C classes.

  Attributes:
    residuals: `[C, N]`.
    place: `[C, N]` the node of every row.
    sums: `[bins + 1, L, nodes, C]` residuals of the rows in the first b bins.
    counts: of the same shape, how many rows these are.
  """

  residuals: np.ndarray
  place: np.ndarray
  sums: np.ndarray
  counts: np.ndarray


def best_splits(
  histogram: Histogram, level: Level, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Finds the best split of every node.

  Returns:
    `[nodes, C]` the latent, the last rank that goes left and the gain. Ties
    between latents are broken at random. Where no split gains, all rows go
    left: the rank is N.
  """
  sums, counts = level.sums, level.counts
  gains = _gain(sums, counts, sums[-1, 0], counts[-1, 0])
  best = gains.max(0)
  near = np.nonzero((best >= _NEAR * best.max(0)) & (best > _MIN_GAIN))
  cuts = gains[:, near[0], near[1], near[2]].argmax(0)
  ranks = np.zeros(best.shape, int)
  best.fill(0)
  if len(cuts):
    best[near], ranks[near] = _refined(histogram, level, near, cuts)
  top = best.max(0)
  lots = rng.random(best.shape)
  latents = np.where(best >= top * (1 - _TIE), lots, -1).argmax(0)
  ranks = np.take_along_axis(ranks, latents[None], 0)[0]
  no_split = histogram.ranks.shape[1]
  return latents, np.where(top > _MIN_GAIN, ranks, no_split), top


def _refined(
  histogram: Histogram,
  level: Level,
  queries: tuple[np.ndarray, ...],
  cuts: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
  """Moves cuts to the best rows of the two bins beside them.

  Args:
    histogram: the latents.
    level: the nodes.
    queries: latents, nodes and columns, `[Q]` each.
    cuts: `[Q]` how many bins lie on the left.

  Returns:
    `[Q]` gains and the last ranks on the left.
  """
  latents, nodes, columns = queries
  # A bin of one number has no place to split; the cut itself is a candidate.
  low = np.where(histogram.single[latents, cuts - 1], cuts, cuts - 1)
  high = np.where(histogram.single[latents, cuts], cuts, cuts + 1)
  start = np.minimum(
    histogram.ends[latents, low], histogram.ends[latents, cuts] - 1
  )
  length = histogram.ends[latents, high] - start
  first = np.cumsum(length) - length
  steps = np.arange(length.sum())
  latent, column = np.repeat(latents, length), np.repeat(columns, length)
  position = steps + np.repeat(start - first, length)
  rows = histogram.order[latent, position]
  inside = level.place[column, rows] == np.repeat(nodes, length)
  total, number = (
    np.repeat(x[-1, 0][nodes, columns], length)
    for x in (level.sums, level.counts)
  )
  # What lies left of the window: known at the cut, and counted back from it.
  left = []
  at_cut = first + histogram.ends[latents, cuts] - start - 1
  for known, values in (
    (level.sums, level.residuals[column, rows] * inside),
    (level.counts, inside),
  ):
    running = np.cumsum(values, dtype=np.float64)
    offset = known[cuts, latents, nodes, columns] - running[at_cut]
    left.append(running + np.repeat(offset, length))
  gains = _gain(left[0], np.rint(left[1]), total, number)
  gains[~histogram.last[latent, position]] = 0
  top = np.maximum.reduceat(gains, first)
  is_top = gains >= np.repeat(top, length)
  at = np.minimum.reduceat(np.where(is_top, steps, len(steps)), first)
  return top, histogram.ranks[latents, rows[at]]


def _gain(
  sums: np.ndarray, counts: np.ndarray, total: np.ndarray, number: np.ndarray
) -> np.ndarray:
  """The squared error that splits remove; 0 where a side is empty."""
  gain = sums * number
  gain -= counts * total
  gain *= gain
  below = number - counts
  below *= counts
  gain[below <= 0] = 0
  below *= number
  np.maximum(below, 0.5, out=below)
  gain /= below
  return gain
