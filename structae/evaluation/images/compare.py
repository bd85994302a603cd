"""Scores of sets of images beside real ones: FID, KID, precision and recall.

All of them read the same features, so a set passes the network once.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from structae.evaluation.images import features
from structae.evaluation.images import fid as inception_distance
from structae.evaluation.images import kid as kernel
from structae.evaluation.images import precision_recall as neighbors
from structae.evaluation.images import statistics as feature_statistics
from structae.evaluation.images.weights import Weights
from structae.evaluation.registry import IMAGE_METRICS

NUM_DIMENSIONS = 2048
# Features kept for KID and for neighbours, whose cost grows as their square.
MOST_FEATURES = 10_000
_SUBSET = 1000  # of a KID estimate


class Described(NamedTuple):
  """A set of images as the network sees it.

  Attributes:
    statistics: of all features.
    features: `[M, D]`, the first `MOST_FEATURES`; none where not asked for.
  """

  statistics: feature_statistics.FeatureStatistics
  features: np.ndarray


def describe(
  images: Callable[[], Iterable[np.ndarray]],
  weights: Weights,
  metrics: Sequence[str],
  *,
  cache: tuple[str | os.PathLike, str] | None = None,
  batch_size: int = 64,
) -> Described:
  """Passes images through the network.

  Args:
    images: makes batches of images, uint8 `[B, H, W, C]`; may be called twice.
    weights: of the network.
    metrics: names out of `metrics.IMAGE_METRICS`.
    cache: a folder where the statistics are kept, and a name that tells the
      images from all others; None keeps nothing.
    batch_size: the number of images the device takes at once.

  Returns:
    Their statistics and, for metrics other than the FID, their features.

  Raises:
    ValueError: if there are no images, or they have another type or shape.
  """
  settings: Any = dict(num_dimensions=NUM_DIMENSIONS, batch_size=batch_size)
  num_kept = 0 if set(metrics) <= {'fid'} else MOST_FEATURES
  kept: list[np.ndarray] = []
  if cache is None:
    stream = features.stream_features(images(), weights, **settings)
    statistics = feature_statistics.gather(
      _keeping(stream, kept, num_kept), weights, NUM_DIMENSIONS
    )
  else:
    folder, name = cache
    statistics = feature_statistics.cached_statistics(
      folder, name, images, weights, **settings
    )
    if num_kept:
      few = first(images(), num_kept)
      kept += features.stream_features(few, weights, **settings)
  joined = np.concatenate(kept) if kept else np.zeros((0, NUM_DIMENSIONS))
  return Described(statistics, joined[:num_kept])


def compare(
  real: Described,
  generated: Described,
  weights: Weights,
  metrics: Sequence[str],
) -> dict[str, dict[str, Any]]:
  """Scores one set of images beside the real ones.

  Args:
    real: the images that are imitated.
    generated: the others.
    weights: of the network both passed.
    metrics: names out of `metrics.IMAGE_METRICS`.

  Returns:
    By the name of the score: `value`, `definition`, the numbers of images `n`
    and `n_real`, the `metric`, its settings, and the `fingerprint` of the
    features. A score that so few images do not have is None, and `missing`
    says why.
  """
  entries: dict[str, dict[str, Any]] = {}
  for metric in metrics:
    try:
      answer = _answer(metric, real, generated, weights)
    except ValueError as error:
      answer = {'missing': str(error)}
    own = IMAGE_METRICS[metric]
    for name, definition in own.items():
      entries[name] = {
        'value': answer.get(name),
        'definition': definition,
        'n': _num(generated, metric),
        'n_real': _num(real, metric),
        'metric': metric,
        **{k: v for k, v in answer.items() if k not in own},
        'fingerprint': features.fingerprint(
          weights, _num(generated, metric), NUM_DIMENSIONS
        ),
      }
  return entries


def missing(metrics: Iterable[str], reason: str) -> dict[str, dict[str, Any]]:
  """Entries of scores that could not be computed, each with the reason."""
  return {
    name: {
      'value': None,
      'definition': definition,
      'metric': metric,
      'missing': reason,
    }
    for metric in metrics
    for name, definition in IMAGE_METRICS[metric].items()
  }


def first(
  images: Iterable[np.ndarray], num: int | None
) -> Iterator[np.ndarray]:
  """The first `num` images of batches of them; None leaves them all."""
  left = sys.maxsize if num is None else num
  for batch in images:
    if left <= 0:
      return
    yield batch[:left]
    left -= len(batch)


def _answer(
  metric: str, real: Described, generated: Described, weights: Weights
) -> dict[str, Any]:
  if metric == 'fid':
    answer = inception_distance.fid(
      real.statistics,
      generated.statistics,
      weights,
      num_dimensions=NUM_DIMENSIONS,
    )
    del answer['fingerprint'], answer['n_a'], answer['n_b']
    return answer
  if metric == 'kid':
    size = min(_SUBSET, len(real.features), len(generated.features))
    return kernel.kid(real.features, generated.features, subset_size=size)
  return neighbors.precision_recall(real.features, generated.features)


def _num(described: Described, metric: str) -> int:
  if metric == 'fid':
    return described.statistics.moments.num_rows
  return len(described.features)


def _keeping(
  stream: Iterable[np.ndarray], kept: list[np.ndarray], num: int
) -> Iterator[np.ndarray]:
  for batch in stream:
    if sum(map(len, kept)) < num:
      kept.append(batch)
    yield batch
