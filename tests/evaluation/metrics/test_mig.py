import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from structae import evaluation


def _data(num=600, seed=0):
  rng = np.random.default_rng(seed)
  factors = np.stack([rng.integers(0, k, num) for k in (3, 5, 4)], axis=1)
  codes = factors @ rng.normal(size=(3, 6)) + rng.normal(size=(num, 6))
  return codes, factors


def test_the_matrix_is_that_of_histograms():
  codes, factors = _data()
  actual = evaluation.mutual_information(codes, factors, num_bins=7)
  assert actual.shape == (6, 3)
  for i, z in enumerate(codes.T):
    bins = np.digitize(z, np.histogram(z, 7)[1][:-1])
    for j, v in enumerate(factors.T):
      np.testing.assert_allclose(actual[i, j], mutual_info_score(bins, v))


def test_copies_of_factors_have_all_the_information():
  factors = np.stack(np.indices((3, 4, 5)), axis=-1).reshape(-1, 3)
  matrix = evaluation.mutual_information(factors, factors)
  np.testing.assert_allclose(matrix, np.diag(np.log([3, 4, 5])), atol=1e-12)
  assert evaluation.mig(factors, factors)['mig'] == pytest.approx(1)
  assert evaluation.modularity(factors, factors)['modularity'] == (
    pytest.approx(1)
  )


def test_a_constant_latent_has_exactly_no_information():
  codes, factors = _data()
  codes = codes.astype(np.float32)
  codes[:, 2] = 0.1  # its mean rounds, so its variance is not 0
  matrix = evaluation.mutual_information(codes, factors)
  assert (matrix[2] == 0).all() and (np.delete(matrix, 2, 0) > 0).all()
  scores = evaluation.modularity(codes, factors)
  assert scores['modularity_per_latent'][2] == 0
  alive = evaluation.modularity(np.delete(codes, 2, 1), factors)['modularity']
  assert scores['modularity'] == pytest.approx(alive * 5 / 6)


def test_a_copied_latent_leaves_no_gap():
  codes, factors = _data()
  assert evaluation.mig(codes, factors)['mig'] > 0.01
  twice = np.concatenate([codes, codes], axis=1)
  assert evaluation.mig(twice, factors)['mig'] == pytest.approx(0, abs=1e-12)


def test_scale_shift_order_and_labels_do_not_matter():
  codes, factors = _data()
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


def test_the_gap_by_hand():
  codes, factors = _data()
  result = evaluation.mig(codes, factors)
  gaps = []
  for j, column in enumerate(result['mutual_information'].T):
    p = np.bincount(factors[:, j]) / len(factors)
    top = sorted(column)
    gaps.append((top[-1] - top[-2]) / -(p * np.log(p)).sum())
  np.testing.assert_allclose(result['mig_per_factor'], gaps)
  assert result['mig'] == pytest.approx(np.mean(gaps))


def test_modularity_by_hand():
  codes, factors = _data()
  result = evaluation.modularity(codes, factors)
  expected = []
  for row in result['mutual_information']:
    template = np.where(row == row.max(), row, 0)
    deviation = ((row - template) ** 2).sum() / (row.max() ** 2 * 2)
    expected.append(1 - deviation)
  np.testing.assert_allclose(result['modularity_per_latent'], expected)


@pytest.mark.parametrize(
  'change, message',
  [
    (lambda z, v: (z[:, :1], v), 'codes have 1'),
    (lambda z, v: (z[:-1], v), '599 rows of codes, but 600 of factors'),
    (lambda z, v: (z * np.inf, v), '3600 values that are not finite'),
    (lambda z, v: (z, v * 0 + 2), 'factor 0 is constant: 2 in all 600 rows'),
    (lambda z, v: (z, v - 1), 'must not be negative, got -1'),
    (lambda z, v: (z, v + 0.5), 'integers that name a class, got float64'),
    (lambda z, v: (z[:1], v[:1]), '1 rows of codes, expected 2 or more'),
    (lambda z, v: (z[:, :, None], v), r'got shape \(600, 6, 1\); reshape'),
  ],
)
def test_unfit_arrays_are_named(change, message):
  with pytest.raises(ValueError, match=message):
    evaluation.mig(*change(*_data()))


def test_bins_are_two_or_more():
  with pytest.raises(ValueError, match='num_bins is 1'):
    evaluation.mig(*_data(), num_bins=1)
