"""Which images are compared: a random draw of distinct ones."""

import numpy as np
import pytest

from structae.evaluation.images import compare


def test_a_draw_does_not_depend_on_batches_nor_take_the_first():
  images = np.arange(100).reshape(100, 1, 1, 1)
  draws = [
    np.concatenate(list(compare.drawn(np.array_split(images, n), 100, 30)))
    for n in (1, 7, 50)
  ]
  for draw in draws:
    np.testing.assert_array_equal(draw, draws[0])
  assert len(np.unique(draws[0])) == 30
  assert abs(draws[0].mean() - 49.5) < 15
  everything = np.concatenate(list(compare.drawn([images], 100, 200)))
  np.testing.assert_array_equal(everything, images)


def _watched(images, num):
  seen = compare.Distinct()
  kept = compare.Reservoir(num, 1, seen)
  batches = np.array_split(images, 9)
  rows = (x.reshape(-1, 1) for x in seen.watch(batches))
  passed = np.concatenate(list(kept.watch(rows)))
  np.testing.assert_array_equal(passed[:, 0], images[:, 0, 0, 0])
  return seen, kept.rows[:, 0]


def test_images_that_come_again_are_left_out():
  images = np.tile(np.arange(60), 4).reshape(-1, 1, 1, 1)
  seen, rows = _watched(images, 100)
  assert seen.num_repeated == 180
  np.testing.assert_array_equal(rows, np.arange(60))


def test_a_reservoir_is_a_draw_from_all_of_a_stream():
  images = np.arange(4000).reshape(-1, 1, 1, 1)
  _, rows = _watched(images, 500)
  assert len(np.unique(rows)) == 500
  # Deciles hold fifty each, with a deviation of less than seven.
  counts = np.histogram(rows, 10, (0, 4000))[0]
  assert counts.min() > 25 and counts.max() < 75


def test_the_digest_of_files_tells_their_content(tmp_path):
  (tmp_path / 'a').mkdir()
  for name in ('1.png', '2.png'):
    (tmp_path / 'a' / name).write_bytes(b'same')
  before = compare.digest(tmp_path / 'a')
  assert before == compare.digest(tmp_path / 'a')
  (tmp_path / 'a' / '2.png').write_bytes(b'other')
  assert compare.digest(tmp_path / 'a') != before
  one = tmp_path / 'a' / '1.png'
  assert compare.digest(one) not in (before, compare.digest(tmp_path / 'a'))


@pytest.mark.parametrize('copies', [1, 4])
def test_repeated_images_change_no_draw(copies):
  images = np.arange(50).reshape(-1, 1, 1, 1)
  _, rows = _watched(np.tile(images, (copies, 1, 1, 1)), 80)
  np.testing.assert_array_equal(rows, np.arange(50))
