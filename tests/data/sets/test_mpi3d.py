"""MPI3D from files in its true layout, whole and damaged."""

import numpy as np
import pytest

from structae.data import manifest, prepare
from tests.data import layouts
from tests.data.preparing import UNCHECKED, refusal, run


@pytest.mark.parametrize('compressed', [False, True])
def test_mpi3d(tmp_path, compressed):
  data_set = layouts.small('mpi3d_toy', (2, 3, 2, 1, 3, 2, 2))
  path = tmp_path / 'mpi3d_toy.npz'
  images, _ = layouts.mpi3d(path, data_set, compressed)
  folder, made, actual, _ = run(data_set, path, tmp_path)
  np.testing.assert_array_equal(actual, images)
  # Stored members are mapped where they lie, and nothing is copied.
  assert (folder / 'images.npy').exists() == compressed
  assert (made.images['path'] == str(path)) != compressed
  _, _, copied, _ = run(data_set, path, tmp_path, copy=True)
  np.testing.assert_array_equal(copied, images)
  assert (folder / 'images.npy').exists()
  np.testing.assert_array_equal(np.load(folder / 'images.npy'), images)


@pytest.mark.parametrize('compressed', [False, True])
@pytest.mark.parametrize('share', [0.01, 0.5, 0.999])
def test_truncated_npz(tmp_path, compressed, share):
  data_set = layouts.small('mpi3d_toy', (2, 2, 2, 1, 1, 2, 2))
  path = tmp_path / 'mpi3d_toy.npz'
  layouts.mpi3d(path, data_set, compressed)
  path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
  assert 'fetch it again' in refusal(data_set, path, tmp_path)


def test_damaged_deflated_npz(tmp_path):
  data_set = layouts.small('mpi3d_toy', (2, 2, 2, 1, 1, 2, 2))
  path = tmp_path / 'mpi3d_toy.npz'
  layouts.mpi3d(path, data_set, compressed=True)
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 255
  path.write_bytes(content)
  assert 'mpi3d_toy.npz' in refusal(data_set, path, tmp_path)


def test_the_grid_of_another_variant_is_refused(tmp_path):
  data_set = layouts.small('mpi3d_toy', (2, 2, 2, 1, 1, 2, 2))
  path = tmp_path / 'mpi3d_toy.npz'
  layouts.mpi3d(path, layouts.small('mpi3d_toy', (2, 2, 2, 1, 1, 2, 1)))
  assert 'expected 32' in refusal(data_set, path, tmp_path)


def test_an_original_that_was_mapped_must_not_change(tmp_path):
  data_set = layouts.small('mpi3d_toy', (2, 2, 1, 1, 1, 2, 2))
  path = tmp_path / 'mpi3d_toy.npz'
  layouts.mpi3d(path, data_set)
  folder = prepare.prepare(data_set, path, UNCHECKED, tmp_path / 'cache')
  manifest.load(folder)
  layouts.mpi3d(path, data_set)
  with pytest.raises(ValueError, match='changed since'):
    manifest.load(folder)
  path.unlink()
  with pytest.raises(ValueError, match='missing'):
    manifest.load(folder)


def test_an_array_that_hides_a_pickle_is_not_loaded(tmp_path):
  data_set = layouts.small('mpi3d_toy', (1, 1, 1, 1, 1, 1, 2))
  path = tmp_path / 'mpi3d_toy.npz'
  np.savez(path, images=np.array([{}, {}], object))
  assert 'plain array' in refusal(data_set, path, tmp_path)
