"""Moments of Inception features with the fingerprint of what made them."""

import hashlib
import itertools
import json
import os
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from structae import files
from structae.evaluation.images import features, moments
from structae.evaluation.images.weights import Weights


class FeatureStatistics(NamedTuple):
  """The statistics of a set of features.

  Attributes:
    moments: their mean and covariance.
    rows: `[N, D]`, the features themselves while `N` does not exceed `D`:
      smaller than their covariance, and a faster way to a distance.
    fingerprint: what made them, see `features.fingerprint`.
  """

  moments: moments.Moments
  rows: np.ndarray | None
  fingerprint: dict[str, object]


def compute_statistics(
  images: features.Images,
  weights: Weights,
  *,
  num_dimensions: int = 2048,
  batch_size: int = 64,
) -> FeatureStatistics:
  """Streams images through the network and keeps the moments alone.

  Takes what `features.inception_features` does, and raises what it raises.
  """
  stream = features.stream_features(
    images, weights, num_dimensions=num_dimensions, batch_size=batch_size
  )
  return gather(stream, weights, num_dimensions)


def gather(
  stream: Iterator[np.ndarray], weights: Weights, num_dimensions: int
) -> FeatureStatistics:
  """Computes the statistics of a stream of features.

  Args:
    stream: batches of features, `[B, num_dimensions]`.
    weights: of the network that made them.
    num_dimensions: their width.

  Returns:
    The statistics.

  Raises:
    ValueError: if there are no features.
  """
  held: list[np.ndarray] = []
  while sum(map(len, held)) <= num_dimensions:
    batch = next(stream, None)
    if batch is None:
      break
    held.append(batch)
  total = moments.stream_moments(itertools.chain(held, stream))
  is_few = total.num_rows <= num_dimensions
  return FeatureStatistics(
    total,
    np.concatenate(held) if is_few else None,
    features.fingerprint(weights, total.num_rows, num_dimensions),
  )


def check_comparable(a: Mapping[str, object], b: Mapping[str, object]) -> None:
  """Raises ValueError if two fingerprints differ in what defines features."""
  for key in features.DEFINING:
    if a.get(key) != b.get(key):
      raise ValueError(
        f'Features with {key} {a.get(key)!r} and {b.get(key)!r} do not '
        'compare; compute both sides alike.'
      )


def save_statistics(
  path: str | os.PathLike, statistics: FeatureStatistics
) -> None:
  """Writes an `.npz` file, whole or not at all."""
  content: dict[str, Any] = {'rows': statistics.rows}
  if statistics.rows is None:
    content = statistics.moments._asdict()
  fingerprint = json.dumps(statistics.fingerprint, sort_keys=True)
  files.write_arrays(path, {'fingerprint': fingerprint, **content})


def load_statistics(
  path: str | os.PathLike, expected: Mapping[str, object] | None = None
) -> FeatureStatistics:
  """Reads statistics, and checks what made them.

  Args:
    path: a file of `save_statistics`.
    expected: a fingerprint they must compare with, or None.

  Returns:
    The statistics.

  Raises:
    ValueError: if the file is damaged or foreign, or was made differently.
  """
  kind = 'file of feature statistics (remove it)'
  with files.one_line(path, kind) as stream:
    file = files.unpack(stream)
    fingerprint = dict(files.parse_json(str(file['fingerprint'])))
    rows = file.get('rows')
    if rows is not None:
      found = moments.moments(rows)
    else:
      count = int(file['num_rows'])
      found = moments.Moments(count, file['mean'], file['scatter'])
  try:
    check_comparable(expected or fingerprint, fingerprint)
  except ValueError as error:
    raise ValueError(f'{path}: {error}') from error
  return FeatureStatistics(found, rows, fingerprint)


def cached_statistics(
  folder: str | os.PathLike,
  source: str,
  images: Callable[[], features.Images],
  weights: Weights,
  *,
  num_dimensions: int = 2048,
  batch_size: int = 64,
) -> FeatureStatistics:
  """Computes the statistics of a data set once.

  Args:
    folder: where they are kept.
    source: identifies the images: data set, split, size, count.
    images: makes them, if they are needed.
    weights: of the network.
    num_dimensions: 64, 192, 768 or 2048.
    batch_size: the number of images of a forward pass.

  Returns:
    The statistics.

  Raises:
    ValueError: if the kept file is damaged, or the images are no images.
  """
  expected = features.fingerprint(weights, 0, num_dimensions)
  identity = [source] + [str(expected[key]) for key in features.DEFINING]
  tag = hashlib.sha256('\n'.join(identity).encode()).hexdigest()[:16]
  name = re.sub(r'[^\w.-]+', '-', source)
  path = pathlib.Path(folder) / f'{name}-{tag}.npz'
  if path.exists():
    return load_statistics(path, expected)
  statistics = compute_statistics(
    images(), weights, num_dimensions=num_dimensions, batch_size=batch_size
  )
  save_statistics(path, statistics)
  return statistics
