"""MIG and completeness where a factor is periodic: an angle, a hue.

A circle does not fit a line, so that a good code holds a periodic factor in two
numbers, its cosine and its sine; the ordinary scores call that redundant. Here
two numbers count as one where the factor's cosine and sine are linear in them.
Without periodic factors these equal the ordinary scores. Sources are those of
the scores; their extension to circles is this project's.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.dci import concentration, dci
from structae.evaluation.metrics.mig import gap
from structae.evaluation.metrics.mutual_information import (
  discretize,
  entropy,
  information_matrix,
)

# A single number explains half of the variance of cosine and sine at most, so a
# pair that explains more needs both of its numbers; noise adds a little.
LEAST = 0.6


def mig_periodic(
  codes: ArrayLike,
  factors: ArrayLike,
  *,
  periodic: Sequence[int] = (),
  num_bins: int = 20,
) -> dict[str, Any]:
  """Computes the mutual information gap, periodic factors on circles.

  Of a periodic factor two latents count as one carrier if a linear map of them
  explains more than .6 of the variance of the factor's cosine and sine, of
  which a single latent explains .5 at most. What they know is read from the
  angle of that map, cut into bins as a latent is. The gap is that between the
  best such pair and the best single latent or pair among the others.

  Args:
    codes: `[N, L]` finite numbers, L of 2 or more.
    factors: `[N, F]` integers, none negative or constant.
    periodic: the columns of `factors` whose last value is next to the first.
    num_bins: the number of bins of a latent, and of an angle.

  Returns:
    `mig_periodic`, in 0 ... 1; `mig_periodic_per_factor` `[F]`; `carriers`, the
    latents that hold each periodic factor, one or two; `num_bins`.

  Raises:
    ValueError: if the arrays are unfit, or there are fewer than two latents.
  """
  codes, factors = inputs.check_pair(codes, factors)
  if codes.shape[1] < 2:
    raise ValueError('mig_periodic compares two latents, codes have 1.')
  matrix = information_matrix(discretize(codes, num_bins), factors)
  gaps, carriers = gap(matrix), {}
  for j in periodic:
    labels, single = factors[:, j], matrix[:, j]
    best = _pair(codes, labels, num_bins)
    carriers[str(j)] = [*best.latents] if best else [int(single.argmax())]
    if best:
      others = np.delete(np.arange(len(single)), best.latents)
      next_pair = _pair(codes[:, others], labels, num_bins)
      second = max([*single[others], next_pair.nats if next_pair else 0.0])
      gaps[j] = max(max(best.nats, *single[[*best.latents]]) - second, 0.0)
  gaps = gaps / entropy(factors)
  return {
    'mig_periodic': float(gaps.mean()),
    'mig_periodic_per_factor': gaps,
    'carriers': carriers,
    'num_bins': num_bins,
  }


def dci_periodic(
  codes: ArrayLike,
  factors: ArrayLike,
  test_codes: ArrayLike,
  test_factors: ArrayLike,
  *,
  periodic: Sequence[int] = (),
  backend: Literal['histogram', 'sklearn'] = 'histogram',
  num_bins: int = 20,
  seed: int = 0,
) -> dict[str, Any]:
  """Computes completeness, periodic factors on circles.

  The trees are those of `dci`. Where two latents carry a periodic factor, as of
  `mig_periodic`, their importance for it is added up in one. Disentanglement
  asks each latent by itself, and two latents of one factor cost it nothing.

  Args:
    codes: `[N, L]` finite numbers, what the trees are fitted to.
    factors: `[N, F]` integers, none negative or constant.
    test_codes: `[M, L]` held out.
    test_factors: `[M, F]`.
    periodic: as of `mig_periodic`.
    backend: as of `dci`.
    num_bins: as of `mig_periodic`.
    seed: as of `dci`.

  Returns:
    `completeness_periodic`, in 0 ... 1; `completeness_periodic_per_factor`
    `[F]`; the settings.

  Raises:
    ValueError: if the arrays are unfit or the backend is unknown.
  """
  ordinary = dci(
    codes, factors, test_codes, test_factors, backend=backend, seed=seed
  )
  importance = ordinary['importance'].copy()
  if len(periodic):
    z, labels = inputs.check_pair(codes, factors)
    found = mig_periodic(z, labels, periodic=periodic, num_bins=num_bins)
    for j, (first, *second) in found['carriers'].items():
      importance[first, int(j)] += importance[second, int(j)].sum()
      importance[second, int(j)] = 0
  scores = concentration(importance)
  return {
    'completeness_periodic': scores['completeness'],
    'completeness_periodic_per_factor': scores['completeness_per_factor'],
    'backend': backend,
    'num_bins': num_bins,
    'seed': seed,
  }


class _Pair(NamedTuple):
  """Two latents that hold a periodic factor, and what they know of it."""

  latents: tuple[int, int]
  nats: float


def _pair(codes: np.ndarray, labels: np.ndarray, num_bins: int) -> _Pair | None:
  """The two latents on whose circle a factor lies best, if on any."""
  varies = np.flatnonzero(inputs.varying(codes))
  z = codes[:, varies] / inputs.units(codes)[varies]
  z = (z - z.mean(0)) / z.std(0)
  turn = 2 * np.pi * labels / (labels.max() + 1)
  circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
  circle_mean = circle.mean(0)
  centred = circle - circle_mean
  own, cross = z.T @ z, z.T @ centred
  total = (centred**2).sum()
  found: tuple[float, tuple[int, int], np.ndarray] | None = None
  for a, b in combinations(range(len(varies)), 2):
    rows = [a, b]
    weights = np.linalg.pinv(own[np.ix_(rows, rows)]) @ cross[rows]
    explained = float((weights * cross[rows]).sum() / total)
    if explained > LEAST and (found is None or explained > found[0]):
      found = explained, (a, b), weights
  if found is None:
    return None
  _, (a, b), weights = found
  x, y = (z[:, [a, b]] @ weights + circle_mean).T
  bins = discretize(np.arctan2(y, x)[:, None], num_bins)
  nats = float(information_matrix(bins, labels[:, None])[0, 0])
  return _Pair((int(varies[a]), int(varies[b])), nats)
