import numpy as np
import pytest

from structae import evaluation

_FEW = {'num_train': 600, 'num_test': 400}


def _grid(*sizes):
  return np.stack(np.indices(sizes), axis=-1).reshape(-1, len(sizes))


def test_copies_of_factors_are_found():
  factors = _grid(4, 5, 6)
  result = evaluation.beta_vae_score(factors, factors, **_FEW)
  assert result['beta_vae_test'] == pytest.approx(1, abs=0.01)
  assert result['protocol'] == 'grid'


def test_noise_is_at_chance():
  rng = np.random.default_rng(0)
  factors = np.stack([rng.integers(0, 4, 5000) for _ in range(4)], axis=1)
  codes = rng.normal(size=(5000, 3))
  result = evaluation.beta_vae_score(codes, factors, **_FEW)
  assert result['beta_vae_test'] == pytest.approx(0.25, abs=0.1)
  assert result['protocol'] == 'pool'


def test_the_same_seed_draws_the_same():
  factors = _grid(3, 4)
  codes = factors @ np.array([[1.0, 0.5], [-0.3, 1.0]])
  run = lambda seed: evaluation.beta_vae_score(
    codes, factors, seed=seed, num_train=50, num_test=50, batch_size=4
  )
  assert run(0) == run(0)
