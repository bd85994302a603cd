import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.svm import LinearSVC

from structae import evaluation


def _split(seed=0, num=300):
  rng = np.random.default_rng(seed)
  factors = np.stack([rng.integers(0, k, num) for k in (3, 2)], axis=1)
  codes = factors @ rng.normal(size=(2, 4)) + 0.7 * rng.normal(size=(num, 4))
  return codes[:200], factors[:200], codes[200:], factors[200:]


def test_explicitness_is_the_mean_area_of_logistic_probes():
  z, v, test_z, test_v = _split()
  result = evaluation.explicitness(z, v, test_z, test_v)
  for part, x, labels in (('train', z, v), ('test', test_z, test_v)):
    expected = []
    for j in range(2):
      model = LogisticRegression().fit((z - z.mean(0)) / z.std(0), v[:, j])
      p = model.predict_proba((x - z.mean(0)) / z.std(0))
      one_hot = np.eye(p.shape[1])[labels[:, j]]
      expected.append(roc_auc_score(one_hot, p, average='macro'))
    assert result[f'explicitness_{part}'] == pytest.approx(np.mean(expected))


def test_a_constant_latent_changes_no_explicitness():
  z, v, test_z, test_v = _split()
  dead = lambda x: np.insert(x, 1, np.float32(0.1), axis=1)
  expected = evaluation.explicitness(z, v, test_z, test_v)
  actual = evaluation.explicitness(dead(z), v, dead(test_z), test_v)
  assert actual['explicitness_test'] == expected['explicitness_test']


def test_values_missing_in_the_held_out_part_are_left_out():
  z, v, test_z, test_v = _split()
  keep = test_v[:, 0] != 2
  result = evaluation.explicitness(z, v, test_z[keep], test_v[keep])
  model = LogisticRegression().fit((z - z.mean(0)) / z.std(0), v[:, 0])
  p = model.predict_proba((test_z[keep] - z.mean(0)) / z.std(0))
  areas = [roc_auc_score(test_v[keep, 0] == k, p[:, k]) for k in (0, 1)]
  actual = result['explicitness_test_per_factor'][0]
  assert actual == pytest.approx(np.mean(areas))


def test_codes_that_know_nothing_have_even_chances():
  _, v, _, test_v = _split()
  zeros = np.zeros((200, 3)), v, np.zeros((100, 3)), test_v
  assert evaluation.explicitness(*zeros)['explicitness_test'] == 0.5
  shuffled = np.random.default_rng(1).normal(size=(100, 3))
  random = np.random.default_rng(2).normal(size=(200, 3)), v, shuffled, test_v
  actual = evaluation.explicitness(*random)['explicitness_test']
  assert actual == pytest.approx(0.5, abs=0.1)


def test_sap_is_the_gap_of_single_latent_classifiers():
  z, v, test_z, test_v = _split()
  result = evaluation.sap(z, v, test_z, test_v)
  for i in range(4):
    for j in range(2):
      model = LinearSVC(C=0.01, class_weight='balanced', random_state=3)
      model.fit(z[:, [i]], v[:, j])
      expected = model.score(test_z[:, [i]], test_v[:, j])
      assert result['accuracy'][i, j] == pytest.approx(expected, abs=0.01)
  top = np.sort(result['accuracy'], axis=0)
  assert result['sap'] == pytest.approx((top[-1] - top[-2]).mean())


def test_sap_continuous_is_the_gap_of_squared_correlations():
  z, v, _, _ = _split()
  result = evaluation.sap_continuous(z, v)
  expected = np.corrcoef(z.T, v.T)[:4, 4:] ** 2
  np.testing.assert_allclose(result['squared_correlation'], expected)
  z[:, 0] = 5
  result = evaluation.sap_continuous(z, v)
  assert (result['squared_correlation'][0] == 0).all()
  assert np.isfinite(result['sap_continuous'])


def test_parts_must_have_the_same_columns():
  z, v, test_z, test_v = _split()
  with pytest.raises(ValueError, match='codes have 4 columns, test_codes 3'):
    evaluation.sap(z, v, test_z[:, :3], test_v)
  with pytest.raises(ValueError, match='factors have 2 columns'):
    evaluation.explicitness(z, v, test_z, test_v[:, :1])
