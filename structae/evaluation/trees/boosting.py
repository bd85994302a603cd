"""Gradient-boosted trees on binned latents, by scikit-learn's own rule.

`sklearn.ensemble.GradientBoostingClassifier` sorts every node again and takes
minutes on ten thousand codes. Here a latent is binned once, and the residual
sums of all bins, latents and classes of a level are a single sparse product.
The rule is the same: a tree of depth 3 per class and stage on the residuals of
the softmax, splits that reduce the squared error most, Newton leaf values.
Newton-gain boosters (HistGradientBoosting, XGBoost, LightGBM) follow another
rule, and their importances give other DCI scores.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logsumexp, softmax

from structae.evaluation.trees.histogram import Histogram
from structae.evaluation.trees.splits import Level, best_splits

DEPTH = 3
LEARNING_RATE = 0.1
NUM_STAGES = 100


class Boosting(NamedTuple):
  """A fitted classifier: T stages of one tree for each of C columns.

  There is a column per class, or a single one for two classes.

  Attributes:
    classes: `[K]` the labels.
    prior: `[C]` the scores before the first stage.
    latents: `[T, 7, C]` the latent a node splits on, in breadth-first order.
    thresholds: `[T, 7, C]` the last rank that goes left.
    leaves: `[T, C, 8]` what a leaf adds to the score.
    importances: `[L]` the error that each latent's splits removed, as a share;
      all 0 if there was none.
  """

  classes: np.ndarray
  prior: np.ndarray
  latents: np.ndarray
  thresholds: np.ndarray
  leaves: np.ndarray
  importances: np.ndarray

  def predict(self, ranks: np.ndarray) -> np.ndarray:
    """The likeliest label of every row of ranks `[L, M]`: `[M]`."""
    *_, scores = self.stages(ranks)
    if len(self.classes) == 2:
      return self.classes[(scores[0] > 0).astype(int)]
    return self.classes[scores.argmax(0)]

  def stages(self, ranks: np.ndarray) -> Iterator[np.ndarray]:
    """The scores `[C, M]` of ranks `[L, M]`: T + 1 times the same array."""
    scores = np.repeat(self.prior[:, None], ranks.shape[1], axis=1)
    yield scores
    for latents, thresholds, leaves in zip(
      self.latents, self.thresholds, self.leaves
    ):
      place = np.zeros(scores.shape, np.uint8)
      for depth in range(DEPTH):
        place = _descend(ranks, place, latents, thresholds, depth)
      scores += leaves.ravel()[_leaf_index(place)]
      yield scores

  def losses(self, ranks: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mean log loss after 0 ... T stages: `[T + 1]` nats.

    Rows whose label is none of the classes are left out.
    """
    known = np.isin(labels, self.classes)
    place = np.searchsorted(self.classes, labels[known])
    losses = []
    for scores in self.stages(ranks[:, known]):
      if len(self.classes) == 2:
        scores = np.concatenate([np.zeros_like(scores), scores])
      own = scores[place, np.arange(len(place))]
      losses.append(np.mean(logsumexp(scores, axis=0) - own))
    return np.array(losses)


def fit(histogram: Histogram, labels: np.ndarray, *, seed: int) -> Boosting:
  """Fits the classifier.

  Args:
    histogram: the binned latents of N rows.
    labels: `[N]` with two different values or more.
    seed: breaks ties between latents that split equally well, such as copies.

  Returns:
    The classifier, which predicts from ranks among the fitted rows.

  Source: Friedman, Greedy function approximation: a gradient boosting machine,
    Annals of Statistics 29(5), 2001, algorithm 6.
  """
  rng = np.random.default_rng(seed)
  classes, target = np.unique(labels, return_inverse=True)
  prior, truth = _prior(target, len(classes))
  scores = np.repeat(prior[:, None], len(labels), axis=1)
  trees = []
  gains = np.zeros(len(histogram.ranks))
  for _ in range(NUM_STAGES):
    p = expit(scores) if len(classes) == 2 else softmax(scores, axis=0)
    residuals = truth - p
    place, latents, thresholds, gain = _grow(histogram, residuals, rng)
    np.add.at(gains, latents, gain)
    index = _leaf_index(place)
    leaves = _leaf_values(index, residuals, p * (1 - p), len(classes))
    scores += leaves.ravel()[index]
    trees.append((latents, thresholds, leaves))
  latents, thresholds, leaves = (np.stack(part) for part in zip(*trees))
  gains /= gains.sum() or 1
  return Boosting(classes, prior, latents, thresholds, leaves, gains)


def _grow(
  histogram: Histogram, residuals: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
  """Grows a tree for every column of residuals `[C, N]`, a level at a time.

  Returns:
    The leaf of every row `[C, N]`, and `[7, C]` latents, thresholds and gains.
  """
  sums = histogram.cumulative(np.ascontiguousarray(residuals.T))[:, :, None]
  counts = np.broadcast_to(histogram.counts[:, :, None], sums.shape)
  place = np.zeros(residuals.shape, np.uint8)
  level = Level(residuals, place, sums, counts)
  nodes: list[tuple[np.ndarray, ...]] = []
  for depth in range(DEPTH):
    nodes.append(best_splits(histogram, level, rng))
    latents, thresholds, gains = (np.concatenate(p) for p in zip(*nodes))
    place = _descend(histogram.ranks, level.place, latents, thresholds, depth)
    if depth + 1 < DEPTH:
      level = _children(histogram, level, place)
  return place, latents, thresholds, gains


def _children(histogram: Histogram, level: Level, place: np.ndarray) -> Level:
  """The next level; only left children need counting, the rest is right."""
  num_nodes, num_columns = level.sums.shape[2:]
  rows = np.ascontiguousarray(place.T)
  on_left = np.empty((len(rows), num_nodes, num_columns), np.float32)
  for i in range(num_nodes):
    np.equal(rows, 2 * i, out=on_left[:, i], casting='unsafe')
  residuals = level.residuals.T[:, None] * on_left
  children = []
  for parents, part in ((level.sums, residuals), (level.counts, on_left)):
    left = histogram.cumulative(part.reshape(len(rows), -1))
    both = np.empty((*parents.shape[:3], 2, num_columns))
    both[..., 0, :] = left.reshape(parents.shape)
    np.subtract(parents, both[..., 0, :], out=both[..., 1, :])
    children.append(both.reshape(*parents.shape[:2], -1, num_columns))
  return Level(level.residuals, place, *children)


def _descend(
  ranks: np.ndarray,
  place: np.ndarray,
  latents: np.ndarray,
  thresholds: np.ndarray,
  depth: int,
) -> np.ndarray:
  """Moves every row one level down: place `[C, N]` to twice it, or plus 1."""
  right = np.zeros(place.shape, np.uint8)
  for i in range(2**depth):
    node = 2**depth - 1 + i
    goes_right = ranks[latents[node]] > thresholds[node][:, None]
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
