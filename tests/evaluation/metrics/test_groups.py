"""Which variables belong together."""

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import mutual_info_score

from structae import evaluation


def circles(num=2000):
  """Two points on circles, two numbers each, and two numbers on their own."""
  rng = np.random.default_rng(0)
  a, b = rng.uniform(0, 2 * np.pi, (2, num))
  alone = rng.normal(size=(2, num))
  return np.stack(
    [np.cos(a), alone[0], np.sin(b), np.sin(a), alone[1], np.cos(b)], 1
  )


def test_the_two_numbers_of_a_circle_belong_together():
  found = evaluation.dependent_groups(circles(), 4)
  np.testing.assert_array_equal(found, [0, 1, 2, 0, 3, 2])


def test_wide_variables_belong_together_by_any_of_their_numbers():
  z = circles()
  wide = np.stack([z[:, :3], z[:, [4, 5, 1]]], 2)  # three of two numbers
  np.testing.assert_array_equal(evaluation.dependent_groups(wide, 2), [0, 1, 1])


def test_each_its_own_and_all_in_one():
  z = circles()
  np.testing.assert_array_equal(evaluation.dependent_groups(z, 6), np.arange(6))
  np.testing.assert_array_equal(evaluation.dependent_groups(z, 1), np.zeros(6))
  assert evaluation.dependent_groups(z[:, :1], 1).tolist() == [0]


@pytest.mark.parametrize('num_groups', [2, 3, 5])
def test_the_groups_of_another_implementation(num_groups):
  rng = np.random.default_rng(3)
  z = rng.normal(size=(300, 7)) @ rng.normal(size=(7, 7))
  edges = [np.linspace(x.min(), x.max(), 9)[1:-1] for x in z.T]
  bins = [np.digitize(x, e) for x, e in zip(z.T, edges)]
  information = np.array(
    [[mutual_info_score(a, b) for a in bins] for b in bins]
  )
  other = AgglomerativeClustering(
    num_groups, metric='precomputed', linkage='average'
  ).fit_predict(9 - information)
  found = evaluation.dependent_groups(z, num_groups, num_bins=8)
  together = found[:, None] == found
  np.testing.assert_array_equal(together, other[:, None] == other)
  assert len({*found.tolist()}) == num_groups


@pytest.mark.parametrize(
  'codes, num, message',
  [
    (np.zeros(5), 1, 'codes must be [N, K, D] or [N, K]'),
    (np.eye(4), 0, 'num_groups must be 1 to 4'),
    (np.eye(4), 5, 'num_groups must be 1 to 4, the number of variables, got 5'),
    (np.full((4, 2), np.nan), 1, '8 values that are not finite'),
  ],
)
def test_bad_input_is_refused(codes, num, message):
  with pytest.raises(ValueError) as error:
    evaluation.dependent_groups(codes, num)
  assert message in str(error.value)
