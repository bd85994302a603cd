import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import Lasso

from structae import evaluation


def _models():
  x = np.random.default_rng(0).normal(size=(300, 3))
  turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
  return x, x[:, [2, 0, 1]] * [-1, 5, 1], x @ turn


def test_latents_up_to_order_sign_and_scale_agree():
  x, same, turned = _models()
  ranks = evaluation.udr([x, same], method='spearman')
  rest = np.abs(spearmanr(x)[0])
  expected = (rest.max(0) ** 2 / rest.sum(0)).mean()
  assert ranks['udr'] == pytest.approx(expected)
  for method in ('lasso', 'spearman'):
    agree = evaluation.udr([x, same], method=method)['udr']
    assert agree > evaluation.udr([x, turned], method=method)['udr'] + 0.1


def test_lasso_by_hand():
  x, _, turned = _models()
  result = evaluation.udr([x, turned])
  unit = [(z - z.mean(0)) / z.std(0) for z in (x, turned)]
  for i, j in ((0, 1), (1, 0)):
    r = np.abs(Lasso(alpha=0.1).fit(unit[i], unit[j]).coef_).T
    expected = np.mean([(m.max(0) ** 2 / m.sum(0)).mean() for m in (r, r.T)])
    assert result['agreement'][i, j] == pytest.approx(expected)


def test_the_score_is_the_median_over_the_others():
  x, same, turned = _models()
  result = evaluation.udr([x, same, turned, x])
  table = result['agreement']
  for i, score in enumerate(result['udr_per_model']):
    assert score == np.median(np.delete(table[:, i], i))


def test_latents_at_their_prior_are_left_out():
  x, same, _ = _models()
  noise = np.random.default_rng(5).normal(size=(300, 1))
  wide = np.concatenate([x, noise], axis=1)
  kl = [[1.0, 1.0, 1.0, 0.001], [1.0, 1.0, 1.0]]
  expected = evaluation.udr([x, same])['udr']
  assert evaluation.udr([wide, same], kl)['udr'] == pytest.approx(expected)
  dead = np.insert(x.astype(np.float32), 1, np.float32(0.1), axis=1)
  actual = evaluation.udr([dead, same])['udr']
  assert actual == pytest.approx(expected, abs=1e-6)
  assert evaluation.udr([np.zeros((300, 2)), same])['udr'] == 0


def test_every_model_needs_its_divergences():
  codes = [np.eye(4), np.eye(4)]
  with pytest.raises(ValueError, match='1 divergences, but 2 models'):
    evaluation.udr(codes, [np.ones(4)])


def test_models_must_have_seen_the_same_examples():
  x, same, _ = _models()
  with pytest.raises(ValueError, match=r'codes\[1\] have 299 rows'):
    evaluation.udr([x, same[1:]])
  with pytest.raises(ValueError, match='got 1'):
    evaluation.udr([x])
