"""The order of variables: limits, symmetries, a brute-force correlation."""

import numpy as np
import pytest

from structae.evaluation import (
  factor_levels,
  information_shares,
  mutual_information,
  order_correlation,
)


def test_a_perfect_order_and_its_reverse():
  levels = [3, 2, 1, 0]
  assert order_correlation(np.eye(4), levels) == pytest.approx(1)
  assert order_correlation(np.eye(4)[::-1], levels) == pytest.approx(-1)


@pytest.fixture
def matrix():
  rng = np.random.default_rng(0)
  return rng.uniform(size=(6, 4)), rng.uniform(size=4)


def test_it_is_the_correlation_over_single_bits(matrix):
  counts = (20 * matrix[0]).astype(int)
  places, levels = [], []
  for (k, j), count in np.ndenumerate(counts):
    places += [k] * count
    levels += [matrix[1][j]] * count
  expected = -np.corrcoef(places, levels)[0, 1]
  assert order_correlation(counts, matrix[1]) == pytest.approx(expected)


def test_reversing_either_changes_the_sign(matrix):
  shares, levels = matrix
  score = order_correlation(shares, levels)
  assert score != 0
  assert order_correlation(shares[::-1], levels) == pytest.approx(-score)
  assert order_correlation(shares, -levels) == pytest.approx(-score)
  assert order_correlation(5 * shares, 2 * levels + 1) == pytest.approx(score)
  order = [2, 0, 3, 1]
  again = order_correlation(shares[:, order], levels[order])
  assert again == pytest.approx(score)


def test_equally_informative_variables_have_no_order(matrix):
  same = np.outer(matrix[0][:, 0], matrix[0][0])
  assert order_correlation(same, matrix[1]) == pytest.approx(0, abs=1e-12)


def test_a_factor_that_no_variable_encodes_does_not_count(matrix):
  shares, levels = matrix
  more = np.concatenate([shares, np.zeros((6, 1))], axis=1)
  score = order_correlation(more, [*levels, 9])
  assert score == pytest.approx(order_correlation(shares, levels))


@pytest.mark.parametrize(
  'shares, levels, message',
  [
    (np.eye(3), [1, 1, 1], 'no order'),
    ([[1, 1], [0, 0]], [0, 1], 'no order'),
    ([[0.1, 0.1]], [0.1, 0.7], 'no order'),
    (np.zeros((2, 2)), [0, 1], 'nor 0 everywhere'),
    (-np.eye(2), [0, 1], 'not be negative'),
    (np.eye(2), [0, np.nan], 'finite'),
    (np.eye(2), [0, 1, 2], r'got shapes \(2, 2\) and \(3,\)'),
  ],
)
def test_without_an_order_there_is_no_score(shares, levels, message):
  with pytest.raises(ValueError, match=message):
    order_correlation(shares, levels)


def test_levels_of_a_sum_a_product_and_nothing():
  """A factor that adds has level 0, one that others sign 1, by formula."""

  # Values -1 and 1. Pixel 0 shows a, pixel 1 shows b c, pixel 2 c + b c.
  def render(factors):
    a, b, c, _ = (2.0 * factors - 1).T
    return np.stack([a, b * c, c + b * c], axis=1)

  levels = factor_levels(render, [2, 2, 2, 5], num=20_000)
  # b only acts through c: all of it. c: main 1, total 1 + 1 + 1.
  np.testing.assert_allclose(levels, [0, 1, 2 / 3, 0], atol=0.03)


def test_information_shares_take_chance_off():
  rng = np.random.default_rng(0)
  factors = rng.integers(0, [2, 8], (4000, 2))
  codes = rng.normal(size=(4000, 3, 2))
  codes[:, 1, 0] = factors[:, 0] + 1e-3 * codes[:, 1, 0]
  shares = information_shares(codes, factors)
  assert shares.shape == (3, 2)
  chance = mutual_information(codes[:, 0], factors).max()
  assert shares[1, 0] == pytest.approx(1, abs=2 * chance)
  shares[1, 0] = 0
  assert shares.max() < chance
