"""Gradient-boosted trees on binned latents, by scikit-learn's own rule.

`sklearn.ensemble.GradientBoostingClassifier` sorts every node again and takes
minutes on ten thousand codes. Here a latent is binned once, and the residual
sums of all bins, latents and classes of a level are a single sparse product.
The rule is the same: a tree of depth 3 per class and stage on the residuals of
the softmax, splits that reduce the squared error most, Newton leaf values.
Newton-gain boosters (HistGradientBoosting, XGBoost, LightGBM) follow another
rule, and their importances give other DCI scores.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse
from scipy.special import expit, softmax

DEPTH = 3
LEARNING_RATE = 0.1
NUM_STAGES = 100
MAX_BINS = 256
_WIDEST_GAPS = 64
_NO_SPLIT = MAX_BINS - 1  # no bin lies above it, so all rows go left
_MIN_GAIN = 1e-15  # what rounding leaves in a node of equal residuals
_TIE = 1e-9  # equal gains of different latents, up to the order of sums


class Boosting(NamedTuple):
  """A fitted classifier: T stages of one tree for each of C columns.

  There is a column per class, or a single one for two classes.

  Attributes:
    classes: `[K]` the labels.
    prior: `[C]` the scores before the first stage.
    latents: `[T, 7, C]` the latent that a node asks, nodes in breadth order.
    thresholds: `[T, 7, C]` the last bin that goes left.
    leaves: `[T, C, 8]` what a leaf adds to the score.
    importances: `[L]` the error that each latent's splits removed, as a share;
      all 0 where nothing could be removed.
  """

  classes: np.ndarray
  prior: np.ndarray
  latents: np.ndarray
  thresholds: np.ndarray
  leaves: np.ndarray
  importances: np.ndarray

  def predict(self, bins: np.ndarray) -> np.ndarray:
    """The likeliest label of every row of bins `[L, M]`: `[M]`."""
    scores = np.repeat(self.prior[:, None], bins.shape[1], axis=1)
    for latents, thresholds, leaves in zip(
      self.latents, self.thresholds, self.leaves
    ):
      place = np.zeros(scores.shape, np.uint8)
      for depth in range(DEPTH):
        place = _descend(bins, place, latents, thresholds, depth)
      scores += leaves.ravel()[_leaf_index(place)]
    if len(self.classes) == 2:
      return self.classes[(scores[0] > 0).astype(int)]
    return self.classes[scores.argmax(0)]


def fit(histogram: 'Histogram', labels: np.ndarray, *, seed: int) -> Boosting:
  """Fits the classifier.

  Args:
    histogram: the binned latents of N rows.
    labels: `[N]` with two different values or more.
    seed: decides between latents that split equally well, such as copies.

  Returns:
    The classifier, which predicts from bins of the same edges.

  Source: Friedman, Greedy function approximation: a gradient boosting machine,
    Annals of Statistics 29(5), 2001, algorithm 6.
  """
  rng = np.random.default_rng(seed)
  classes, target = np.unique(labels, return_inverse=True)
  prior, truth = _prior(target, len(classes))
  scores = np.repeat(prior[:, None], len(labels), axis=1)
  trees = []
  gains = np.zeros(len(histogram.bins))
  for _ in range(NUM_STAGES):
    p = expit(scores) if len(classes) == 2 else softmax(scores, axis=0)
    residuals = truth - p
    place, latents, thresholds, gain = _grow(histogram, residuals, rng)
    np.add.at(gains, latents, gain)
    index = _leaf_index(place)
    leaves = _leaf_values(index, residuals, p * (1 - p), len(classes))
    scores += leaves.ravel()[index]
    trees.append((latents, thresholds, leaves))
  total = gains.sum()
  return Boosting(
    classes,
    prior,
    *(np.stack(part) for part in zip(*trees)),
    importances=gains / total if total > 0 else gains,
  )


def bin_edges(column: np.ndarray) -> np.ndarray:
  """Where to cut a latent into at most 256 bins.

  Few distinct values get a bin each. Else the edges are quantiles, and the
  middles of the widest gaps besides: quantiles alone would cut through
  clusters and leave none of them whole.

  Args:
    column: `[N]` finite numbers.

  Returns:
    Rising float64 edges; a bin is closed above.
  """
  values = np.unique(column.astype(np.float32)).astype(np.float64)
  middles = (values[1:] + values[:-1]) / 2
  if len(values) <= MAX_BINS:
    return middles
  num = MAX_BINS - 1 - _WIDEST_GAPS
  levels = np.arange(1, num + 1) / (num + 1)
  quantiles = np.quantile(column, levels, method='midpoint')
  gaps = np.diff(values)
  widest = np.argpartition(gaps, -_WIDEST_GAPS)[-_WIDEST_GAPS:]
  return np.unique(np.concatenate([quantiles, middles[widest]]))


class Histogram:
  """Binned latents, and sums over the bins of all latents at once.

  Attributes:
    edges: per latent, the upper edges of its bins but the last.
    bins: `[L, N]` uint8.
    counts: `[bins, L, 1]` how many rows lie in a bin or below it.
  """

  def __init__(self, codes: np.ndarray) -> None:
    """Bins codes `[N, L]`."""
    self.edges = [bin_edges(column) for column in codes.T]
    self.bins = self.bin(codes)
    num, num_latents = codes.shape
    self._shape = (1 + max(map(len, self.edges)), num_latents)
    cells = self.bins.T.astype(np.int32) * num_latents
    cells += np.arange(num_latents, dtype=np.int32)
    # Counts are exact in single precision; sums of residuals would leave the
    # traces of rounding in nodes whose residuals are all equal.
    self._one_hot = {
      dtype: scipy.sparse.csc_matrix(
        (
          np.ones(cells.size, dtype),
          cells.ravel(),
          np.arange(0, cells.size + 1, num_latents, dtype=np.int32),
        ),
        shape=(self._shape[0] * num_latents, num),
      )
      for dtype in (np.dtype(np.float32), np.dtype(np.float64))
    }
    self.counts = self.cumulative(np.ones((num, 1), np.float32))

  def bin(self, codes: np.ndarray) -> np.ndarray:
    """`[M, L]` to `[L, M]` uint8."""
    columns = [np.searchsorted(e, c) for e, c in zip(self.edges, codes.T)]
    return np.stack(columns).astype(np.uint8)

  def cumulative(self, values: np.ndarray) -> np.ndarray:
    """`[N, C]` to `[bins, L, C]`: the sums over a bin and all below it."""
    sums = self._one_hot[values.dtype] @ values
    sums = sums.reshape(*self._shape, -1).astype(np.float64, copy=False)
    for below, here in zip(sums, sums[1:]):
      here += below
    return sums


def _grow(
  histogram: Histogram, residuals: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
  """Grows a tree for every column of residuals `[C, N]`, a level at a time.

  Returns:
    The leaf of every row `[C, N]`, and `[7, C]` latents, thresholds and gains.
  """
  values = np.ascontiguousarray(residuals.T)
  sums = histogram.cumulative(values)[:, :, None]
  counts = np.broadcast_to(histogram.counts[:, :, None], sums.shape)
  place = np.zeros(residuals.shape, np.uint8)
  nodes: list[tuple[np.ndarray, ...]] = []
  for depth in range(DEPTH):
    if depth > 0:
      sums, counts = _children(histogram, values, place, sums, counts)
    nodes.append(_best_splits(sums, counts, rng))
    latents, thresholds, gains = (np.concatenate(p) for p in zip(*nodes))
    place = _descend(histogram.bins, place, latents, thresholds, depth)
  return place, latents, thresholds, gains


def _children(
  histogram: Histogram,
  values: np.ndarray,
  place: np.ndarray,
  sums: np.ndarray,
  counts: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
  """The histograms of all children; only the left ones need counting.

  Args:
    histogram: the bins.
    values: `[N, C]` the residuals.
    place: `[C, N]` the child that a row belongs to.
    sums: `[bins, L, nodes, C]` of the parents.
    counts: `[bins, L, nodes, C]` of the parents.

  Returns:
    Sums and counts, both `[bins, L, 2 * nodes, C]`.
  """
  num, num_columns = values.shape
  num_nodes = sums.shape[2]
  place = np.ascontiguousarray(place.T)
  on_left = np.empty((num, num_nodes, num_columns), np.float32)
  for i in range(num_nodes):
    np.equal(place, 2 * i, out=on_left[:, i], casting='unsafe')
  children = []
  for parents, part in ((sums, values[:, None] * on_left), (counts, on_left)):
    left = histogram.cumulative(part.reshape(num, -1)).reshape(parents.shape)
    both = np.empty((*parents.shape[:3], 2, num_columns))
    both[..., 0, :] = left
    np.subtract(parents, left, out=both[..., 1, :])
    children.append(both.reshape(*parents.shape[:2], -1, num_columns))
  return children[0], children[1]


def _best_splits(
  sums: np.ndarray, counts: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """The split of every node that removes most squared error.

  With s of n rows' residuals to the left of a split of S and N, it removes
  s^2/n + (S - s)^2/(N - n) - S^2/N = (s N - S n)^2 / (N n (N - n)).

  Returns:
    Latent, threshold and gain of every node: `[nodes, C]`.
  """
  total, number = sums[-1, 0], counts[-1, 0]
  gain = sums * number
  gain -= counts * total
  gain *= gain
  below = number - counts
  below *= counts
  np.maximum(below, 0.5, out=below)  # an empty side: 0 / 0
  gain /= below
  best = gain.max(0)
  top = best.max(0)
  lots = rng.random(best.shape)
  latent = np.where(best >= top * (1 - _TIE), lots, -1).argmax(0)
  node, column = np.indices(latent.shape)
  chosen = gain[:, latent, node, column]
  threshold = chosen.argmax(0)
  top = top / np.maximum(number, 1)
  split = top > _MIN_GAIN
  return (
    latent,
    np.where(split, threshold, _NO_SPLIT).astype(np.uint8),
    np.where(split, top, 0.0),
  )


def _descend(
  bins: np.ndarray,
  place: np.ndarray,
  latents: np.ndarray,
  thresholds: np.ndarray,
  depth: int,
) -> np.ndarray:
  """Moves every row one level down: place `[C, N]` to twice it, or plus 1."""
  right = np.zeros(place.shape, np.uint8)
  for i in range(2**depth):
    node = 2**depth - 1 + i
    goes_right = bins[latents[node]] > thresholds[node][:, None]
    right |= goes_right & (place == i)
  return 2 * place + right


def _leaf_index(place: np.ndarray) -> np.ndarray:
  """Numbers the leaves of all columns: `[C, N]` to `[C, N]`."""
  first = np.arange(0, len(place) << DEPTH, 1 << DEPTH)
  return place + first[:, None]


def _leaf_values(
  index: np.ndarray, residuals: np.ndarray, weights: np.ndarray, num: int
) -> np.ndarray:
  """One Newton step for every leaf: `[C, 8]`."""
  size = len(index) << DEPTH
  above = np.bincount(index.ravel(), residuals.ravel(), size)
  below = np.bincount(index.ravel(), weights.ravel(), size)
  step = np.divide(above, below, out=np.zeros(size), where=below > 1e-150)
  scale = LEARNING_RATE * ((num - 1) / num if num > 2 else 1)
  return scale * step.reshape(len(index), -1)


def _prior(target: np.ndarray, num: int) -> tuple[np.ndarray, np.ndarray]:
  """Scores of the class frequencies `[C]`, and the classes one-hot `[C, N]`."""
  share = np.bincount(target, minlength=num) / len(target)
  if num == 2:
    return np.log(share[1:] / share[:1]), (target == 1)[None].astype(float)
  one_hot = target == np.arange(num)[:, None]
  return np.log(share), one_hot.astype(float)
