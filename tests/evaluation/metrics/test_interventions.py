import numpy as np

from structae.evaluation.metrics.interventions import (
  Intervention,
  is_grid,
)


def _grid(*sizes):
  return np.stack(np.indices(sizes), axis=-1).reshape(-1, len(sizes))


def test_what_is_a_grid():
  assert is_grid(_grid(2, 3))
  assert not is_grid(_grid(2, 3)[:-1])
  assert not is_grid(np.array([[0, 0], [0, 0], [1, 1], [1, 0]]))


def test_rows_are_drawn_evenly_from_those_of_the_same_value():
  values = np.array([5, 2, 5, 9, 5, 2])
  intervention = Intervention(values)
  assert intervention.rows.tolist() == [0, 1, 2, 4, 5]  # 9 is there once
  rows = np.repeat([0, 1], 3000)
  drawn = intervention.draw(rows, np.random.default_rng(0))
  np.testing.assert_array_equal(values[drawn], values[rows])
  counts = np.bincount(drawn, minlength=6) / 3000
  np.testing.assert_allclose(
    counts, [1 / 3, 0.5, 1 / 3, 0, 1 / 3, 0.5], atol=0.05
  )
