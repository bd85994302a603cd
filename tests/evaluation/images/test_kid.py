import itertools

import numpy as np
import pytest

from structae.evaluation.images import kid as kernel


def _by_loops(a, b):
  def k(x, y):
    return (x @ y / len(x) + 1) ** 3

  within = [
    np.mean(
      [k(z[i], z[j]) for i, j in itertools.permutations(range(len(z)), 2)]
    )
    for z in (a, b)
  ]
  between = np.mean([k(x, y) for x, y in itertools.product(a, b)])
  return sum(within) - 2 * between


def test_one_whole_subset_equals_loops_over_pairs():
  rng = np.random.default_rng(0)
  a, b = rng.normal(size=(12, 5)), rng.normal(size=(12, 5)) + 0.5
  actual = kernel.kid(a, b, num_subsets=1, subset_size=12)
  np.testing.assert_allclose(actual['kid'], _by_loops(a, b), rtol=1e-12)
  assert actual['kid_std'] is None  # every subset is the whole


def test_subsets_of_two_average_to_the_whole():
  # An unbiased estimate: its mean over subsets is the estimate of the whole.
  rng = np.random.default_rng(1)
  a, b = rng.normal(size=(6, 3)), rng.normal(size=(6, 3)) + 1
  pairs = list(itertools.combinations(range(6), 2))
  exact = np.mean(
    [_by_loops(a[list(p)], b[list(q)]) for p in pairs for q in pairs]
  )
  np.testing.assert_allclose(exact, _by_loops(a, b), rtol=1e-12)
  actual = kernel.kid(a, b, num_subsets=4000, subset_size=2)
  error = actual['kid_std'] / np.sqrt(4000)
  assert abs(actual['kid'] - exact) < 5 * error


def test_equal_sources_give_zero_within_the_error_and_rotation_no_change():
  rng = np.random.default_rng(2)
  a, b = rng.normal(size=(2, 600, 8))
  same = kernel.kid(a, b, num_subsets=50, subset_size=100)
  assert abs(same['kid']) < same['kid_std']
  turn = np.linalg.qr(rng.normal(size=(8, 8)))[0]
  turned = kernel.kid(a @ turn, b @ turn, num_subsets=50, subset_size=100)
  np.testing.assert_allclose(turned['kid'], same['kid'], atol=1e-12)


def test_bad_input_is_named():
  a = np.zeros((10, 2))
  with pytest.raises(ValueError, match='subset_size must be 2 to 10'):
    kernel.kid(a, a)
  with pytest.raises(ValueError, match='num_subsets'):
    kernel.kid(a, a, num_subsets=0, subset_size=5)
  with pytest.raises(ValueError, match='features_a 2, features_b 1'):
    kernel.kid(a, a[:, :1])
