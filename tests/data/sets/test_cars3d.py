"""Cars3D from files in its true layout, whole and damaged."""

import numpy as np

from structae.data import pictures
from tests.data import layouts
from tests.data.preparing import refusal, run


def test_cars3d(tmp_path):
  data_set = layouts.small('cars3d', (4, 24, 3))
  images, _ = layouts.cars3d(tmp_path / 'nips2015-analogy-data.tar.gz')
  _, made, actual, _ = run(data_set, tmp_path, tmp_path, size=128)
  np.testing.assert_array_equal(actual, images)
  _, _, half, _ = run(data_set, tmp_path, tmp_path)
  np.testing.assert_array_equal(half, pictures.resize(images, 64))


def test_an_archive_that_is_damaged(tmp_path):
  data_set = layouts.small('cars3d', (4, 24, 2))
  path = tmp_path / 'nips2015-analogy-data.tar.gz'
  layouts.cars3d(path, 2)
  whole = path.read_bytes()
  path.write_bytes(whole[: len(whole) // 2])
  assert 'fetch it again' in refusal(data_set, path, tmp_path)
  path.write_bytes(b'<html>')
  assert 'web page' in refusal(data_set, path, tmp_path)
