"""Real runs of a real model on every data set, from files in its true layout.

The catalog entries are cut down to few values, the images are of true size.
"""

import contextlib
import json

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

from experiments import main
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
  '--config.evaluation.num_samples=4 --config.data.verify=False'
).split()
REAL = [d.name for d in catalog.CATALOG.values() if not d.made_here]


@pytest.fixture(scope='module', autouse=True)
def compiled_once(tmp_path_factory):
  """One compilation cache for all runs."""
  names = {
    'jax_compilation_cache_dir': str(tmp_path_factory.mktemp('jax')),
    'jax_persistent_cache_min_compile_time_secs': 0,
  }
  with contextlib.ExitStack() as stack:
    for name, value in names.items():
      before = getattr(jax.config, name)
      stack.callback(jax.config.update, name, before)
      jax.config.update(name, value)
    compilation_cache.reset_cache()
    stack.callback(compilation_cache.reset_cache)
    yield


def command(data_set, place, folder, *args):
  size = data_set.image_shape[0] if data_set.image_shape else 64
  return [
    'main',
    f'--config=experiments/sae12.py:{data_set.name},smoke',
    f'--config.data.path={place}',
    f'--config.data.size={size}',
    f'--workdir={folder}',
    *TINY,
    *args,
  ]


@pytest.mark.parametrize('name', REAL)
def test_every_set_trains_an_sae(name, tmp_path, monkeypatch):
  data_set, place = layouts.write(name, tmp_path)
  monkeypatch.setitem(catalog.CATALOG, name, data_set)
  monkeypatch.setattr(prepare, 'cache_root', lambda: tmp_path / 'cache')
  folder = tmp_path / 'run'
  main.main(command(data_set, place, folder))
  rows = [*map(json.loads, (folder / 'metrics.jsonl').open())]
  assert [row['step'] for row in rows] == [2, 4]
  assert rows[1]['validation_loss'] < rows[0]['validation_loss']
  config = json.loads((folder / 'config.json').read_text())
  codes = codes_lib.load(folder / 'codes' / 'test.npz')
  assert codes.factor_names == data_set.factor_names
  assert codes.meta['digests'] == config['digests']
  assert all(len(v) == 64 for v in config['digests'].values())
  assert (folder / 'COMPLETE').exists()
