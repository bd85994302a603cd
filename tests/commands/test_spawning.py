"""Starting several processes: what each is given, and whose code counts."""

import io
import subprocess
import sys
from unittest import mock

import pytest

from structae.commands import spawning, train
from structae.config import ConfigError


@pytest.mark.parametrize(
  'given', [['a', '--processes=2', 'b'], ['--processes', '2', 'a', 'b']]
)
def test_those_that_are_started_start_no_others(given):
  assert spawning._without(given) == ['a', 'b']


def test_gpus_are_shared_out():
  visible = {'CUDA_VISIBLE_DEVICES': '1,3,5,7'}
  assert [x['CUDA_VISIBLE_DEVICES'] for x in spawning._gpus(2, visible)] == [
    '1,3', '5,7',
  ]  # fmt: skip
  cpu = visible | {'JAX_PLATFORMS': 'cpu'}
  assert spawning._gpus(3, cpu) == [{}] * 3
  with pytest.raises(ConfigError, match='=3 does not divide the 4 GPUs'):
    spawning._gpus(3, visible)


def ends_with(code):
  program = f'import os; os.kill(os.getpid(), {-code})'
  if code >= 0:
    program = f'raise SystemExit({code})'
  return subprocess.Popen([sys.executable, '-S', '-c', program])


@pytest.mark.parametrize(
  'codes, failed',
  [((0, 0), [None]), ((0, 3), [1]), ((1, -9), [1]), ((2, 2), [0, 1])],
)
def test_whose_code_counts(codes, failed):
  running = [ends_with(code) for code in codes]
  assert spawning._wait(running, mock.Mock(requested=False)) in failed
  for process in running:
    process.wait()


def test_a_killed_process_is_one_line(capsys):
  running = [ends_with(0), ends_with(-9)]
  for process in running:
    process.wait()
  assert spawning._explain(1, running, io.BytesIO(b'dump')) == 1
  (line,) = capsys.readouterr().err.splitlines()
  assert line.startswith('error: process 1 of 2 was ended by SIGKILL')


def test_a_mistake_is_answered_once_before_any_is_started(capsys):
  with mock.patch.object(spawning, 'run', side_effect=AssertionError):
    assert train.main(['sae12:smoke,nonsense', '--processes=2']) == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert 'nonsense' in line
