"""3D-Shapes from files in its true layout, whole and damaged."""

import numpy as np
import pytest

from tests.data import layouts
from tests.data.preparing import refusal, run


def test_shapes3d(tmp_path):
  data_set = layouts.small('shapes3d', (2, 3, 2, 2, 4, 3))
  images, _ = layouts.shapes3d(tmp_path / '3dshapes.h5', data_set)
  _, made, actual, factors = run(data_set, tmp_path, tmp_path)
  np.testing.assert_array_equal(actual, images)
  assert made.grid and factors is None
  assert made.factor_sizes == (2, 3, 2, 2, 4, 3)
  # Another size is a mean of blocks.
  _, _, half, _ = run(data_set, tmp_path, tmp_path, size=32)
  blocks = images.reshape(-1, 32, 2, 32, 2, 3).astype(np.float64)
  assert np.abs(half - blocks.mean((2, 4))).max() <= 0.5


@pytest.mark.parametrize('share', [0.01, 0.5, 0.999])
def test_truncated_h5(shapes, tmp_path, share):
  data_set, path = shapes
  path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
  assert '3dshapes.h5' in refusal(data_set, path, tmp_path)


def test_damaged_h5_chunk(shapes, tmp_path):
  data_set, path = shapes
  content = bytearray(path.read_bytes())
  middle = len(content) // 2
  content[middle : middle + 4096] = bytes(4096)
  path.write_bytes(content)
  assert 'damaged' in refusal(data_set, path, tmp_path)


def test_wrong_shape_type_and_order(tmp_path):
  import h5py

  data_set = layouts.small('shapes3d', (2, 2, 1, 1, 1, 1))
  path = tmp_path / '3dshapes.h5'
  images, _ = layouts.shapes3d(path, data_set)
  for wrong, part in (
    (images[:, :32], '(N, 64, 64, 3)'),
    (images.astype(np.float32), 'expected uint8'),
    (images[:3], 'expected 4'),
  ):
    path.unlink()
    layouts.shapes3d(path, data_set)
    with h5py.File(path, 'r+') as file:
      del file['images']
      file['images'] = wrong
    assert part in refusal(data_set, path, tmp_path)
  for change, part in (
    (lambda labels: labels[::-1], 'reordered'),
    (lambda labels: labels + 0.05, 'label 0.05'),
  ):
    path.unlink()
    layouts.shapes3d(path, data_set)
    with h5py.File(path, 'r+') as file:
      file['labels'][:] = change(file['labels'][:])
    assert part in refusal(data_set, path, tmp_path)
