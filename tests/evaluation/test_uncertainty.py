"""Intervals beside exact enumeration and theory."""

import itertools

import numpy as np
import pytest
from scipy import stats

from structae.evaluation import uncertainty

RNG = np.random.default_rng(0)


def test_a_mean_has_its_sample_deviation():
  found = uncertainty.mean([1.0, 2.0, 4.0, 9.0])
  assert (found.mean, found.num) == (4, 4)
  assert found.deviation == pytest.approx(np.sqrt(38 / 3))


def test_three_values_have_their_range_as_interval():
  """The least of 27 resamples repeats the least value: none lies beyond."""
  assert uncertainty.mean([2.0, 0.5, 1.0])[2:4] == (0.5, 2.0)


def test_of_five_values_it_is_that_of_all_resamples():
  values = RNG.normal(size=5)
  means = np.mean([*itertools.product(values, repeat=5)], axis=1)
  tail = stats.norm.cdf(np.sqrt(5 / 4) * stats.t.ppf(0.025, 4))
  expected = np.quantile(means, [tail, 1 - tail])
  found = uncertainty.mean(values)
  np.testing.assert_allclose(found[2:4], expected, atol=0.1 * values.std())


def test_of_many_points_it_is_that_of_the_central_limit():
  values = RNG.normal(size=2000)
  found = uncertainty.mean(values)
  half = stats.norm.ppf(0.975) * stats.sem(values)
  np.testing.assert_allclose(
    found[2:4], values.mean() + half * np.array([-1, 1]), atol=0.05 * half
  )


def test_too_few_values_have_no_interval():
  two = uncertainty.mean([1, 2])
  assert np.isnan([two.low, two.high]).all() and not np.isnan(two.deviation)
  assert np.isnan(uncertainty.mean([1]).deviation)
  found = uncertainty.difference([1, 2], [0, 0])
  assert found.sign == 0 and found.p_value == 0.5


@pytest.mark.parametrize('num', [2, 3, 6, 9])
def test_the_p_value_is_that_of_every_exchange(num):
  a, b = RNG.normal(0.5, 1, num), RNG.normal(size=num)
  signs = np.array([*itertools.product([1, -1], repeat=num)])
  means = (signs * (a - b)).mean(1)
  seen = (a - b).mean()
  # Two-sided; the set of exchanges is symmetric.
  expected = np.mean(np.abs(means) >= abs(seen) - 1e-12)
  found = uncertainty.difference(a, b)
  assert found.p_value == pytest.approx(expected)
  assert found.p_value >= 2 / 2**num
  assert found.mean == pytest.approx(seen)


def test_a_difference_is_paired():
  """What seeds share drops out."""
  shared = 100 * RNG.normal(size=5)
  found = uncertainty.difference(shared + 1 + 0.01 * RNG.normal(size=5), shared)
  assert found.sign == 1 and found.p_value == pytest.approx(2 / 32)
  assert uncertainty.difference(shared, shared + 1).sign == -1
  assert uncertainty.difference(shared, shared[::-1]).sign == 0
  same = uncertainty.difference(shared, shared)
  assert (same.mean, same.p_value, same.sign) == (0, 1, 0)


@pytest.mark.parametrize(
  'a, b, words',
  [([1, 2], [1], 'pairs'), ([], [], '1 or more'), ([1], [np.nan], 'finite')],
)
def test_what_has_no_difference_is_refused(a, b, words):
  with pytest.raises(ValueError, match=words):
    uncertainty.difference(a, b)
