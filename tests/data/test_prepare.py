"""Every set: files in its true layout -> prepared -> the same pixels."""

import json

import numpy as np
import pytest

from structae.data import hdf5, manifest, pictures, prepare
from tests.data import layouts


def load(folder):
  made = manifest.load(folder)
  factors = None if made.grid else manifest.load_array(folder, 'factors')
  return made, np.array(manifest.map_images(folder, made)), factors


def run(data_set, place, tmp_path, **options):
  options = prepare.Options(**{'verify': False} | options)
  folder = prepare.prepare(data_set, place, options, tmp_path / 'cache')
  return folder, *load(folder)


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


def test_chunks_are_read_as_the_library_reads_them(tmp_path):
  import h5py

  images = layouts.random_images((50, 64, 64, 3))
  for options in (
    {'chunks': (16, 24, 8, 2), 'compression': 'gzip'},
    {'chunks': (50, 64, 64, 3), 'compression': 'gzip'},
    {'chunks': (7, 64, 64, 3), 'compression': 'gzip', 'shuffle': True},
    {'chunks': (7, 64, 64, 3)},
    {},
  ):
    with h5py.File(tmp_path / 'x.h5', 'w') as file:
      dataset = file.create_dataset('images', data=images, **options)
      read, block = hdf5.slices(dataset, 'x.h5')
      assert hdf5.is_plain_gzip(dataset) == (
        'compression' in options and 'shuffle' not in options
      )
      for start, stop in ((0, 50), (0, 16), (16, 50), (3, 5), (15, 33)):
        np.testing.assert_array_equal(read(start, stop), images[start:stop])
      assert block % (options['chunks'][0] if 'chunks' in options else 1) == 0


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


@pytest.mark.parametrize('form', ['txt', 'csv'])
def test_celeba(tmp_path, form):
  images, attributes, partition, identity = layouts.celeba(tmp_path, form=form)
  data_set = layouts.small('celeba', num_examples=12)
  folder, _, actual, factors = run(data_set, tmp_path, tmp_path)
  np.testing.assert_array_equal(actual, images[:, 45:173, 25:153])
  np.testing.assert_array_equal(factors, attributes)
  np.testing.assert_array_equal(
    manifest.load_array(folder, 'partition'), partition
  )
  np.testing.assert_array_equal(
    manifest.load_array(folder, 'identity'), identity
  )
  np.save(folder / 'identity.npy', identity + 1)
  with pytest.raises(ValueError, match='identity.npy: missing or damaged'):
    manifest.load_array(folder, 'identity')
  _, _, cropped, _ = run(data_set, tmp_path, tmp_path, crop=160, size=128)
  expected = pictures.resize(images[:, 29:189, 9:169], 128)
  np.testing.assert_array_equal(cropped, expected)


def test_rfd_pairs_pictures_and_labels_by_number(tmp_path):
  images, labels = layouts.rfd(tmp_path)
  data_set = layouts.small('rfd')
  _, made, actual, factors = run(data_set, tmp_path, tmp_path)
  np.testing.assert_array_equal(actual, images)
  np.testing.assert_array_equal(factors, labels)
  assert data_set.constant_factors == ('shape', 'size')
  assert made.factor_sizes == (1, 8, 1, 30, 30, 30, 30, 30, 10)


@pytest.mark.parametrize(
  'name, prefix, colours',
  [
    ('rfd', 'finger', 8),
    ('rfd_heldout', 'finger_heldout_colors', 4),
    ('rfd_real', 'finger_real', 8),
  ],
)
def test_rfd_inside_its_archive(tmp_path, name, prefix, colours):
  parts = {
    'rfd': layouts.rfd(tmp_path / 'in', 'finger', 10),
    'rfd_heldout': layouts.rfd(tmp_path / 'in', 'finger_heldout_colors', 11, 4),
    'rfd_real': layouts.rfd(tmp_path / 'in', 'finger_real', 12),
  }
  path = layouts.rfd_archive(tmp_path / 'in')
  _, made, actual, factors = run(layouts.small(name), path, tmp_path)
  np.testing.assert_array_equal(actual, parts[name][0])
  np.testing.assert_array_equal(factors, parts[name][1])
  assert made.factor_sizes[1] == colours


