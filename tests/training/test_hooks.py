"""A function of the user's sees every row; what it raises costs nothing."""

import json
import sys

import pytest

from structae import config as config_lib
from structae.config import ConfigError, saved
from structae.training import hooks, rows, writers

MODULE = """
seen = []

def log(row):
  seen.append(row)
  row['step'] = 'changed'
  if row['loss'] > 2:
    raise OSError('no network\\nhere')

number = 3
"""


@pytest.fixture
def hook(tmp_path, monkeypatch):
  """The module of a hook, importable from the current folder."""
  (tmp_path / 'a_hook.py').write_text(MODULE)
  monkeypatch.chdir(tmp_path)
  monkeypatch.setattr(sys, 'path', [*sys.path])
  hooks.load('a_hook:log')
  yield sys.modules['a_hook']
  del sys.modules['a_hook']


def test_it_sees_every_row_and_may_fail(hook, tmp_path, capsys):
  metrics = writers.Metrics(tmp_path, 0, 1, hooks.load('a_hook:log', seed=7))
  for step in (1, 2, 3, 4):
    metrics.write(step, {'loss': float(step)})
  metrics.close()
  assert [row['loss'] for row in hook.seen] == [1, 2, 3, 4]
  assert all(row['seed'] == 7 for row in hook.seen)
  written = rows.read(tmp_path / 'metrics.jsonl')
  assert written == [{'step': n, 'loss': n} for n in (1, 2, 3, 4)]
  (line,) = capsys.readouterr().out.splitlines()  # once
  assert line == (
    'train.hook a_hook:log failed at step 3: OSError: no network here; '
    'training goes on'
  )


def test_what_cannot_be_called_is_one_line(hook):
  assert hooks.load('') is None
  for name, reason in {
    'a_hook:lag': "no attribute 'lag'",
    'nowhere_to_be_found:log': "No module named 'nowhere_to_be_found'",
    'a_hook:number': 'is no function',
  }.items():
    with pytest.raises(ConfigError, match=reason) as refused:
      hooks.load(name)
    assert '\n' not in str(refused.value)
  config = config_lib.get_config('sae12')
  with pytest.raises(ConfigError, match='expected module:function'):
    config_lib.change(config, 'train.hook', 'import os')


def test_it_is_not_what_a_run_is_told_by_and_not_read_from_a_file(tmp_path):
  config = config_lib.get_config('sae12', 'quick')
  before = config_lib.config_hash(config)
  config.train.hook = 'os:abort'
  assert config_lib.config_hash(config) == before
  content = {'name': 'x', 'config': config.to_dict(), 'config_hash': before}
  path = tmp_path / 'config.json'
  path.write_text(json.dumps(content))
  assert saved.read(path)[0].train.hook == ''
  assert not config_lib.differences(content['config'], saved.read(path)[0])
