import numpy as np
import pytest
import scipy.linalg

from structae.evaluation.images import frechet


def _rotation(rng, dims):
  return np.linalg.qr(rng.normal(size=(dims, dims)))[0]


def _by_square_root(a, b):
  cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
  root = scipy.linalg.sqrtm(cov_a @ cov_b)
  shift = np.sum((a.mean(0) - b.mean(0)) ** 2)
  return shift + np.trace(cov_a) + np.trace(cov_b) - 2 * np.trace(root).real


def test_it_equals_the_matrix_square_root_on_full_rank_sets():
  rng = np.random.default_rng(0)
  a = rng.normal(size=(300, 12)) @ rng.normal(size=(12, 12))
  b = rng.normal(size=(200, 12)) @ rng.normal(size=(12, 12)) + 0.3
  actual = frechet.frechet_distance(a, b)
  np.testing.assert_allclose(
    actual['frechet_distance'], _by_square_root(a, b), rtol=1e-10
  )
  assert (actual['num_a'], actual['num_b']) == (300, 200)
  assert actual['num_dimensions'] == 12


@pytest.mark.parametrize('decay', [0, 3, 8])
@pytest.mark.parametrize('rank', [40, 25])
def test_commuting_gaussians_have_a_closed_form(decay, rank):
  # One basis: |m|^2 + sum (sqrt a - sqrt b)^2, at any condition or rank.
  rng = np.random.default_rng(decay)
  basis = _rotation(rng, 40)
  a = 10.0 ** (-decay * np.arange(40) / 40)
  b = 2 * rng.permutation(a)
  a[rank:] = 0
  mean_a, mean_b = rng.normal(size=(2, 40))
  actual = frechet.frechet_distance_from_moments(
    mean_a, (basis * a) @ basis.T, mean_b, (basis * b) @ basis.T
  )
  spread = np.sum((np.sqrt(a) - np.sqrt(b)) ** 2)
  np.testing.assert_allclose(actual['covariance_distance'], spread, rtol=1e-9)
  np.testing.assert_allclose(
    actual['frechet_distance'],
    np.sum((mean_a - mean_b) ** 2) + spread,
    rtol=1e-9,
  )


def test_few_samples_give_the_same_by_features_and_by_moments():
  rng = np.random.default_rng(3)
  a, b = rng.normal(size=(15, 80)), rng.normal(size=(22, 80)) * 2 + 1
  by_features = frechet.frechet_distance(a, b)['frechet_distance']
  by_moments = frechet.frechet_distance_from_moments(
    a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False)
  )['frechet_distance']
  np.testing.assert_allclose(by_features, by_moments, rtol=1e-12)


@pytest.mark.parametrize('decay', [0, 2, 12])
@pytest.mark.parametrize('rank', [90, 20])
def test_large_sets_take_a_quicker_way_to_the_same(decay, rank, monkeypatch):
  # Flat, steep and low-rank spectra; the last must fall back.
  rng = np.random.default_rng(decay)
  scales = 10.0 ** (-decay * np.arange(90) / 90) * (np.arange(90) < rank)
  turn = _rotation(rng, 90)
  a, b = rng.normal(size=(2, 70, 90)) * scales @ turn
  slow = frechet.frechet_distance(a, b[:65])['frechet_distance']
  monkeypatch.setattr(frechet, '_LARGE', 8)
  quick = frechet.frechet_distance(a, b[:65])['frechet_distance']
  np.testing.assert_allclose(quick, slow, rtol=1e-8)


def test_two_lines_in_space_have_a_closed_form():
  # Rank one each: u s and v t overlap in s t |u . v|.
  rng = np.random.default_rng(4)
  u, v = rng.normal(size=(2, 6))
  u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)
  s, t = rng.normal(size=(2, 50, 1))
  std_s, std_t = s.std(ddof=1), t.std(ddof=1)
  expected = std_s**2 + std_t**2 - 2 * std_s * std_t * abs(u @ v)
  actual = frechet.frechet_distance(s * u, t * v)
  np.testing.assert_allclose(
    actual['covariance_distance'], expected, rtol=1e-10
  )


@pytest.mark.parametrize('shape', [(30, 7), (10, 60), (7, 7)])
def test_identical_sets_are_at_zero(shape):
  a = np.random.default_rng(5).normal(size=shape) + 100
  actual = frechet.frechet_distance(a, a[::-1])['frechet_distance']
  assert 0 <= actual < 1e-11 * a.size


@pytest.mark.parametrize('counts', [(50, 40), (6, 8), (50, 6)])
def test_it_is_symmetric_and_blind_to_rigid_motions(counts):
  rng = np.random.default_rng(6)
  a, b = (rng.normal(size=(n, 9)) * rng.uniform(1, 3, 9) for n in counts)
  b = b + 0.5
  expected = frechet.frechet_distance(a, b)['frechet_distance']
  turn, shift = _rotation(rng, 9), rng.normal(size=9)
  moved = frechet.frechet_distance(b @ turn + shift, a @ turn + shift)
  np.testing.assert_allclose(moved['frechet_distance'], expected, rtol=1e-10)
  # Scale is squared.
  scaled = frechet.frechet_distance(3 * a, 3 * b)
  np.testing.assert_allclose(scaled['frechet_distance'], 9 * expected)


def test_a_shift_alone_is_its_squared_length():
  a = np.random.default_rng(7).normal(size=(64, 5))
  shift = np.array([1.0, -2, 0, 0, 2])
  actual = frechet.frechet_distance(a, a + shift)
  np.testing.assert_allclose(actual['frechet_distance'], 9.0, rtol=1e-10)
  np.testing.assert_allclose(actual['mean_distance'], 9.0, rtol=1e-10)


def test_sets_without_spread_are_points():
  a, b = np.zeros((9, 4)), np.ones((5, 4))
  for rows in (a, a[:3]):
    actual = frechet.frechet_distance(rows, b)['frechet_distance']
    np.testing.assert_allclose(actual, 4.0)


def test_bad_input_is_named():
  good = np.random.default_rng(8).normal(size=(9, 4))
  bad = good.copy()
  bad[2, 1] = np.inf
  with pytest.raises(ValueError, match='features_b: 1 of 9 rows'):
    frechet.frechet_distance(good, bad)
  with pytest.raises(ValueError, match='features_a 4, features_b 3'):
    frechet.frechet_distance(good, good[:, :3])
  with pytest.raises(ValueError, match='features_a must have 2 rows'):
    frechet.frechet_distance(good[:1], good)
  mean, cov = good.mean(0), np.cov(good, rowvar=False)
  from_moments = frechet.frechet_distance_from_moments
  with pytest.raises(ValueError, match=r'cov_b \[D, D\]'):
    from_moments(mean, cov, mean, cov[:3])
  with pytest.raises(ValueError, match='not symmetric'):
    from_moments(mean, np.triu(cov), mean, cov)
  with pytest.raises(ValueError, match='mean_a has 4 values that are not'):
    from_moments(mean * np.nan, cov, mean, cov)
  with pytest.raises(ValueError, match='negative variance'):
    from_moments(mean, cov, mean, -cov)
  with pytest.raises(ValueError, match='below zero'):
    from_moments(mean, cov + 9 * (np.eye(4)[::-1]), mean, cov)
