import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from structae import evaluation


def _factors(num=400):
  rng = np.random.default_rng(0)
  return np.stack([rng.integers(0, k, num) for k in (3, 4)], axis=1)


def test_copies_of_factors_get_nearly_all():
  v = _factors()
  z = v + 0.01 * np.random.default_rng(1).normal(size=v.shape)
  result = evaluation.infomec(z, v)
  assert result['infom'] > 0.9 and result['infoc'] > 0.9
  np.testing.assert_allclose(
    np.diag(result['normalized_information']), 1, atol=0.05
  )


def test_infoe_is_the_share_of_the_log_loss():
  v = _factors()
  rng = np.random.default_rng(1)
  z = v @ rng.normal(size=(2, 3)) + rng.normal(size=(400, 3))
  x = (z - z.mean(0)) / z.std(0)
  expected = []
  for labels in v.T:
    model = LogisticRegression(C=np.inf, class_weight='balanced')
    loss = log_loss(labels, model.fit(x, labels).predict_proba(x))
    null = model.fit(0 * x, labels).predict_proba(x)
    expected.append(1 - loss / log_loss(labels, null))
  actual = evaluation.infomec(z, v)['infoe']
  assert actual == pytest.approx(np.mean(expected), abs=1e-6)


def test_shares_are_rescaled_from_chance():
  v = _factors()
  z = v @ np.array([[1.0, 1.0], [1.0, -1.0]])
  z = z + 0.3 * np.random.default_rng(2).normal(size=z.shape)
  result = evaluation.infomec(z, v)
  nmi = result['normalized_information']
  for key, matrix in (('infom', nmi), ('infoc', nmi.T)):
    share = (matrix.max(1) / matrix.sum(1)).mean()
    assert result[key] == pytest.approx(2 * share - 1)


def test_latents_of_a_small_range_are_inactive():
  v = _factors()
  z = np.concatenate([v, 0.01 * v[:, :1], np.full((400, 1), 0.1)], axis=1)
  result = evaluation.infomec(z.astype(np.float32), v)
  assert result['active'].tolist() == [True, True, False, False]
  assert (result['normalized_information'][2:] == 0).all()


def test_dead_codes_have_defined_scores():
  result = evaluation.infomec(np.zeros((400, 2)), _factors())
  assert result['infom'] == result['infoc'] == result['infoe'] == 0
