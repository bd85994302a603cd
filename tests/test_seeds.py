"""Several seeds in one program: each leaves what a run of its own would."""

import os
import subprocess
import sys

import numpy as np
import pytest

from structae.commands import config_flags, parser, train
from structae.run import Run
from tests.runs import newest_state

# Results are those of any run, and take long: here they are left out.
PROGRAM = """
import os, signal, sys
from structae import results
from structae.commands import train
from structae.training import writers

results.write = lambda run, model, source, stopping: model
write = writers.Metrics.write

def interrupt(metrics, step, values):
  write(metrics, step, values)
  if step == 10 and 'seed-0' in str(metrics._path):
    os.kill(os.getpid(), signal.SIGTERM)

*flags, folder = sys.argv[1:]
command = ['sae4:smoke', *flags, '--config.train.num_runs=2']
assert train.main([*command, f'--workdir={folder}/whole']) == 0
writers.Metrics.write = interrupt
assert train.main([*command, f'--workdir={folder}/cut']) == 0
assert not os.path.exists(f'{folder}/cut/seed-0/COMPLETE')
writers.Metrics.write = write
assert train.main([*command, f'--workdir={folder}/cut']) == 0
hot = '--config.train.learning_rate=1e30'
assert train.main([*command, hot, f'--workdir={folder}/hot']) == 1
alike = train._seeds

def second_hot(asked):
  cool, hot = alike(asked)
  hot.config.train.learning_rate = 1e30
  return cool, hot

train._seeds = second_hot
assert train.main([*command, f'--workdir={folder}/mixed']) == 1
"""
FLAGS = (
  '--config.model.num_latents=4',
  '--config.model.num_blocks=4',
  '--config.model.head=16',
  '--config.model.str_tfm=8',
  '--config.train.num_steps=20',
  '--config.train.log_every=5',
  '--config.train.validate_every=10',
  '--config.train.save_minutes=1000.0',
)


@pytest.fixture(scope='module')
def made(tmp_path_factory):
  """The folder of runs that were left alone, cut off, and that diverged."""
  folder = tmp_path_factory.mktemp('seeds')
  variables = {
    'JAX_NUM_CPU_DEVICES': '2',
    'JAX_COMPILATION_CACHE_DIR': str(folder / 'jax'),
    'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0',
  }
  done = subprocess.run(
    [sys.executable, '-c', PROGRAM, *FLAGS, str(folder)],
    capture_output=True, text=True, env=os.environ | variables, timeout=250,
  )  # fmt: skip
  assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
  return folder, done


def test_each_seed_has_a_run_of_its_own(made):
  runs = [Run(made[0] / 'whole' / f'seed-{seed}') for seed in (0, 1)]
  for seed, run in enumerate(runs):
    assert run.field('seed') == seed and run.field('train.num_runs') == 1
    assert [row['step'] for row in run.rows] == [5, 10, 15, 20]
    assert 'validation_loss' in run.rows[-1]
    assert (run.folder / 'COMPLETE').exists()
    assert newest_state(run.folder)['step'] == 20
  assert runs[0].rows[-1]['loss'] != runs[1].rows[-1]['loss']


def test_stopped_runs_go_on_to_the_same_bits(made):
  folder, done = made
  assert 'stopped at step 10 of 20, saved' in done.stdout
  assert 'resuming at step 10' in done.stdout
  for seed in ('seed-0', 'seed-1'):
    cut, whole = (folder / name / seed for name in ('cut', 'whole'))
    rows = [(x / 'metrics.jsonl').read_bytes() for x in (cut, whole)]
    assert rows[0] == rows[1]
    left, right = newest_state(cut), newest_state(whole)
    np.testing.assert_equal(left['params'], right['params'])


def test_what_diverges_is_named_by_its_folder(made):
  folder, done = made
  line, _ = [x for x in done.stderr.splitlines() if x.startswith('error: ')]
  for seed in ('seed-0', 'seed-1'):
    assert f'{folder / "hot" / seed}: loss' in line
    assert not (folder / 'hot' / seed / 'COMPLETE').exists()


def test_a_run_that_diverges_stops_alone(made):
  folder, done = made
  line = [x for x in done.stderr.splitlines() if x.startswith('error: ')][1]
  assert line.startswith(f'error: {folder / "mixed" / "seed-1"}: loss')
  assert 'seed-0' not in line
  assert 'it stops here, the others go on' in done.stdout
  mixed, whole = folder / 'mixed', folder / 'whole'
  assert not (mixed / 'seed-1' / 'COMPLETE').exists()
  assert (mixed / 'seed-0' / 'COMPLETE').exists()
  states = [newest_state(x / 'seed-0') for x in (mixed, whole)]
  np.testing.assert_equal(*(state['params'] for state in states))
  rows = [x / 'seed-0' / 'metrics.jsonl' for x in (mixed, whole)]
  assert rows[0].read_bytes() == rows[1].read_bytes()


def test_seeds_can_be_named(tmp_path):
  flags = ['--config.train.num_runs=2', '--config.train.seeds=7,3']
  flags = ['sae4:smoke', *flags]
  reader = parser.Parser('train', '')
  config_flags.add(reader)
  asked, _ = config_flags.read(reader, flags)
  alone = train._seeds(asked._replace(workdir=tmp_path))
  assert [one.config.seed for one in alone] == [7, 3]
  assert [one.workdir.name for one in alone] == ['seed-7', 'seed-3']
  assert [one.config.train.seeds for one in alone] == [(), ()]


@pytest.mark.parametrize(
  'flags, line',
  [
    (['--processes=2'], 'train.num_runs is 3, which takes a single process'),
    ([], 'train.num_runs is 3, which does not divide the 1 devices'),
    (
      ['--config.train.seeds=1,2'],
      'train.seeds is [1, 2]; expected as many as train.num_runs, 3',
    ),
    (
      ['--config.train.seeds=7', '--config.train.num_runs=1'],
      'train.seeds is [7]; expected as many as train.num_runs, 1, and two',
    ),
    (
      ['--config.train.seeds=1,2,1'],
      'train.seeds is [1, 2, 1]; expected a tuple of different',
    ),
  ],
)
def test_what_cannot_be_is_one_line(tmp_path, capsys, flags, line):
  command = ['sae4:smoke', '--config.train.num_runs=3', *flags]
  assert train.main([*command, f'--workdir={tmp_path / "x"}']) == 2
  (error,) = capsys.readouterr().err.splitlines()
  assert line in error
