"""Scores of sets of images beside real ones: FID, KID, precision and recall.

All of them read the same features, so a set passes the network once.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from structae.evaluation.images import features
from structae.evaluation.images import fid as inception_distance
from structae.evaluation.images import files as image_files
from structae.evaluation.images import kid as kernel
from structae.evaluation.images import precision_recall as neighbors
from structae.evaluation.images import statistics as feature_statistics
from structae.evaluation.images.weights import Weights, load_weights
from structae.evaluation.inputs import Answer, Found, ImageSets, Inputs
from structae.evaluation.registry import IMAGE_METRICS, SETS, of_metric

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
    metrics: names out of `registry.IMAGE_METRICS`.
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


def score_sets(inputs: Inputs) -> Answer:
  """Scores sets of images beside the real ones, by whatever is asked for.

  Args:
    inputs: their `image_sets` are compared by those of `IMAGE_METRICS` that are
      `asked`.

  Returns:
    Values of every set. Beside them stand the numbers of images `n` and
    `n_real`, the settings and the `fingerprint` of the features. Without
    weights, or where there are too few images, values are missing.
  """
  assert inputs.image_sets
  sets = inputs.image_sets()
  metrics = [name for name in inputs.asked if name in IMAGE_METRICS]
  try:
    weights = sets.weights()
  except (ValueError, OSError) as error:
    inputs.log(f'{", ".join(metrics)}: {error}')
    absent = isinstance(error, FileNotFoundError)
    reason = 'no Inception weights' if absent else str(error)
    return Answer(
      [
        Found(row.name, None, of=of, missing=reason)
        for of in sets.others
        for metric in metrics
        for row in of_metric(metric)
      ]
    )
  inputs.log('Inception features of real images')
  real = describe(sets.real, weights, metrics, cache=sets.cache)
  values = []
  for of, images in sets.others.items():
    inputs.log(f'Inception features of {SETS[of]}')
    others = describe(images, weights, metrics)
    for metric in metrics:
      values += _compared(metric, of, real, others, weights, sets.sizes)
  return Answer(values)


def _compared(
  metric: str,
  of: str,
  real: Described,
  others: Described,
  weights: Weights,
  sizes: Mapping[str, int],
) -> list[Found]:
  """The scores of a metric of one set."""
  rows = of_metric(metric)
  try:
    answer, missing = _answer(metric, real, others, weights), ''
  except ValueError as error:
    answer, missing = {}, str(error)
  names = {row.name for row in rows}
  num = _num(others, metric)
  more = {
    'n_real': _num(real, metric),
    **{key: value for key, value in answer.items() if key not in names},
    'fingerprint': features.fingerprint(weights, num, NUM_DIMENSIONS),
    **sizes,
  }
  return [
    Found(row.name, answer.get(row.name), num, of, more, missing)
    for row in rows
  ]


def files(real: Path, others: Path, num_images: int | None) -> ImageSets:
  """Sets of images from files, read a batch at a time.

  Args:
    real: a folder of pictures, or a file; see `image_files.stream`.
    others: what is compared with them.
    num_images: at most so many of each, in order; None takes all.

  Returns:
    The sets, with the published weights if they are on this machine.

  Raises:
    ValueError: if a file does not hold images.
  """
  # First, so that a file that is no image is not found out after hours.
  for path in (real, others):
    next(image_files.stream(path, 1))
  return ImageSets(
    real=lambda: first(image_files.stream(real), num_images),
    others={'': lambda: first(image_files.stream(others), num_images)},
    weights=load_weights,
  )


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
