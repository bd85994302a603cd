"""Tools beside the commands: mistakes are one line, before anything is done."""

import os
import subprocess
import sys

import pytest

from experiments import own_model
from experiments.benchmarks import fid as benchmark_fid
from experiments.benchmarks import input as benchmark_input
from experiments.benchmarks import metrics as benchmark_metrics
from experiments.benchmarks import reference as compare_metrics
from structae.commands import benchmark

QUICK = 'sae12:smoke'


@pytest.mark.parametrize(
  'main, flags, message',
  [
    (own_model.main, ['--num_steps=0'], 'a whole number from 1'),
    (own_model.main, ['--num_step=9'], 'unrecognized arguments'),
    (benchmark_metrics.main, ['--num=0'], 'a whole number from 100'),
    (benchmark_fid.main, ['--batch_size=0'], 'a whole number from 1'),
    (benchmark_input.main, ['--seconds=0'], 'a whole number from 1'),
    (benchmark_input.main, ['--dir=/no/where'], '/no/where'),
    (compare_metrics.main, ['--reference=.'], 'unpack the source archive'),
    (benchmark.main, [QUICK, '--repeats=\u00b2'], 'a whole number from 1'),
    (benchmark.main, [QUICK, '--output=README.md'], 'expected a .json file'),
    (
      benchmark.main,
      [QUICK, '--against=model.depth=3'],
      'no field model.depth',
    ),
    (benchmark.main, ['--repeats=2'], 'give a config'),
  ],
)
def test_a_mistake_is_one_line(main, flags, message, capsys):
  try:
    code = main(flags)
  except SystemExit as ended:
    code = ended.code
  (line,) = capsys.readouterr().err.splitlines()
  assert code == 2 and line.startswith('error: ') and message in line


def test_an_incomplete_reference_is_one_line(tmp_path, capsys):
  (tmp_path / 'disentanglement_lib').mkdir()
  assert compare_metrics.main([f'--reference={tmp_path}']) == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert 'disentanglement_lib.evaluation' in line


@pytest.mark.parametrize(
  'flags',
  [
    ['structae', '--help'],
    ['structae', 'train', '--help'],
    ['experiments.paper.study', 'paper', '--dry_run'],
  ],
)
def test_a_reader_that_leaves_early_is_no_error(flags):
  read, write = os.pipe()
  os.close(read)
  module, *rest = flags
  words = [sys.executable, '-m', module, *rest]
  ended = subprocess.run(words, stdout=write, stderr=subprocess.PIPE)
  os.close(write)
  assert ended.returncode in (0, 1) and not ended.stderr
