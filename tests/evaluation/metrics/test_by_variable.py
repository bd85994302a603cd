import numpy as np
import pytest

from structae import evaluation


def _data(width, num=300):
  rng = np.random.default_rng(0)
  factors = np.stack([rng.integers(0, k, num) for k in (3, 4)], axis=1)
  mix = rng.normal(size=(2, 3 * width))
  codes = factors @ mix + 0.5 * rng.normal(size=(num, 3 * width))
  return codes.reshape(num, 3, width), factors


def test_variables_of_one_number_have_the_ordinary_scores():
  z, v = _data(1)
  flat = z[:, :, 0]
  mig = evaluation.mig_by_variable(z, v)
  assert mig['mig_by_variable'] == evaluation.mig(flat, v)['mig']
  irs = evaluation.irs_by_variable(z, v)
  assert irs['irs_by_variable'] == evaluation.irs(flat, v)['irs']
  dci = evaluation.dci_by_variable(z[:200], v[:200], z[200:], v[200:])
  exact = evaluation.dci(flat[:200], v[:200], flat[200:], v[200:])
  for key in ('disentanglement', 'completeness'):
    assert dci[f'{key}_by_variable'] == exact[key]


def test_a_factor_spread_over_one_variable_is_disentangled_by_variable():
  rng = np.random.default_rng(1)
  factors = np.stack([rng.integers(0, 4, 400) for _ in range(2)], axis=1)
  wide = np.repeat(factors[:, :, None], 3, axis=2)
  wide = wide + 0.2 * rng.normal(size=wide.shape)
  flat = wide.reshape(400, -1)
  assert evaluation.mig(flat, factors)['mig'] < 0.1
  assert evaluation.mig_by_variable(wide, factors)['mig_by_variable'] > 0.7
  split = wide[:300], factors[:300], wide[300:], factors[300:]
  by_variable = evaluation.dci_by_variable(*split)
  ordinary = evaluation.dci(
    flat[:300], factors[:300], flat[300:], factors[300:]
  )
  assert by_variable['completeness_by_variable'] > 0.95
  assert ordinary['completeness'] < 0.6


def test_importance_is_summed_within_variables():
  z, v = _data(2)
  flat = z.reshape(300, 6)
  matrix = evaluation.dci(flat[:200], v[:200], flat[200:], v[200:])
  expected = matrix['importance'].reshape(3, 2, 2).sum(1)
  actual = evaluation.dci_by_variable(z[:200], v[:200], z[200:], v[200:])
  np.testing.assert_array_equal(actual['variable_importance'], expected)


def test_a_direction_is_informative_where_no_axis_is():
  rng = np.random.default_rng(2)
  v = rng.integers(0, 2, (500, 1))
  nuisance = 5 * rng.normal(size=500)
  z = np.stack([v[:, 0] + nuisance, v[:, 0] - nuisance], axis=1)
  z = np.stack([z, rng.normal(size=(500, 2))], axis=1)
  result = evaluation.mig_by_variable(z, v)
  assert result['variable_information'][0, 0] == pytest.approx(
    np.log(2), abs=0.01
  )
  axes = evaluation.mutual_information(z[:, 0], v)
  assert axes.max() < 0.2


def test_irs_is_that_of_lengths():
  z, v = _data(2)
  result = evaluation.irs_by_variable(z, v, quantile=1)
  for k in range(3):
    u = z[:, k]
    largest = np.linalg.norm(u - u.mean(0), axis=1).max()
    for j in range(2):
      groups = [u[v[:, j] == value] for value in range(v[:, j].max() + 1)]
      spread = [np.linalg.norm(g - g.mean(0), axis=1).max() for g in groups]
      expected = 1 - np.mean(spread) / largest
      assert result['irs_matrix_by_variable'][k, j] == pytest.approx(expected)


def test_irs_does_not_change_when_a_variable_is_turned():
  z, v = _data(2)
  turn = np.array([[0.6, -0.8], [0.8, 0.6]])
  expected = evaluation.irs_by_variable(z, v)['irs_by_variable']
  actual = evaluation.irs_by_variable(z @ turn, v)['irs_by_variable']
  assert actual == pytest.approx(expected)


def test_dead_numbers_and_variables_are_allowed():
  z, v = _data(2)
  z[:, 1], z[:, 2, 0] = 0.1, 0
  assert np.isfinite(evaluation.mig_by_variable(z, v)['mig_by_variable'])
  assert evaluation.irs_by_variable(z, v)['num_active'] == 2
  with pytest.raises(ValueError, match=r'got shape \(300, 6\)'):
    evaluation.mig_by_variable(z.reshape(300, 6), v)
