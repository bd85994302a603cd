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
    edges: per latent, the upper edges of its bins but the last.
    prior: `[C]` the scores before the first stage.
    latents: `[T, 7, C]` the latent that a node asks, nodes in breadth order.
    thresholds: `[T, 7, C]` the last bin that goes left.
    leaves: `[T, 8, C]` what a leaf adds to the score.
    importances: `[L]` the error that each latent's splits removed, as a share.
  """

  classes: np.ndarray
  edges: list[np.ndarray]
  prior: np.ndarray
  latents: np.ndarray
  thresholds: np.ndarray
  leaves: np.ndarray
  importances: np.ndarray

  def predict(self, codes: np.ndarray) -> np.ndarray:
    """The likeliest label of every row: `[M, L]` to `[M]`."""
    bins = _bin(codes, self.edges)
    scores = np.repeat(self.prior[:, None], len(codes), axis=1)
    columns = np.arange(len(self.prior))[:, None]
    for latents, thresholds, leaves in zip(
      self.latents, self.thresholds, self.leaves
    ):
      place = np.zeros(scores.shape, np.uint8)
      for depth in range(DEPTH):
        place = _descend(bins, place, latents, thresholds, depth)
      scores += leaves.T[columns, place]
    if len(self.classes) == 2:
      return self.classes[(scores[0] > 0).astype(int)]
    return self.classes[scores.argmax(0)]


def fit(codes: np.ndarray, labels: np.ndarray, *, seed: int = 0) -> Boosting:
  """Fits the classifier.

  Args:
    codes: `[N, L]` finite numbers.
    labels: `[N]` with two different values or more.
    seed: decides between latents that split equally well, such as copies.

  Returns:
    The classifier. Its importances are 0 where no split removed any error.

  Source: Friedman, Greedy function approximation: a gradient boosting machine,
    Annals of Statistics 29(5), 2001, algorithm 6.
  """
  rng = np.random.default_rng(seed)
  edges = [bin_edges(column) for column in codes.T]
  bins = _bin(codes, edges)
  histogram = _Histogram(bins, 1 + max(map(len, edges)))
  classes, target = np.unique(labels, return_inverse=True)
  prior, truth = _prior(target, len(classes))
  scores = np.repeat(prior[:, None], len(codes), axis=1)
  columns = np.arange(len(prior))[:, None]
  trees = []
  gains = np.zeros(codes.shape[1])
  for _ in range(NUM_STAGES):
    p = expit(scores) if len(classes) == 2 else softmax(scores, axis=0)
    residuals = truth - p
    place, latents, thresholds, gain = _grow(histogram, residuals, rng)
    leaves = _leaf_values(place, residuals, p * (1 - p), len(classes))
    scores += leaves.T[columns, place]
    np.add.at(gains, latents, gain)
    trees.append((latents, thresholds, leaves))
  total = gains.sum()
  return Boosting(
    classes,
    edges,
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


class _Histogram:
  """Sums of columns of `[N, C]` over the bins of all latents at once."""

  def __init__(self, bins: np.ndarray, num_bins: int) -> None:
    self.bins = bins
    num_latents, num = bins.shape
    self.shape = (num_bins, num_latents)
    rows = bins.T.astype(np.int32) * num_latents + np.arange(num_latents)
    self._one_hot = scipy.sparse.csc_matrix(
      (
        np.ones(rows.size),
        rows.ravel().astype(np.int32),
        np.arange(0, rows.size + 1, num_latents, dtype=np.int32),
      ),
      shape=(num_bins * num_latents, num),
    )
    self.counts = self.cumulative(np.ones((num, 1)))

  def cumulative(self, values: np.ndarray) -> np.ndarray:
    """`[N, C]` to `[bins, L, C]`: the sums over a bin and all below it."""
    sums = (self._one_hot @ values).reshape(*self.shape, values.shape[1])
    for below, here in zip(sums, sums[1:]):
      here += below
    return sums


def _grow(
  histogram: _Histogram, residuals: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
  """Grows a tree for every column of residuals `[C, N]`, a level at a time.

  Returns:
    The leaf of every row `[C, N]`, and `[7, C]` latents, thresholds and gains.
  """
  num_columns = len(residuals)
  values = np.ascontiguousarray(residuals.T)
  sums = histogram.cumulative(values)[:, :, None]
  counts = np.broadcast_to(histogram.counts[:, :, None], sums.shape)
  place = np.zeros(residuals.shape, np.uint8)
  nodes: list[tuple[np.ndarray, ...]] = []
  latents = thresholds = gains = np.zeros((0, num_columns))
  for depth in range(DEPTH):
    nodes.append(_best_splits(sums, counts, rng))
    latents, thresholds, gains = (np.concatenate(p) for p in zip(*nodes))
    place = _descend(histogram.bins, place, latents, thresholds, depth)
    if depth + 1 < DEPTH:
      sums, counts = _children(histogram, values, place, sums, counts)
  return place, latents, thresholds, gains


def _children(
  histogram: _Histogram,
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
  num_nodes, num_columns = sums.shape[2:]
  left = np.stack([place.T == 2 * i for i in range(num_nodes)], axis=1)
  stacked = np.stack([left * values[:, None], left], axis=1)
  of_left = histogram.cumulative(stacked.reshape(len(values), -1))
  of_left = of_left.reshape(*sums.shape[:2], 2, num_nodes, num_columns)
  children = []
  for mine, parents in zip((of_left[:, :, 0], of_left[:, :, 1]), (sums, counts)):
    both = np.stack([mine, parents - mine], axis=3)
    children.append(both.reshape(*sums.shape[:2], -1, num_columns))
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


def _leaf_values(
  place: np.ndarray, residuals: np.ndarray, weights: np.ndarray, num: int
) -> np.ndarray:
  """One Newton step for every leaf: `[8, C]`."""
  num_leaves = 2**DEPTH
  num_columns = len(place)
  index = (place + num_leaves * np.arange(num_columns)[:, None]).ravel()
  size = num_leaves * num_columns
  above = np.bincount(index, residuals.ravel(), size)
  below = np.bincount(index, weights.ravel(), size)
  step = np.divide(above, below, out=np.zeros(size), where=below > 1e-150)
  scale = LEARNING_RATE * ((num - 1) / num if num > 2 else 1)
  return scale * step.reshape(num_columns, num_leaves).T


def _prior(target: np.ndarray, num: int) -> tuple[np.ndarray, np.ndarray]:
  """Scores of the class frequencies `[C]`, and the classes one-hot `[C, N]`."""
  share = np.bincount(target, minlength=num) / len(target)
  if num == 2:
    return np.log(share[1:] / share[:1]), (target == 1)[None].astype(float)
  one_hot = target == np.arange(num)[:, None]
  return np.log(share), one_hot.astype(float)


def _bin(codes: np.ndarray, edges: list[np.ndarray]) -> np.ndarray:
  """`[N, L]` to `[L, N]` uint8 bins."""
  return np.stack(
    [np.searchsorted(e, column) for e, column in zip(edges, codes.T)]
  ).astype(np.uint8)
