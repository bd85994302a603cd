"""Several processes on this machine: they train, survive, resume and report.

`python -m experiments.faults` makes all the faults of docs/distributed.md.
"""

import os
import signal

import jax
import numpy as np
import pytest

from experiments import faults
from experiments.group import Group
from structae.run import read_run
from tests.runs import newest_state


@pytest.fixture(scope='module', autouse=True)
def one_compilation_cache(tmp_path_factory):
  """Of all processes."""
  with pytest.MonkeyPatch.context() as patch:
    place = str(tmp_path_factory.mktemp('jax'))
    patch.setenv('JAX_COMPILATION_CACHE_DIR', place)
    patch.setenv('JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS', '0')
    yield


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
  """A run of two processes and four devices that nobody disturbed."""
  folder = tmp_path_factory.mktemp('runs') / 'whole'
  with Group(folder, 2, 2) as group:
    assert group.wait() == [0, 0], group.logs()
    assert 'device: 4 x cpu' in group.out(0)
    assert '4 images per device' in group.out(0)
    assert group.out(1) == '' and group.errors() == []
  return folder


def test_the_first_writes_all_of_a_run_once(whole):
  run = read_run(whole)
  assert [row['step'] for row in run.rows] == list(range(10, 101, 10))
  assert (whole / 'COMPLETE').exists() and run.scores['mig']['n'] == 128
  assert len([*whole.glob('tensorboard/*')]) == 1
  assert {x.name for x in whole.glob('.*')} == {'.lock'}


def train(folder, num, num_devices):
  """Trains to the last step and no further; what the first has printed."""
  with Group(folder, num, num_devices) as group:
    group.wait_for(10)
    return group.out(0)


def assert_same_training(a, b):
  left, right = newest_state(a), newest_state(b)
  jax.tree.map(np.testing.assert_array_equal, left, right)
  rows = [(folder / 'metrics.jsonl').read_bytes() for folder in (a, b)]
  assert rows[0] == rows[1]


def test_one_process_of_as_many_devices_has_the_same_losses(whole, tmp_path):
  train(tmp_path / 'one', 1, 4)
  assert faults.largest_gap(tmp_path / 'one', whole) <= 1e-5


def test_stopped_and_killed_it_ends_with_the_same_bits(whole, tmp_path):
  folder = tmp_path / 'run'
  with Group(folder, 2, 2) as group:
    group.wait_for(1)
    group.signal(1, signal.SIGTERM)  # one is enough
    assert group.wait() == [0, 0], group.logs()
    assert 'saved' in group.out(0) and group.errors() == []
  with faults.Spawned(folder) as spawned:
    spawned.wait_for_one_more()
    children = spawned.children()
    os.kill(children[1], signal.SIGKILL)
    said = spawned.end()
    assert 'code 1' in said and said.count('error: ') == 1
    assert 'process 1 of 2 was ended by SIGKILL' in said
    assert not faults.alive(children)
  assert 'resuming at step' in train(folder, 2, 2)
  assert_same_training(folder, whole)


@pytest.mark.parametrize(
  'flag, line',
  [
    ('--config.seed=1', 'process 1 of 2 has seed 1, not 0 as process 0'),
    ('--config.seed=x', "process 1: seed is 'x'"),
  ],
)
def test_other_arguments_end_all(tmp_path, flag, line):
  with Group(tmp_path / 'run', 2, own={1: [flag]}) as group:
    assert group.wait() == [2, 2], group.logs()
    (error,) = group.errors()
    assert line in error
  assert not (tmp_path / 'run').exists()


def test_a_finished_run_prints_its_table_once(whole):
  with Group(whole, 2, 2) as group:
    assert group.wait() == [0, 0], group.logs()
    assert 'finished before' in group.out(0) and group.out(1) == ''
