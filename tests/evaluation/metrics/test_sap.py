import numpy as np
import pytest
from sklearn.svm import LinearSVC

from structae import evaluation


def test_sap_is_the_gap_of_single_latent_classifiers(split):
  z, v, test_z, test_v = split
  result = evaluation.sap(z, v, test_z, test_v)
  for i in range(4):
    for j in range(2):
      model = LinearSVC(C=0.01, class_weight='balanced', random_state=3)
      model.fit(z[:, [i]], v[:, j])
      expected = model.score(test_z[:, [i]], test_v[:, j])
      assert result['accuracy'][i, j] == pytest.approx(expected, abs=0.01)
  top = np.sort(result['accuracy'], axis=0)
  assert result['sap'] == pytest.approx((top[-1] - top[-2]).mean())


def test_sap_continuous_is_the_gap_of_squared_correlations(split):
  z, v, _, _ = split
  result = evaluation.sap_continuous(z, v)
  expected = np.corrcoef(z.T, v.T)[:4, 4:] ** 2
  np.testing.assert_allclose(result['squared_correlation'], expected)
  z[:, 0] = 5
  result = evaluation.sap_continuous(z, v)
  assert (result['squared_correlation'][0] == 0).all()
  assert np.isfinite(result['sap_continuous'])