@pytest.mark.parametrize('suffix', ['hdf5', 'npz'])
def test_dsprites(tmp_path, suffix):
  data_set = layouts.small('dsprites', (3, 2, 4, 2, 3))
  name = f'dsprites_ndarray_co1sh3sc6or40x32y32_64x64.{suffix}'
  images, _ = layouts.dsprites(tmp_path / name, data_set)
  _, made, actual, _ = run(data_set, tmp_path, tmp_path)
  np.testing.assert_array_equal(actual, images)
  assert set(np.unique(actual)) == {0, 255}
  assert made.factor_names == ('shape', 'scale', 'orientation', 'x', 'y')


def test_cars3d(tmp_path):
  data_set = layouts.small('cars3d', (4, 24, 3))
  images, _ = layouts.cars3d(tmp_path / 'nips2015-analogy-data.tar.gz')
  _, made, actual, _ = run(data_set, tmp_path, tmp_path, size=128)
  np.testing.assert_array_equal(actual, images)
  _, _, half, _ = run(data_set, tmp_path, tmp_path)
  np.testing.assert_array_equal(half, pictures.resize(images, 64))


@pytest.mark.parametrize('compressed', [False, True])
def test_smallnorb(tmp_path, compressed):
  images, labels = layouts.smallnorb(tmp_path, compressed=compressed)
  data_set = layouts.small('smallnorb', num_examples=20)
  folder, _, actual, factors = run(data_set, tmp_path, tmp_path, size=96)
  np.testing.assert_array_equal(actual, images)
  np.testing.assert_array_equal(factors, labels)
  partition = manifest.load_array(folder, 'partition')
  np.testing.assert_array_equal(partition, [0] * 10 + [2] * 10)
  _, _, smaller, _ = run(data_set, tmp_path, tmp_path)
  assert smaller.shape == (20, 64, 64, 1)
  means = images.mean((1, 2, 3)), smaller.mean((1, 2, 3))
  np.testing.assert_allclose(*means, atol=1.5)


def test_prepared_once_and_told_apart(tmp_path):
  data_set = layouts.small('shapes3d', (2, 2, 2, 2, 2, 2))
  path = tmp_path / '3dshapes.h5'
  layouts.shapes3d(path, data_set)
  folder, _, first, _ = run(data_set, path, tmp_path)
  stamp = (folder / 'images.npy').stat().st_mtime_ns
  again, *_ = run(data_set, path, tmp_path)
  assert again == folder
  assert (folder / 'images.npy').stat().st_mtime_ns == stamp
  # Without a place, what was prepared is found.
  root = tmp_path / 'cache'
  options = prepare.Options(verify=False)
  found = prepare.prepare(data_set, None, options, root)
  assert found == folder
  with pytest.raises(ValueError, match='without its checksums.*no-verify'):
    prepare.prepare(data_set, root=root)
  # The prepared folder itself may be named.
  assert prepare.prepare(data_set, folder) == folder
  # Another file under the same name is another set.
  layouts.shapes3d(path, data_set, 255 - first)
  other, _, second, _ = run(data_set, path, tmp_path)
  assert other != folder
  np.testing.assert_array_equal(second, 255 - first)


def test_manifest_tells_the_source_and_the_pixels(tmp_path):
  import hashlib

  data_set = layouts.small('shapes3d', (2, 1, 1, 1, 1, 1))
  path = tmp_path / '3dshapes.h5'
  images, _ = layouts.shapes3d(path, data_set)
  _, made, *_ = run(data_set, path, tmp_path)
  assert made.images_sha256 == hashlib.sha256(images.tobytes()).hexdigest()
  file = layouts.catalog.CATALOG['shapes3d'].files[0]
  assert made.sources[0]['name'] == file.name
  assert json.dumps(made.options)
