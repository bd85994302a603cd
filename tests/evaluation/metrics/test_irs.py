import numpy as np
import pytest

from structae import evaluation


def _data(num=400):
  rng = np.random.default_rng(0)
  factors = np.stack([rng.integers(0, k, num) for k in (3, 5)], axis=1)
  codes = factors @ rng.normal(size=(2, 4)) + 0.3 * rng.normal(size=(num, 4))
  return codes, factors


@pytest.mark.parametrize('quantile', [0.99, 1.0, 0.5])
def test_by_hand(quantile):
  codes, factors = _data()
  result = evaluation.irs(codes, factors, quantile=quantile)
  largest = np.array([max(abs(z - z.mean())) for z in codes.T])
  for i, z in enumerate(codes.T):
    for j, v in enumerate(factors.T):
      spread = []
      for value in range(v.max() + 1):
        group = z[v == value]
        spread.append(np.percentile(abs(group - group.mean()), 100 * quantile))
      expected = 1 - np.mean(spread) / largest[i]
      assert result['irs_matrix'][i, j] == pytest.approx(expected)
  best = result['irs_matrix'].max(1)
  assert result['irs'] == pytest.approx((best * largest).sum() / largest.sum())


def test_copies_of_factors_are_robust():
  factors = np.stack(np.indices((3, 4)), axis=-1).reshape(-1, 2)
  assert evaluation.irs(factors, factors)['irs'] == pytest.approx(1)


def test_constant_latents_do_not_count():
  codes, factors = _data()
  expected = evaluation.irs(codes, factors)
  dead = np.insert(codes.astype(np.float32), 2, np.float32(0.1), axis=1)
  actual = evaluation.irs(dead, factors)
  assert actual['irs'] == pytest.approx(expected['irs'], abs=1e-6)
  assert actual['num_active'] == 4 and actual['irs_per_latent'][2] == 0
  nothing = evaluation.irs(np.zeros((400, 3)), factors)
  assert nothing['irs'] == 0 and nothing['num_active'] == 0


def test_factors_of_many_values_are_binned():
  codes = np.arange(100.0)[:, None] % 50
  factors = np.arange(100)[:, None] % 50
  assert evaluation.irs(codes, factors, num_bins=50)['irs'] == 1
  assert evaluation.irs(codes, factors)['irs'] < 1


def test_values_of_factors_are_names_and_no_numbers():
  factors = np.array([[0], [1], [2]] * 10)
  codes = factors.astype(float)
  for named in (factors, np.array([0, 1, 30])[factors]):
    assert evaluation.irs(codes, named)['irs'] == pytest.approx(1)


def test_a_factor_may_widen_what_it_should_hold():
  """The mean deviation within values, over the largest of all, exceeds 1."""
  codes = np.array([[0.0], [1], [1], [1], [0], [0], [0], [1]])
  factors = np.array([[0], [0], [0], [0], [1], [1], [1], [1]])
  result = evaluation.irs(codes, factors, quantile=1)
  assert result['irs'] == pytest.approx(1 - 0.75 / 0.5)


def test_quantiles_lie_between_0_and_1():
  with pytest.raises(ValueError, match='quantile is 99'):
    evaluation.irs(*_data(), quantile=99)
