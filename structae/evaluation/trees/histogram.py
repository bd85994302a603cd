"""Sorted and binned latents, for boosted trees."""

import numpy as np
import scipy.sparse

NUM_BINS = 128
MAX_SINGLE = 512  # up to so many distinct numbers, each has a bin of its own


class Histogram:
  """Ranks of latents, and sums over the bins of all latents at once.

  Attributes:
    ranks: `[L, N]` a number's place among the distinct ones of its latent.
    order: `[L, N]` the rows, each latent's smallest first.
    last: `[L, N]` whether the next row in that order has a larger number.
    ends: `[L, bins + 1]` how many rows lie in the first b bins.
    single: `[L, bins]` whether a bin holds one distinct number, or none.
    counts: `[bins + 1, L, 1]` the same as `ends`, as sums.
  """

  def __init__(self, codes: np.ndarray) -> None:
    """Sorts codes `[N, L]`; as in scikit-learn's trees, in single precision."""
    num, num_latents = codes.shape
    distinct = [np.unique(c.astype(np.float32)) for c in codes.T]
    self._middles = [(v[1:] + v[:-1].astype(float)) / 2 for v in distinct]
    self.ranks = self.rank(codes, np.min_scalar_type(num))
    self.order = np.argsort(self.ranks, axis=1, kind='stable')
    ordered = np.take_along_axis(self.ranks, self.order, 1)
    self.last = np.ones(ordered.shape, bool)
    self.last[:, :-1] = ordered[:, 1:] != ordered[:, :-1]
    ends = [_bin_ends(last) for last in self.last]
    size = max(map(len, ends))
    self.ends = np.stack([np.pad(e, (0, size - len(e)), 'edge') for e in ends])
    first, final = self.ends[:, :-1], np.maximum(self.ends[:, 1:] - 1, 0)
    self.single = (first > final) | (
      np.take_along_axis(ordered, np.minimum(first, num - 1), 1)
      == np.take_along_axis(ordered, final, 1)
    )
    self._shape = (size - 1, num_latents)
    self._one_hot = self._cells()
    self.counts = self.cumulative(np.ones((num, 1), np.float32))

  def rank(self, codes: np.ndarray, dtype: np.typing.DTypeLike) -> np.ndarray:
    """`[M, L]` to `[L, M]`: the place of every number among those sorted."""
    columns = [np.searchsorted(m, c) for m, c in zip(self._middles, codes.T)]
    return np.stack(columns).astype(dtype)

  def cumulative(self, values: np.ndarray) -> np.ndarray:
    """`[N, C]` to `[bins + 1, L, C]`: sums over the rows in the first b bins.

    Counts may be float32, where they are exact; sums of residuals would leave
    rounding errors in nodes whose residuals are all equal.
    """
    sums = np.zeros((self._shape[0] + 1, self._shape[1], values.shape[1]))
    cells = self._one_hot[values.dtype] @ values
    sums[1:] = cells.reshape(*self._shape, -1)
    for below, here in zip(sums, sums[1:]):
      here += below
    return sums

  def _cells(self) -> dict[np.dtype, scipy.sparse.csc_matrix]:
    """The one-hot matrix `[bins * L, N]` of every row's bins."""
    num_latents, num = self.order.shape
    cells = np.empty((num, num_latents), np.int32)
    for i, (ends, rows) in enumerate(zip(self.ends, self.order)):
      bins = np.searchsorted(ends, np.arange(num), side='right') - 1
      cells[rows, i] = bins * num_latents + i
    starts = np.arange(0, cells.size + 1, num_latents, dtype=np.int32)
    shape = (self._shape[0] * num_latents, num)
    return {
      np.dtype(dtype): scipy.sparse.csc_matrix(
        (np.ones(cells.size, dtype), cells.ravel(), starts), shape=shape
      )
      for dtype in (np.float32, np.float64)
    }


def _bin_ends(last: np.ndarray) -> np.ndarray:
  """Cuts a sorted latent into bins of about equal counts.

  Args:
    last: `[N]` whether a row is the last of its number; equal ones stay
      together, and few distinct ones have a bin each.

  Returns:
    Rising ends of the bins, from 0 to N.
  """
  ends = np.flatnonzero(last) + 1
  if len(ends) > MAX_SINGLE:
    goals = np.arange(1, NUM_BINS + 1) * len(last) / NUM_BINS
    ends = ends[np.unique(np.searchsorted(ends, goals))]
  return np.append(0, ends)
