"""FID: the Frechet distance of the Inception features of two sets of images.

Source: Heusel et al., https://arxiv.org/abs/1706.08500.
"""

from structae.evaluation.images import features, frechet
from structae.evaluation.images.statistics import (
  FeatureStatistics,
  check_comparable,
  compute_statistics,
)
from structae.evaluation.images.weights import Weights


def fid(
  images_a: features.Images | FeatureStatistics,
  images_b: features.Images | FeatureStatistics,
  weights: Weights,
  *,
  num_dimensions: int = 2048,
  batch_size: int = 64,
) -> dict[str, object]:
  """Computes the FID of two sets of images.

  Args:
    images_a: `[N_a, H, W, C]` uint8, or batches of it, or statistics computed
      before.
    images_b: likewise; the sizes of the images may differ.
    weights: of the network, see `load_weights`.
    num_dimensions: 64, 192, 768 or 2048; only the last is called FID.
    batch_size: the number of images of a forward pass.

  Returns:
    `fid`, at least 0; its parts `mean_distance` and `covariance_distance`; the
    numbers of images `n_a` and `n_b`; `is_biased_by_few_images`, whether one of
    them does not exceed the dimensions; the `fingerprint` of the features, with
    the smaller number.

  Raises:
    ValueError: if a set has fewer than two images, or is not uint8 images, or
      statistics were made differently.
  """
  expected = features.fingerprint(weights, 0, num_dimensions)
  sides = []
  for images in (images_a, images_b):
    if not isinstance(images, FeatureStatistics):
      images = compute_statistics(
        images, weights, num_dimensions=num_dimensions, batch_size=batch_size
      )
    check_comparable(expected, images.fingerprint)
    sides.append(images)
  distance = _distance(*sides)
  n_a, n_b = (side.moments.num_rows for side in sides)
  smaller = min(n_a, n_b)
  return {
    'fid': distance['frechet_distance'],
    'mean_distance': distance['mean_distance'],
    'covariance_distance': distance['covariance_distance'],
    'n_a': n_a,
    'n_b': n_b,
    'is_biased_by_few_images': smaller <= num_dimensions,
    'fingerprint': features.fingerprint(weights, smaller, num_dimensions),
  }


def _distance(a: FeatureStatistics, b: FeatureStatistics) -> dict[str, object]:
  if a.rows is not None and b.rows is not None:
    return frechet.frechet_distance(a.rows, b.rows)
  return frechet.frechet_distance_from_moments(
    a.moments.mean, a.moments.covariance, b.moments.mean, b.moments.covariance
  )
