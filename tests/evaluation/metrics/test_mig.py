import numpy as np
import pytest

from structae import evaluation


def test_copies_of_factors_have_the_largest_gap():
  factors = np.stack(np.indices((3, 4, 5)), axis=-1).reshape(-1, 3)
  assert evaluation.mig(factors, factors)['mig'] == pytest.approx(1)


def test_a_copied_latent_leaves_no_gap(pair):
  codes, factors = pair
  assert evaluation.mig(codes, factors)['mig'] > 0.01
  twice = np.concatenate([codes, codes], axis=1)
  assert evaluation.mig(twice, factors)['mig'] == pytest.approx(0, abs=1e-12)


def test_scale_shift_order_and_labels_do_not_matter(pair):
  codes, factors = pair
  expected = evaluation.mig(codes, factors)['mig']
  moved = -3 * codes[:, ::-1] + 8
  labels = 1000 - 7 * factors[:, ::-1]
  order = np.random.default_rng(1).permutation(len(codes))
  actual = evaluation.mig(moved[order], labels[order])['mig']
  assert actual == pytest.approx(expected, abs=1e-9)


def test_labels_may_be_any_numbers():
  rng = np.random.default_rng(0)
  factors = rng.integers(0, 4, (200, 2))
  codes = factors + 0.3 * rng.normal(size=(200, 2))
  named = factors * 10**11
  assert evaluation.mig(codes, named)['mig'] == pytest.approx(
    evaluation.mig(codes, factors)['mig']
  )


def test_the_gap_by_hand(pair):
  codes, factors = pair
  result = evaluation.mig(codes, factors)
  gaps = []
  for j, column in enumerate(result['mutual_information'].T):
    p = np.bincount(factors[:, j]) / len(factors)
    top = sorted(column)
    gaps.append((top[-1] - top[-2]) / -(p * np.log(p)).sum())
  np.testing.assert_allclose(result['mig_per_factor'], gaps)
  assert result['mig'] == pytest.approx(np.mean(gaps))
