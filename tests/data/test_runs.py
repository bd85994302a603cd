"""Real runs of a real model on every data set, from files in its true layout.

The catalog entries are cut down to few values, the images are of true size.
"""

import contextlib
import json
import os
import subprocess
import sys

import jax
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

from structae.commands import train
from structae.data import catalog, prepare
from structae.evaluation import codes as codes_lib
from tests.data import layouts

TINY = (
  '--config.model.num_variables=2 --config.model.num_latents=2 '
  '--config.model.num_blocks=6 --config.model.width=4 '
  '--config.model.head=(8,) --config.model.str_tfm=(4,) '
  '--config.model.unroll=False --config.train.batch_size=4 '
  '--config.train.num_steps=4 --config.train.log_every=2 '
  '--config.train.validate_every=2 --config.evaluation.batch_size=4 '
  '--config.evaluation.num_samples=4 --config.data.verify=False '
  # What decodes much is slow where nothing is optimized.
  '--config.evaluation.metrics=("mig","gaussian_dependence")'
).split()
# One set for every kind of file and image; EVERY_SET=1 runs all of them.
KINDS = ('shapes3d', 'mpi3d_complex', 'celeba', 'rfd', 'smallnorb', 'folder')
REAL = [
  d.name
  for d in catalog.CATALOG.values()
  if not d.made_here and (d.name in KINDS or os.environ.get('EVERY_SET'))
]
# What a user may ask of some.
ASKED = {
  'shapes3d': ['--config.data.hold_out=shape'],
  'mpi3d_complex': ['--config.data.split=authors'],
  'celeba': ['--config.data.split=official', '--config.data.crop=160'],
  'smallnorb': ['--config.data.split=official'],
  'folder': ['--config.data.crop=squash'],
}


@pytest.fixture(scope='module', autouse=True)
def compiled_once(tmp_path_factory):
  """One compilation cache for all runs."""
  settings = {
    'jax_compilation_cache_dir': str(tmp_path_factory.mktemp('jax')),
    'jax_persistent_cache_min_compile_time_secs': 0,
    'jax_disable_most_optimizations': True,  # compiling is nearly all there is
  }
  with contextlib.ExitStack() as stack:
    for name, value in settings.items():
      stack.callback(jax.config.update, name, jax.config.values[name])
      jax.config.update(name, value)
    compilation_cache.reset_cache()
    stack.callback(compilation_cache.reset_cache)
    yield


def command(data_set, place, folder, *args):
  size = data_set.image_shape[0] if data_set.image_shape else 64
  return [
    f'sae12:{data_set.name},smoke',
    f'--config.data.path={place}',
    f'--config.data.size={size}',
    f'--workdir={folder}',
    *TINY,
    *args,
  ]


@pytest.fixture
def made(tmp_path, monkeypatch):
  """Makes the files of a set by name; its small entry and their place."""

  def make(name):
    data_set, place = layouts.write(name, tmp_path)
    monkeypatch.setitem(catalog.CATALOG, name, data_set)
    monkeypatch.setattr(prepare, 'cache_root', lambda: tmp_path / 'cache')
    return data_set, place

  return make


@pytest.mark.parametrize('name', REAL)
def test_every_set_trains_an_sae(name, made, tmp_path):
  # Mapped, so that sets of the same image shape share their programs.
  data_set, place = made(name)
  folder = tmp_path / 'run'
  asked = ['--config.data.storage=memmap', *ASKED.get(name, ())]
  assert train.main(command(data_set, place, folder, *asked)) == 0
  rows = [*map(json.loads, (folder / 'metrics.jsonl').open())]
  assert [row['step'] for row in rows] == [2, 4]
  assert rows[1]['validation_loss'] < rows[0]['validation_loss']
  config = json.loads((folder / 'config.json').read_text())
  codes = codes_lib.load(folder / 'codes' / 'test.npz')
  assert codes.factor_names == data_set.factor_names
  assert codes.meta['digests'] == config['digests']
  assert all(len(v) == 64 for v in config['digests'].values())
  assert (folder / 'COMPLETE').exists()
  if name == 'shapes3d':
    assert set(codes.factors[:, 4]) == {0, 1, 3}


def test_on_two_devices():
  """Runs this file again where there are two devices."""
  if jax.device_count() == 2:
    pytest.skip('there are two devices')
  flags = '--xla_force_host_platform_device_count=2'
  environment = os.environ | {'XLA_FLAGS': flags, 'JAX_PLATFORMS': 'cpu'}
  result = subprocess.run(
    [sys.executable, '-m', 'pytest', __file__, '-k', 'same_run'],
    env=environment,
    capture_output=True,
    text=True,
    check=False,
  )
  assert result.returncode == 0, result.stdout
  assert '1 passed' in result.stdout


def test_every_storage_is_the_same_run(made, tmp_path):
  if jax.device_count() != 2:
    pytest.skip('needs two devices')
  data_set, place = made('shapes3d')
  rows, codes = [], []
  for storage in ('resident', 'sharded', 'memmap'):
    folder = tmp_path / storage
    asked = f'--config.data.storage={storage}'
    small = ['--config.data.size=32', '--config.model.num_blocks=4']
    assert train.main(command(data_set, place, folder, asked, *small)) == 0
    rows.append((folder / 'metrics.jsonl').read_text())
    codes.append(codes_lib.load(folder / 'codes' / 'test.npz').codes)
  assert rows[0] == rows[1] == rows[2]
  np.testing.assert_array_equal(codes[0], codes[1])
  np.testing.assert_array_equal(codes[0], codes[2])
