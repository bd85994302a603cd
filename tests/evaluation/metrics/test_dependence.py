import numpy as np
import pytest
from scipy.linalg import sqrtm
from sklearn.metrics import mutual_info_score

from structae import evaluation


def _codes(num=500):
  rng = np.random.default_rng(0)
  return rng.normal(size=(num, 4)) @ rng.normal(size=(4, 4))


def test_the_total_correlation_of_gaussians():
  z = _codes()
  result = evaluation.gaussian_dependence(z)
  c = np.cov(z.T, ddof=0)
  expected = 0.5 * (np.log(np.diag(c)).sum() - np.linalg.slogdet(c)[1])
  assert result['total_correlation'] == pytest.approx(expected)
  root = sqrtm(c @ np.diag(np.diag(c)))
  expected = 2 * np.trace(c) - 2 * np.trace(root).real
  assert result['wasserstein_correlation'] == pytest.approx(expected)


def test_two_gaussians_in_closed_form():
  rng = np.random.default_rng(1)
  x = rng.normal(size=(200_000, 2))
  z = np.stack([x[:, 0], 0.6 * x[:, 0] + 0.8 * x[:, 1]], axis=1)
  actual = evaluation.gaussian_dependence(z)['total_correlation']
  assert actual == pytest.approx(-0.5 * np.log(1 - 0.36), abs=0.01)


def test_scale_does_not_change_the_total_correlation():
  z = _codes()
  scaled = z * [1e-3, 1, 1e3, -5] + 2
  assert evaluation.gaussian_dependence(scaled)['total_correlation'] == (
    pytest.approx(evaluation.gaussian_dependence(z)['total_correlation'])
  )


def test_dead_and_copied_latents_have_defined_answers():
  z = _codes()
  expected = evaluation.gaussian_dependence(z)
  dead = evaluation.gaussian_dependence(np.insert(z, 1, 0.1, axis=1))
  assert dead == pytest.approx(expected)
  copied = evaluation.gaussian_dependence(z[:, [0, 1, 2, 3, 0]])
  assert copied['singular'] and not expected['singular']
  assert np.isfinite(copied['total_correlation'])
  assert copied['total_correlation'] > expected['total_correlation'] + 5
  nothing = evaluation.gaussian_dependence(np.zeros((5, 3)))
  assert nothing['total_correlation'] == 0


def test_pairwise_information_is_that_of_histograms():
  z = _codes()
  actual = evaluation.pairwise_information(z, num_bins=5)
  bins = [np.digitize(x, np.histogram(x, 5)[1][:-1]) for x in z.T]
  pairs = [(i, j) for i in range(4) for j in range(i)]
  expected = np.mean([mutual_info_score(bins[i], bins[j]) for i, j in pairs])
  assert actual['pairwise_information'] == pytest.approx(expected)


def test_distance_correlation_by_brute_force():
  z = _codes(20).reshape(20, 2, 2)
  actual = evaluation.distance_correlation(z)['distance_correlation']
  centred = []
  for k in range(2):
    d = np.array([[np.linalg.norm(a - b) for b in z[:, k]] for a in z[:, k]])
    u = np.zeros_like(d)
    for i in range(20):
      for j in range(20):
        if i != j:
          u[i, j] = d[i, j] - (d[i].sum() + d[j].sum()) / 18
          u[i, j] += d.sum() / (19 * 18)
    centred.append(u)
  a, b = centred
  expected = (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())
  assert actual == pytest.approx(expected)


def test_distance_correlation_sees_what_correlation_does_not():
  x = np.random.default_rng(3).normal(size=400)
  z = np.stack([x, x**2], axis=1)
  assert abs(np.corrcoef(z.T)[0, 1]) < 0.2
  assert evaluation.distance_correlation(z)['distance_correlation'] > 0.2
  same = np.stack([x, -3 * x + 1], axis=1)
  actual = evaluation.distance_correlation(same)['distance_correlation']
  assert actual == pytest.approx(1)


def test_independent_variables_get_0_on_average():
  rng = np.random.default_rng(4)
  values = [
    evaluation.distance_correlation(rng.normal(size=(50, 2, 3)))[
      'distance_correlation'
    ]
    for _ in range(40)
  ]
  error = np.std(values) / np.sqrt(40)
  assert abs(np.mean(values)) < 4 * error
  dead = evaluation.distance_correlation(np.zeros((9, 2)))
  assert dead['distance_correlation'] == 0
