"""Which variables of a code belong together, read from the codes alone.

Hybrid sampling takes variables for independent. Two that say one thing are not:
a hue, say, is a point on a circle and takes two numbers, which make no sense
apart. No factor is looked at here.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.cluster import hierarchy
from scipy.spatial import distance

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.mutual_information import (
  discretize,
  information_matrix,
)


def dependent_groups(
  codes: ArrayLike, num_groups: int, *, num_bins: int = 20
) -> np.ndarray:
  """Parts variables so that those of different groups depend little.

  Clusters by average linkage: the two groups with the most information about
  each other, a mean over pairs of variables, are joined until `num_groups` are
  left. That of two variables is the most that a number of one has about a
  number of the other.

  Args:
    codes: `[N, K, D]`, or `[N, K]` of one number each; finite.
    num_groups: 1 to K.
    num_bins: the number of bins of equal width, over a number's own range.

  Returns:
    `[K]`, of each variable the number of its group, from 0 in the order of
    their first variables: `groups` of `structae.sampling.hybrid`.

  Raises:
    ValueError: if the codes are unfit, or there are not so many groups.

  Source: average linkage, Sokal and Michener, A statistical method for
    evaluating systematic relationships, 1958.
  """
  z = np.asarray(codes)
  z = z[..., None] if z.ndim == 2 else z
  if z.ndim != 3:
    raise ValueError(f'codes must be [N, K, D] or [N, K], got {z.shape}.')
  num_examples, num_variables, width = z.shape
  if not 1 <= num_groups <= num_variables:
    raise ValueError(
      f'num_groups must be 1 to {num_variables}, the number of variables, got '
      f'{num_groups}.'
    )
  if num_variables == 1:
    return np.zeros(1, int)
  flat = inputs.check_codes(z.reshape(num_examples, -1))
  bins = discretize(flat, num_bins)
  of_numbers = information_matrix(bins, bins)
  shape = (num_variables, width) * 2
  information = of_numbers.reshape(shape).max((1, 3))
  apart = information.max() - information
  np.fill_diagonal(apart, 0)
  tree = hierarchy.linkage(distance.squareform(apart, checks=False), 'average')
  labels = hierarchy.cut_tree(tree, num_groups)[:, 0]
  _, first, numbers = np.unique(labels, return_index=True, return_inverse=True)
  return first.argsort().argsort()[numbers]
