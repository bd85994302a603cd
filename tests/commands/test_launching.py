"""Jobs are run to their end, here by tiny processes."""

import itertools
import json
import os
import signal
import threading
import time

import pytest

from structae.commands import jobs as jobs_lib
from structae.commands import launching
from structae.commands.gpus import Gpus
from structae.commands.jobs import Job, Local, Repeated, Slurm
from structae.training import stop

# Waits until it is asked to stop, then saves.
WAITING = """
import signal, sys, time
from pathlib import Path

def save(*_):
  Path(sys.argv[1] + '.saved').touch()
  sys.exit(0)

signal.signal(signal.SIGTERM, save)
Path(sys.argv[1] + '.ready').touch()
if not Path(sys.argv[1] + '.quick').exists():
  time.sleep(60)
Path(sys.argv[1]).touch()
"""


def make(folder, name, code, kind='train'):
  """A job that is finished when there is a file of its name."""
  path = folder / name
  return Job(name, ('-c', code, str(path)), folder, path.exists, kind)


def run(jobs, folder, launcher=None, **more):
  lines = []
  progress = launching.Progress(0, len(jobs), lines.append)
  launcher = launcher or Local(2)
  failed = launching.run(jobs, launcher, folder / 'logs', progress, **more)
  return failed, lines


def when(is_so, act):
  """Acts as soon as something is so, for a minute at most."""

  def wait():
    deadline = time.monotonic() + 60
    while not is_so() and time.monotonic() < deadline:
      time.sleep(0.01)
    act()

  thread = threading.Thread(target=wait)
  thread.start()
  return thread


def signalled(jobs, folder, number, launcher):
  """Runs jobs, the first two of which are under way when a signal comes."""
  ready = lambda: len([*folder.glob('*.ready')]) == 2
  thread = when(ready, lambda: os.kill(os.getpid(), number))
  with pytest.raises(stop.Interrupted):
    run(jobs, folder, launcher)
  thread.join()


def test_a_failure_names_its_error_and_log_and_stops_no_other(tmp_path):
  touch = 'import sys; print("fine"); open(sys.argv[1], "w")'
  wrong = 'import sys; print("error: no disk"); print("bye"); sys.exit(1)'
  jobs = [
    make(tmp_path, 'bad', wrong),
    make(tmp_path, 'idle', ''),
    make(tmp_path, 'good', touch),
    make(tmp_path, 'last', 'import sys; sys.exit(3)'),
  ]
  (tmp_path / 'logs').mkdir()
  (tmp_path / 'logs' / 'last.log').write_text('error: of an earlier start\n')
  failed, lines = run(jobs, tmp_path)
  reasons = {failure.job.name: failure.reason for failure in failed}
  assert reasons == {
    'bad': 'no disk',
    'idle': 'ended without being finished',
    'last': 'exit code 3',
  }
  log = tmp_path / 'logs' / 'bad.log'
  assert f'[0/4] FAILED   bad: no disk (log: {log})' in lines
  assert (tmp_path / 'logs' / 'good.log').read_text() == 'fine\n'


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_jobs_save_and_starts_no_other(tmp_path, number):
  jobs = [make(tmp_path, name, WAITING) for name in 'abc']
  signalled(jobs, tmp_path, number, Local(2))
  names = sorted(path.name for path in tmp_path.glob('?.*'))
  assert names == ['a.ready', 'a.saved', 'b.ready', 'b.saved']
  for name in 'abc':
    (tmp_path / f'{name}.quick').touch()
  failed, _ = run(jobs, tmp_path)  # the same jobs go on
  assert not failed and all(job.is_finished() for job in jobs)


def test_the_time_left_is_the_work_left_shared(tmp_path):
  lines = []
  progress = launching.Progress(2, 9, lines.append)
  jobs = {kind: make(tmp_path, kind, '', kind) for kind in ('train', 'score')}
  progress.finished(jobs['train'], 100.0, [('score', 0.0)], 2)
  # 60 + 100 seconds are left of trainings, which have taken 100 on average.
  left = [('train', 40.0), ('train', 0.0), ('train', 130.0), ('other', 0.0)]
  progress.finished(jobs['train'], 100.0, left, 2)
  assert lines == [
    '[3/9] finished train in 0:01:40',
    '[4/9] finished train in 0:01:40; about 0:01:20 to go',
  ]


def test_shares_part_the_cores_evenly():
  for num_cores, num in itertools.product(range(1, 9), repeat=2):
    cores = list(range(10, 10 + num_cores))
    parts = jobs_lib.shares(cores, num)
    assert len(parts) == num and set().union(*parts) <= set(cores)
    uses = [sum(core in part for part in parts) for core in cores]
    assert max(uses) - min(uses) <= 1
    if num <= num_cores:
      assert uses == [1] * num_cores
      sizes = [len(part) for part in parts]
      assert max(sizes) - min(sizes) <= 1


@pytest.mark.skipif(
  not hasattr(os, 'sched_getaffinity') or len(os.sched_getaffinity(0)) < 2,
  reason='needs two cores whose use can be told',
)
@pytest.mark.parametrize('at_once', [1, 2])
def test_jobs_at_once_have_cores_of_their_own(tmp_path, at_once):
  code = (
    'import json, os, sys, time; time.sleep(0.5); '
    'json.dump([*os.sched_getaffinity(0)], open(sys.argv[1], "w"))'
  )
  jobs = [make(tmp_path, name, code) for name in 'ab']
  assert not run(jobs, tmp_path, Local(at_once))[0]
  a, b = (set(json.loads((tmp_path / name).read_text())) for name in 'ab')
  whole = os.sched_getaffinity(0)
  if at_once == 1:
    assert a == b == whole
  else:
    assert not a & b and a | b == whole


def test_jobs_at_once_see_gpus_of_their_own(tmp_path):
  code = (
    'import os, sys, time; time.sleep(0.3); '
    'open(sys.argv[1], "w").write(os.environ["SEEN"])'
  )
  jobs = [make(tmp_path, name, code) for name in 'abcd']
  assert not run(jobs, tmp_path, Local(2, Gpus('SEEN', ('3', '5'))))[0]
  seen = [(tmp_path / name).read_text() for name in 'abcd']
  assert sorted(seen[:2]) == ['3', '5'] and set(seen[2:]) <= {'3', '5'}


def test_an_array_of_slurm_jobs_is_stopped_by_a_signal(tmp_path):
  pytest.importorskip('submitit')
  jobs = [make(tmp_path, name, WAITING) for name in 'ab']
  launcher = Slurm(None, tmp_path / 'submitit', {}, cluster='local')
  signalled(jobs, tmp_path, signal.SIGTERM, launcher)
  saved = lambda: len([*tmp_path.glob('*.saved')]) == 2
  when(saved, lambda: None).join()
  assert saved()


def test_a_job_put_back_into_the_queue_saves_and_repeats(tmp_path):
  pytest.importorskip('submitit')
  job = make(tmp_path, 'a', WAITING)
  repeated = Repeated(job.command, tmp_path / 'log')
  waiting = threading.Thread(target=repeated)
  waiting.start()
  when((tmp_path / 'a.ready').exists, lambda: None).join()
  again = repeated.checkpoint()
  waiting.join()
  assert (tmp_path / 'a.saved').exists() and not job.is_finished()
  (tmp_path / 'a.quick').touch()
  assert again.result() == 0 and job.is_finished()
