import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from structae import evaluation


def test_explicitness_is_the_mean_area_of_logistic_probes(split):
  z, v, test_z, test_v = split
  result = evaluation.explicitness(z, v, test_z, test_v)
  for part, x, labels in (('train', z, v), ('test', test_z, test_v)):
    expected = []
    for j in range(2):
      model = LogisticRegression().fit((z - z.mean(0)) / z.std(0), v[:, j])
      p = model.predict_proba((x - z.mean(0)) / z.std(0))
      one_hot = np.eye(p.shape[1])[labels[:, j]]
      expected.append(roc_auc_score(one_hot, p, average='macro'))
    assert result[f'explicitness_{part}'] == pytest.approx(np.mean(expected))


def test_a_constant_latent_changes_no_explicitness(split):
  z, v, test_z, test_v = split
  dead = lambda x: np.insert(x, 1, np.float32(0.1), axis=1)
  expected = evaluation.explicitness(z, v, test_z, test_v)
  actual = evaluation.explicitness(dead(z), v, dead(test_z), test_v)
  assert actual['explicitness_test'] == expected['explicitness_test']


def test_values_missing_in_the_held_out_part_are_left_out(split):
  z, v, test_z, test_v = split
  keep = test_v[:, 0] != 2
  result = evaluation.explicitness(z, v, test_z[keep], test_v[keep])
  model = LogisticRegression().fit((z - z.mean(0)) / z.std(0), v[:, 0])
  p = model.predict_proba((test_z[keep] - z.mean(0)) / z.std(0))
  areas = [roc_auc_score(test_v[keep, 0] == k, p[:, k]) for k in (0, 1)]
  actual = result['explicitness_test_per_factor'][0]
  assert actual == pytest.approx(np.mean(areas))


def test_codes_that_know_nothing_have_even_chances(split):
  _, v, _, test_v = split
  zeros = np.zeros((200, 3)), v, np.zeros((100, 3)), test_v
  assert evaluation.explicitness(*zeros)['explicitness_test'] == 0.5
  shuffled = np.random.default_rng(1).normal(size=(100, 3))
  random = np.random.default_rng(2).normal(size=(200, 3)), v, shuffled, test_v
  actual = evaluation.explicitness(*random)['explicitness_test']
  assert actual == pytest.approx(0.5, abs=0.1)
