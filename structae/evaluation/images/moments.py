"""Mean and covariance of feature vectors, accumulated batch by batch.

Sums of squares are kept about the running mean, in float64, so that a large
mean does not cost the digits of a small variance.

Source: Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm
for computing sample variances, 1982.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np


class Moments(NamedTuple):
  """`num_rows` rows, their `mean` `[D]`, their `scatter` `[D, D]` about it."""

  num_rows: int
  mean: np.ndarray
  scatter: np.ndarray

  @property
  def covariance(self) -> np.ndarray:
    """The unbiased covariance `[D, D]`.

    Raises:
      ValueError: if there are fewer than two rows.
    """
    if self.num_rows < 2:
      raise ValueError(f'A covariance needs 2 rows, got {self.num_rows}.')
    return self.scatter / (self.num_rows - 1)


def as_features(features: np.ndarray, name: str = 'features') -> np.ndarray:
  """Checks feature vectors and casts them to float64.

  Args:
    features: `[N, D]` finite real numbers, `N` at least 1.
    name: what an error calls them.

  Returns:
    `[N, D]` float64.

  Raises:
    ValueError: if they are no matrix, empty, or not finite.
  """
  features = np.asarray(features)
  if features.ndim != 2 or 0 in features.shape:
    raise ValueError(f'{name} must be [N, D], got shape {features.shape}.')
  if features.dtype.kind not in 'fiub':
    raise ValueError(f'{name} must be real numbers, got {features.dtype}.')
  features = features.astype(np.float64)
  bad = np.count_nonzero(~np.isfinite(features).all(axis=1))
  if bad:
    raise ValueError(f'{name}: {bad} of {len(features)} rows are not finite.')
  return features


def as_pair(**sets: np.ndarray) -> Iterator[np.ndarray]:
  """Checks sets of features, by name, of the same dimensions.

  Raises:
    ValueError: if one is unfit for `as_features`, or the dimensions differ.
  """
  checked = {name: as_features(rows, name) for name, rows in sets.items()}
  widths = [f'{name} {rows.shape[1]}' for name, rows in checked.items()]
  if len({rows.shape[1] for rows in checked.values()}) > 1:
    raise ValueError(f'The dimensions differ: {", ".join(widths)}.')
  return iter(checked.values())


def moments(features: np.ndarray) -> Moments:
  """Computes the moments of one batch `[N, D]`; see `as_features`."""
  features = as_features(features)
  mean = features.mean(axis=0)
  centered = features - mean
  return Moments(len(features), mean, centered.T @ centered)


def merge(a: Moments, b: Moments) -> Moments:
  """Joins the moments of two disjoint sets of the same dimension."""
  count = a.num_rows + b.num_rows
  step = b.mean - a.mean
  mean = a.mean + step * (b.num_rows / count)
  between = np.outer(step, step) * (a.num_rows * b.num_rows / count)
  return Moments(count, mean, a.scatter + b.scatter + between)


def stream_moments(batches: Iterable[np.ndarray]) -> Moments:
  """Computes the moments of a stream of batches.

  Args:
    batches: arrays `[B, D]`; `B` may vary.

  Returns:
    The moments of all rows.

  Raises:
    ValueError: if there is no row, or a batch is no finite matrix.
  """
  total = None
  for group in _groups(batches):
    part = moments(group)
    total = part if total is None else merge(total, part)
  if total is None:
    raise ValueError('There are no features: the stream is empty.')
  return total


def _groups(batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
  # An update costs D^2 whatever the batch: join batches up to D rows.
  held: list[np.ndarray] = []
  width = None
  for batch in batches:
    batch = as_features(batch)
    width = width or batch.shape[1]
    if batch.shape[1] != width:
      raise ValueError(f'Batches of {width} and {batch.shape[1]} dimensions.')
    held.append(batch)
    if sum(map(len, held)) >= width:
      yield np.concatenate(held)
      held = []
  if held:
    yield np.concatenate(held)
