"""What is to be measured on a GPU, in a tiny form on a CPU."""

import json

import pytest

from structae import suite
from structae.commands import benchmark

TINY = (
  'sae4:smoke',
  '--config.model.num_blocks=4',
  '--config.model.num_latents=4',
  '--config.model.head=8',
  '--config.model.str_tfm=8',
  '--config.train.batch_size=4',
)
# The others are the same functions with other settings, or large.
ROWS = 'update-tf32', 'hybrids', 'input-resident'


def test_rows_become_a_table_and_a_file(tmp_path, capsys):
  path = tmp_path / 'suite.json'
  flags = ['--suite', f'--rows={",".join(ROWS)}', '--repeats=1']
  assert benchmark.main([*TINY, *flags, f'--output={path}']) == 0
  table = json.loads(path.read_text())
  assert table['batch_size'] == 4 and 'cpu' in table['device']
  for name, row in table['rows'].items():
    rate = 4000 / row['milliseconds']
    assert row['images_per_second'] == pytest.approx(rate), name
  assert [*table['rows']] == [*ROWS]
  printed = capsys.readouterr().out
  assert all(f'| {name} |' in printed for name in ROWS)


def test_a_row_that_fails_is_named_and_costs_only_itself(monkeypatch):
  import jax

  def fail(config):
    raise jax.errors.JaxRuntimeError('RESOURCE_EXHAUSTED: no room\nmore')

  monkeypatch.setitem(suite.ROWS, 'encode', fail)
  table = suite.measure(_config(), 1, ['encode', 'input-composed'])
  assert table['rows']['encode'] == {'failed': 'RESOURCE_EXHAUSTED: no room'}
  assert table['rows']['input-composed']['images_per_second'] > 0
  assert 'no room' in suite.as_text(table)


def _config():
  from structae import config as config_lib

  config = config_lib.get_config('sae4', 'smoke')
  config.train.batch_size = 4
  return config


@pytest.mark.parametrize(
  'flags, line',
  [
    (['--suite', '--rows=speed'], "--rows names 'speed'; there are: update-"),
    (['--suite', '--against=seed=1'], 'leave out --against'),
    (['sae4:smoke', '--rows=hybrids'], '--rows are those of --suite'),
  ],
)
def test_what_cannot_be_measured_is_one_line(flags, line, capsys):
  assert benchmark.main(flags) == 2
  (error,) = capsys.readouterr().err.splitlines()
  assert line in error
