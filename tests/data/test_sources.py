"""Every storage gives the same batch for the same seed and step."""

import os
import subprocess
import sys

import jax
import numpy as np
import pytest
from jax.sharding import AxisType, Mesh

from structae.data import pipeline, prepare, sources
from tests.data import layouts

STORAGES = ('resident', 'sharded', 'memmap')
BATCH = 16


def mesh_of(num_devices):
  devices = np.array(jax.devices()[:num_devices])
  return Mesh(devices, ('data',), axis_types=(AxisType.Auto,))


@pytest.fixture(scope='module')
def prepared(tmp_path_factory):
  place = tmp_path_factory.mktemp('shapes')
  data_set = layouts.small('shapes3d', (3, 2, 2, 2, 4, 3))
  images, _ = layouts.shapes3d(place / '3dshapes.h5', data_set)
  folder = prepare.prepare(
    data_set, place, prepare.Options(verify=False), place / 'cache'
  )
  return folder, images


def test_on_eight_devices():
  """Runs this file again where there are eight devices."""
  if jax.device_count() >= 8:
    pytest.skip('there are eight devices')
  flags = '--xla_force_host_platform_device_count=8'
  environment = os.environ | {'XLA_FLAGS': flags, 'JAX_PLATFORMS': 'cpu'}
  command = [sys.executable, '-m', 'pytest', '-q', __file__]
  command += ['-k', '8 or along or part_of or chosen']
  result = subprocess.run(
    command, env=environment, capture_output=True, text=True, check=False
  )
  assert result.returncode == 0, result.stdout


def batches_of(source, mesh, part, order='replacement'):
  draw = pipeline.DRAWS[order]
  key = jax.random.key(5)
  return pipeline.make_batches(source, part, key, BATCH, mesh, draw)


@pytest.mark.parametrize('num_devices', [1, 8])
@pytest.mark.parametrize('storage', STORAGES)
@pytest.mark.parametrize('order', pipeline.DRAWS)
def test_batches_are_the_drawn_images(prepared, storage, num_devices, order):
  if num_devices > jax.device_count():
    pytest.skip('needs 8 devices')
  folder, images = prepared
  mesh = mesh_of(num_devices)
  source = sources.prepared(folder, storage, mesh)
  assert source.storage == storage
  part = np.arange(1, len(images), 3, dtype=np.int32)
  batches = batches_of(source, mesh, part, order)
  draw = jax.jit(batches.images)
  for first, num_steps in ((0, 1), (1, 1), (2, 4), (6, 4), (3, 1)):
    data = batches.data(first, num_steps)
    for step in range(first, first + num_steps):
      indices = pipeline.DRAWS[order](
        jax.random.key(5), np.int32(step), part, BATCH
      )
      np.testing.assert_array_equal(
        draw(data, np.int32(step)), images[np.asarray(indices)]
      )
  batches.close()


@pytest.mark.parametrize('storage', STORAGES)
def test_load_serves_any_images(prepared, storage):
  folder, images = prepared
  source = sources.prepared(folder, storage, mesh_of(1))
  indices = np.array([5, 0, 287, 5])
  np.testing.assert_array_equal(
    jax.jit(source.images)(*source.load(indices)), images[indices]
  )
  np.testing.assert_array_equal(
    source.factors(indices), layouts.grid((3, 2, 2, 2, 4, 3))[indices]
  )


def test_a_batch_is_cut_along_the_devices(prepared):
  if jax.device_count() < 8:
    pytest.skip('needs 8 devices')
  mesh = mesh_of(8)
  for storage in STORAGES:
    source = sources.prepared(prepared[0], storage, mesh)
    batches = batches_of(source, mesh, np.arange(288, dtype=np.int32))
    images = jax.jit(batches.images)(batches.data(0, 1), np.int32(0))
    shards = {s.data.shape for s in images.addressable_shards}
    assert shards == {(BATCH // 8, 64, 64, 3)}, storage
    batches.close()


def test_a_sharded_set_takes_a_part_of_each_device(prepared):
  if jax.device_count() < 8:
    pytest.skip('needs 8 devices')
  source = sources.prepared(prepared[0], 'sharded', mesh_of(8))
  sizes = {s.data.shape[0] for s in source.arrays.addressable_shards}
  assert sizes == {288 // 8}
  # The look-up moves a batch between devices, never the images themselves.
  text = (
    jax.jit(source.images)
    .lower(source.arrays, np.arange(BATCH))
    .compile()
    .as_text()
  )
  assert 'all-gather' not in text


def test_storage_is_chosen_by_size(monkeypatch):
  mesh = mesh_of(jax.device_count())
  monkeypatch.setattr(sources, '_memory', lambda device: 1000.0)
  num_devices = jax.device_count()
  assert sources.choose(500, mesh) == 'resident'
  assert sources.choose(501 + 500 * num_devices, mesh) == 'memmap'
  if num_devices > 1:
    assert sources.choose(501, mesh) == 'sharded'


def test_unknown_names_are_refused():
  with pytest.raises(ValueError, match='Did you mean'):
    sources.load('shape3d', 64)
  with pytest.raises(ValueError, match='Unknown storage'):
    sources.load('shapes3d', 64, storage='disk')


def test_extras_and_factors_follow_the_images(tmp_path):
  _, attributes, partition, identity = layouts.celeba(tmp_path)
  folder = prepare.prepare(
    layouts.small('celeba', num_examples=12),
    tmp_path,
    prepare.Options(verify=False),
    tmp_path / 'cache',
  )
  source = sources.prepared(folder)
  rows = np.array([3, 9])
  np.testing.assert_array_equal(source.factors(rows), attributes[rows])
  np.testing.assert_array_equal(source.extras['partition'], partition)
  np.testing.assert_array_equal(source.extras['identity'], identity)
  assert 'identity' not in source.factor_names
  assert len(source.digest) == 64
  same = sources.prepared(folder, 'memmap')
  assert same.digest == source.digest
