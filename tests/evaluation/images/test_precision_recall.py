import numpy as np
import pytest

from structae.evaluation.images import precision_recall as neighbors


def _covered_by_loops(support, points, k):
  count = 0
  for point in points:
    for member in support:
      distances = sorted(np.linalg.norm(member - s) for s in support)
      if np.linalg.norm(member - point) <= distances[k]:
        count += 1
        break
  return count / len(points)


@pytest.mark.parametrize('k', [1, 3])
def test_it_equals_loops_over_points(k, monkeypatch):
  monkeypatch.setattr(neighbors, '_ROWS', 7)
  rng = np.random.default_rng(k)
  real = rng.normal(size=(30, 3))
  fake = rng.normal(size=(20, 3)) * 0.6 + 0.8
  actual = neighbors.precision_recall(real, fake, num_neighbors=k)
  assert actual['precision'] == _covered_by_loops(real, fake, k)
  assert actual['recall'] == _covered_by_loops(fake, real, k)
  assert 0 < actual['recall'] < 1


def test_limits():
  real = np.random.default_rng(3).normal(size=(50, 4))
  same = neighbors.precision_recall(real, real[::-1])
  assert (same['precision'], same['recall']) == (1, 1)
  far = neighbors.precision_recall(real, real + 100)
  assert (far['precision'], far['recall']) == (0, 0)
  # All samples are copies of one real point: right, but not diverse.
  collapsed = neighbors.precision_recall(real, np.tile(real[7], (20, 1)))
  assert collapsed['precision'] == 1
  assert collapsed['recall'] == 1 / 50


def test_roles_swap_and_rigid_motions_do_not_matter():
  rng = np.random.default_rng(4)
  real, fake = rng.normal(size=(40, 5)), rng.normal(size=(60, 5)) * 1.2
  one = neighbors.precision_recall(real, fake)
  other = neighbors.precision_recall(fake, real)
  assert one['precision'] == other['recall']
  turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
  moved = neighbors.precision_recall(real @ turn + 1e3, fake @ turn + 1e3)
  assert moved['precision'] == one['precision']
  assert moved['recall'] == one['recall']


def test_bad_input_is_named():
  rows = np.zeros((3, 2))
  with pytest.raises(ValueError, match='num_neighbors must be 1 to 2'):
    neighbors.precision_recall(rows, rows)
  with pytest.raises(ValueError, match='features_real 2, features_generated 1'):
    neighbors.precision_recall(rows, rows[:, :1], num_neighbors=1)
