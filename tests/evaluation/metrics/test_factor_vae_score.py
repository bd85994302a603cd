import numpy as np
import pytest

from structae import evaluation

_FEW = {'num_train': 600, 'num_test': 400}


def _grid(*sizes):
  return np.stack(np.indices(sizes), axis=-1).reshape(-1, len(sizes))


def test_copies_of_factors_are_found():
  factors = _grid(4, 5, 6)
  codes = factors * np.array([1.0, -7.0, 0.4])  # scale does not matter
  result = evaluation.factor_vae_score(codes, factors, **_FEW)
  assert result['factor_vae_test'] == 1 and result['protocol'] == 'grid'
  assert (result['votes'] == np.diag(np.diag(result['votes']))).all()


def test_noise_is_at_chance():
  rng = np.random.default_rng(0)
  factors = np.stack([rng.integers(0, 4, 5000) for _ in range(4)], axis=1)
  codes = rng.normal(size=(5000, 3))
  result = evaluation.factor_vae_score(codes, factors, **_FEW)
  assert result['factor_vae_test'] == pytest.approx(0.25, abs=0.1)
  assert result['protocol'] == 'pool'


def test_votes_follow_the_sampling_of_the_grid():
  """A pool that repeats the grid draws from the same distribution."""
  factors = _grid(4, 3, 3)
  x = factors - factors.mean(0)
  codes = np.tanh(x @ np.random.default_rng(1).normal(size=(3, 4)))
  often = np.tile(codes, (3, 1)), np.tile(factors, (3, 1))
  scores = []
  for z, v in ((codes, factors), often):
    scores.append(
      [
        evaluation.factor_vae_score(z, v, seed=s, **_FEW)['factor_vae_test']
        for s in range(5)
      ]
    )
  spread = np.std(scores, axis=1).max()
  assert abs(np.diff(np.mean(scores, axis=1))[0]) < max(0.02, 3 * spread)


def test_latents_that_hardly_move_are_pruned_and_votes_keep_their_index():
  factors = _grid(4, 5)
  codes = np.stack(
    [np.full(20, 0.1), factors[:, 0], 1e-3 * factors[:, 1], factors[:, 1]], 1
  ).astype(np.float32)
  result = evaluation.factor_vae_score(codes, factors, **_FEW)
  assert result['num_active'] == 2 and result['factor_vae_test'] == 1
  assert result['votes'].sum(1).astype(bool).tolist() == [0, 1, 0, 1]
  nothing = evaluation.factor_vae_score(codes * 0, factors, **_FEW)
  assert nothing['factor_vae_test'] == 0 and nothing['num_active'] == 0


def test_values_must_be_shared():
  with pytest.raises(ValueError, match='share a value of factor 1'):
    evaluation.factor_vae_score(
      np.eye(4), np.array([[0, 0], [0, 1], [1, 2], [1, 3]])
    )
