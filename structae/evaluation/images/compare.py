"""Scores of sets of images beside real ones: FID, KID, precision and recall.

All of them read the same features, so a set passes the network once.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
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
_SEED = 0  # of draws of images


class Described(NamedTuple):
  """A set of images as the network sees it.

  Attributes:
    statistics: of all features.
    features: `[M, D]`, a random draw of `MOST_FEATURES` distinct images, or all
      of fewer; none where not asked for.
    num_distinct: the number of images that are not the same.
  """

  statistics: feature_statistics.FeatureStatistics
  features: np.ndarray
  num_distinct: int


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
  seen = Distinct()
  kept = Reservoir(num_kept, NUM_DIMENSIONS, seen)
  if cache is None:
    stream = features.stream_features(seen.watch(images()), weights, **settings)
    statistics = feature_statistics.gather(
      kept.watch(stream), weights, NUM_DIMENSIONS
    )
    return Described(statistics, kept.rows, sum(seen.is_new))
  folder, name = cache
  statistics = feature_statistics.cached_statistics(
    folder, name, images, weights, **settings
  )
  total = statistics.moments.num_rows
  if num_kept:
    part = seen.watch(drawn(images(), total, num_kept))
    for _ in kept.watch(features.stream_features(part, weights, **settings)):
      pass
  return Described(statistics, kept.rows, total - seen.num_repeated)


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
      values += _compared(metric, of, real, others, weights)
  return Answer(values)


def _compared(
  metric: str,
  of: str,
  real: Described,
  others: Described,
  weights: Weights,
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
    **({} if metric == 'fid' else {'draw_seed': _SEED}),
    **{key: value for key, value in answer.items() if key not in names},
    'fingerprint': features.fingerprint(weights, num, NUM_DIMENSIONS),
    'n_distinct': others.num_distinct,
    'n_real_distinct': real.num_distinct,
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
    num_images: at most so many of each, drawn at random; None takes all.

  Returns:
    The sets, with the published weights if they are on this machine.

  Raises:
    ValueError: if a file does not hold images.
  """
  # First, so that a file that is no image is not found out after hours.
  for path in (real, others):
    next(image_files.stream(path, 1))

  def images(path: Path) -> Iterator[np.ndarray]:
    if num_images is None:
      return image_files.stream(path)
    total = sum(map(len, image_files.stream(path)))
    return drawn(image_files.stream(path), total, num_images)

  return ImageSets(
    real=lambda: images(real),
    others={'': lambda: images(others)},
    weights=load_weights,
  )


def digest(path: Path) -> str:
  """The sha256 of a file, or of the files of a folder, by their names."""
  found = hashlib.sha256()
  files = [path]
  if path.is_dir():
    files = sorted(p for p in path.iterdir() if p.is_file())
  for file in files:
    found.update(file.name.encode('utf-8', 'surrogateescape'))
    with open(file, 'rb') as stream:
      found.update(hashlib.file_digest(stream, 'sha256').digest())
  return found.hexdigest()


def drawn(
  images: Iterable[np.ndarray], total: int, num: int
) -> Iterator[np.ndarray]:
  """A random draw of images, whatever their order.

  Args:
    images: batches of them.
    total: the number of images.
    num: how many to draw; of fewer, all are taken.

  Yields:
    Batches, in the order of the images.
  """
  chosen = np.zeros(total, bool)
  chosen[np.random.default_rng(_SEED).permutation(total)[:num]] = True
  start = 0
  for batch in images:
    rows = chosen[start : start + len(batch)]
    if rows.any():
      yield batch[rows]
    start += len(batch)


class Distinct:
  """Which images of a stream have not come before.

  Attributes:
    is_new: a boolean for each image that has passed.
  """

  def __init__(self) -> None:
    """Begins without any image."""
    self.is_new: list[bool] = []
    self._digests: set[bytes] = set()

  @property
  def num_repeated(self) -> int:
    """The number of images that had come before."""
    return len(self.is_new) - sum(self.is_new)

  def watch(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Passes batches of images on, and looks for them among the former."""
    for batch in images:
      for image in batch:
        digest = hashlib.sha256(image.tobytes()).digest()
        self.is_new.append(digest not in self._digests)
        self._digests.add(digest)
      yield batch


class Reservoir:
  """A random draw from a stream of rows, whose number is not known before.

  Source: Vitter, Random sampling with a reservoir, 1985, algorithm R.
  """

  def __init__(self, num: int, width: int, distinct: Distinct) -> None:
    """Keeps `num` rows of `width` numbers at most, of images that are new."""
    self._kept = np.zeros((num, width), np.float32)
    self._distinct = distinct
    self._seen = 0
    self._rng = np.random.default_rng(_SEED)

  @property
  def rows(self) -> np.ndarray:
    """The rows drawn so far, `[M, D]`."""
    return self._kept[: self._seen]

  def watch(self, stream: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Passes batches of rows on, and draws from them."""
    num, start = len(self._kept), 0
    for rows in stream:
      yield rows
      batch = rows[self._distinct.is_new[start : start + len(rows)]]
      start += len(rows)
      places = np.arange(self._seen, self._seen + len(batch))
      late = places >= num
      places[late] = self._rng.integers(0, places[late] + 1)
      for row, place in zip(batch, places):
        if place < num:
          self._kept[place] = row
      self._seen += len(batch)


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
    fewest = min(real.num_distinct, generated.num_distinct)
    answer['is_biased_by_few_images'] = fewest <= NUM_DIMENSIONS
    return answer
  if metric == 'kid':
    size = min(_SUBSET, len(real.features), len(generated.features))
    return kernel.kid(real.features, generated.features, subset_size=size)
  return neighbors.precision_recall(real.features, generated.features)


def _num(described: Described, metric: str) -> int:
  if metric == 'fid':
    return described.statistics.moments.num_rows
  return len(described.features)
