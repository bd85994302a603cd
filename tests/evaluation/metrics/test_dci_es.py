import numpy as np
import pytest

from structae import evaluation


def test_a_falling_line_has_no_ease():
  capacity = np.linspace(2, 9, 30)
  assert evaluation.ease_of_use(
    capacity, np.linspace(1.5, 0, 30), 1.5
  ) == pytest.approx(0)
  assert evaluation.ease_of_use(capacity, np.full(30, 0.4), 1.5) == 1


def test_only_the_lowest_loss_so_far_counts():
  curve = [1.0, 0.5, 0.9, 0.7, 0.25]
  lowest = [1.0, 0.5, 0.5, 0.5, 0.25]
  x = [1, 2, 3, 4, 8]
  actual = evaluation.ease_of_use(x, curve, 1)
  area = 0.5 * (0.75 + 0.25) + 0.25 + 0.25 + 4 * 0.5 * 0.25
  assert actual == evaluation.ease_of_use(x, lowest, 1)
  assert actual == pytest.approx(1 - 2 * area / 7)


def test_unfit_curves_are_named():
  with pytest.raises(ValueError, match='capacities must rise'):
    evaluation.ease_of_use([1, 1], [1, 0], 1)
  with pytest.raises(ValueError, match='the lowest loss -1'):
    evaluation.ease_of_use([1, 2], [1, -1], 1)


def test_the_losses_are_those_of_the_trees():
  rng = np.random.default_rng(0)
  factors = rng.integers(0, 3, (260, 2))
  codes = factors + 0.4 * rng.normal(size=(260, 2))
  data = codes[:200], factors[:200], codes[200:], factors[200:]
  result = evaluation.dci_es(*data)
  exact = evaluation.dci(*data)
  for key in ('disentanglement', 'completeness'):
    assert result[key] == exact[key]
  for j in range(2):
    share = np.bincount(factors[:200, j]) / 200
    baseline = -np.log(share[factors[200:, j]]).mean()
    assert result['losses'][0, j] == pytest.approx(baseline)
  assert result['losses'].shape == (101, 2)
  assert result['losses'][100].max() < result['losses'][0].min()
  assert result['size'] == 1 and 0 < result['ease_of_use'] < 1
