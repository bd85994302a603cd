import numpy as np
import pytest

from structae import evaluation


def test_copies_of_factors_are_modular():
  factors = np.stack(np.indices((3, 4, 5)), axis=-1).reshape(-1, 3)
  score = evaluation.modularity(factors, factors)['modularity']
  assert score == pytest.approx(1)


def test_a_constant_latent_scores_0_and_counts(pair):
  codes, factors = pair
  codes[:, 2] = 0.1
  scores = evaluation.modularity(codes, factors)
  assert scores['modularity_per_latent'][2] == 0
  alive = evaluation.modularity(np.delete(codes, 2, 1), factors)['modularity']
  assert scores['modularity'] == pytest.approx(alive * 5 / 6)


def test_modularity_by_hand(pair):
  codes, factors = pair
  result = evaluation.modularity(codes, factors)
  expected = []
  for row in result['mutual_information']:
    template = np.where(row == row.max(), row, 0)
    deviation = ((row - template) ** 2).sum() / (row.max() ** 2 * 2)
    expected.append(1 - deviation)
  np.testing.assert_allclose(result['modularity_per_latent'], expected)
