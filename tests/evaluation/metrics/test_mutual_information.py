import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from structae import evaluation


def test_the_matrix_is_that_of_histograms(pair):
  codes, factors = pair
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


def test_a_constant_latent_has_exactly_no_information(pair):
  codes, factors = pair
  codes = codes.astype(np.float32)
  codes[:, 2] = 0.1  # its mean rounds, so its variance is not 0
  matrix = evaluation.mutual_information(codes, factors)
  assert (matrix[2] == 0).all() and (np.delete(matrix, 2, 0) > 0).all()


def test_bins_are_two_or_more(pair):
  with pytest.raises(ValueError, match='num_bins is 1'):
    evaluation.mutual_information(*pair, num_bins=1)
