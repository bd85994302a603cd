"""Whole runs, as a user starts them."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from structae.commands import evaluate
from structae.run import Run, read_run
from tests.runs import newest_state

# An SAE-4 of four blocks, whose steps take milliseconds.
TINY = [
  '--config=experiments/sae12.py:smoke',
  '--config.model.num_variables=4',
  '--config.model.num_latents=4',
  '--config.model.num_blocks=4',
  '--config.model.head=(16,)',
  '--config.model.str_tfm=(8,)',
  '--config.train.num_steps=400',
  '--config.train.log_every=50',
  '--config.train.validate_every=100',
  '--config.train.save_minutes=0.0',
  '--config.evaluation.num_train=256',
]


@pytest.fixture(scope='module')
def environment(tmp_path_factory):
  """One compilation cache for all processes."""
  return os.environ | {
    'JAX_COMPILATION_CACHE_DIR': str(tmp_path_factory.mktemp('jax')),
    'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0',
  }


def start(folder, environment, *args, **how):
  command = [sys.executable, '-m', 'experiments.main', *TINY, *args]
  return subprocess.Popen(
    [*command, f'--workdir={folder}'],
    text=True,
    env=environment,
    **{'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, **how},
  )


def finish(process):
  out, err = process.communicate(timeout=300)
  return process.returncode, out, err


@pytest.fixture(scope='module')
def finished(tmp_path_factory, environment):
  """The folder of a run that nobody disturbed, and what it printed."""
  folder = tmp_path_factory.mktemp('runs') / 'whole'
  code, out, err = finish(start(folder, environment))
  assert code == 0, err
  return folder, out


def assert_same_run(a, b):
  left, right = (
    dict(jax.tree.leaves_with_path(newest_state(folder))) for folder in (a, b)
  )
  assert left.keys() == right.keys()
  for path in left:
    name = jax.tree_util.keystr(path)
    np.testing.assert_array_equal(left[path], right[path], err_msg=name)
  rows = [(folder / 'metrics.jsonl').read_bytes() for folder in (a, b)]
  assert rows[0] == rows[1]


def assert_same_results(a, b):
  assert_same_run(a, b)
  names = ['decoder.npz', 'pool.npz', 'samples.npz', 'scores.json']
  names += [str(p.relative_to(b)) for p in b.glob('codes/*')]
  names += [str(p.relative_to(b)) for p in b.glob('figures/*')]
  for name in names:
    assert (a / name).read_bytes() == (b / name).read_bytes(), name


def wait_for_a_checkpoint(process, folder):
  """Of this process: one that was not there before."""
  found = lambda: {*(folder / 'checkpoints').glob('*/seal.json')}
  before, deadline = found(), time.monotonic() + 200
  while not found() - before:
    assert process.poll() is None, process.communicate()[1]
    assert time.monotonic() < deadline
    time.sleep(0.01)


def test_a_run_leaves_everything_behind(finished):
  folder, out = finished
  run = read_run(folder)  # every file of it can be read
  assert {path.name for path in folder.iterdir()} == {
    '.lock', 'COMPLETE', 'checkpoints', 'codes', 'config.json', 'decoder.npz',
    'figures', 'metrics.jsonl', 'parameters.txt', 'pool.npz', 'report.html',
    'samples.npz', 'scores.json', 'tensorboard', 'timing.jsonl',
  }  # fmt: skip
  assert set(run.sheets) >= {
    'reconstructions', 'hybrid', 'traversals', 'partial_hybrid', 'loss',
    'mutual_information', 'variable_effect',
  }  # fmt: skip
  for text in ('device: ', 'data: shapes3d_synth', 'with compilation'):
    assert text in out
  (line,) = [x for x in out.splitlines() if x.startswith('model: ')]
  total = line.split()[1]
  assert f'Total: {total}' in (folder / 'parameters.txt').read_text()
  assert [row['step'] for row in run.rows] == list(range(50, 401, 50))
  assert run.rows[-1]['loss'] < run.rows[0]['loss']
  assert set(run.rows[1]) == {
    'step', 'loss', 'reconstruction', 'validation_loss', 'validation_mse'
  }  # fmt: skip
  assert 0 < run.minutes < 5


def test_what_a_run_stores_is_what_its_model_makes(finished):
  run = Run(finished[0])
  model = run.model()
  test = run.codes('test').codes
  assert {tuple(code) for code in model.pool[..., 0]} <= {
    tuple(code) for code in run.codes('train').codes[..., 0]
  }
  images = run.samples['images']
  np.testing.assert_array_equal(
    model.reconstruct(images), run.samples['reconstructions']
  )
  near = np.abs(test[:, None] - model.encode(images)[None]).max((2, 3)).min(0)
  assert near.max() < 1e-4  # each is one of the test images
  assert run.samples['hybrid'].shape == (32, 32, 32, 3)


def test_codes_carry_their_factors(finished):
  codes = Run(finished[0]).codes('test')
  assert codes.codes.shape == (256, 4, 1)
  assert codes.factor_names[:2] == ('floor_hue', 'wall_hue')
  assert codes.meta['step'] == 400
  train = Run(finished[0]).codes('train')
  assert not set(train.indices) & set(codes.indices)


def test_scores_have_definitions(finished):
  content = json.loads((finished[0] / 'scores.json').read_text())
  scores = content['scores']
  assert scores['test_bce']['value'] > scores['test_bce']['floor'] > 0
  assert scores['mig']['n'] == 256
  assert all(score['definition'] for score in scores.values())
  assert 0 < scores['scene_distance_hybrid']['value'] < 1


def test_evaluate_finds_the_scores_of_the_run(finished, tmp_path):
  folder = tmp_path / 'copy'
  shutil.copytree(finished[0], folder)
  before = json.loads((folder / 'scores.json').read_text())
  names = 'mig,gaussian_dependence'
  assert evaluate.main([f'--workdir={folder}', f'--metrics={names}']) == 0
  after = json.loads((folder / 'scores.json').read_text())
  assert after['scores'] == before['scores']
  assert after['matrices'] == before['matrices']
  assert evaluate.main([f'--workdir={folder}', '--metrics=modularity']) == 0
  after = json.loads((folder / 'scores.json').read_text())
  assert set(after['scores']) == {*before['scores'], 'modularity'}


def test_a_finished_run_prints_its_scores_again(finished, environment):
  folder, _ = finished
  before = _times(folder)
  code, out, _ = finish(start(folder, environment))
  assert code == 0 and 'test_bce' in out
  assert _times(folder) == before


def _times(folder):
  files = [p for p in folder.rglob('*') if p.is_file() and p.name != '.lock']
  return {path: path.stat().st_mtime_ns for path in files}


def test_another_configuration_is_refused(finished, environment):
  folder, _ = finished
  before = _times(folder)
  args = ['--config.seed=1', '--config.train.learning_rate=0.5']
  code, _, err = finish(start(folder, environment, *args))
  assert code == 2
  (line,) = err.splitlines()
  assert 'seed was 0, now 1' in line
  assert 'train.learning_rate was 0.0022, now 0.5' in line
  assert _times(folder) == before


def test_stopped_and_killed_it_ends_with_the_same_bits(
  finished, environment, tmp_path
):
  folder = tmp_path / 'ended'
  for number in (signal.SIGTERM, signal.SIGINT):
    # A signal is all that makes it save.
    process = start(folder, environment, '--config.train.save_minutes=1000.0')
    deadline = time.monotonic() + 200
    while 'with compilation' not in process.stdout.readline():
      assert time.monotonic() < deadline
    process.send_signal(number)
    code, out, err = finish(process)
    assert code == 0, err
    assert 'saved' in out and 'Traceback' not in err
  process = start(folder, environment)
  wait_for_a_checkpoint(process, folder)
  process.send_signal(signal.SIGKILL)
  process.communicate()
  assert not (folder / 'COMPLETE').exists()
  code, out, err = finish(start(folder, environment))
  assert code == 0, err
  assert 'resuming at step' in out
  assert_same_run(folder, finished[0])


def cut_off(path, num_bytes):
  path.write_bytes(path.read_bytes()[:-num_bytes])


def after_a_kill_in_training(folder, dead):
  """A checkpoint half written; rows past the last one, the last one cut."""
  newest = folder / 'checkpoints' / '00000400'
  (newest / 'seal.json').unlink()
  newest.rename(newest.with_suffix('.orbax-checkpoint-tmp-7'))
  (folder / 'checkpoints' / '00000350.deleted').mkdir()
  cut_off(folder / 'metrics.jsonl', 9)
  cut_off(folder / 'timing.jsonl', 9)
  (folder / f'.metrics.{dead}.jsonl').write_text('{"step": 5')
  for name in ('pool.npz', 'samples.npz', 'scores.json', 'report.html'):
    (folder / name).unlink()
  for name in ('codes', 'figures'):
    shutil.rmtree(folder / name)


def after_a_kill_in_results(folder, dead):
  """Codes and a figure half written, and the pool of an older step."""
  for name in ('codes/train.npz', 'figures/hybrid.png', 'scores.json'):
    path = folder / name
    half = path.with_name(f'.{path.stem}.{dead}{path.suffix}')
    path.rename(half)
    cut_off(half, half.stat().st_size // 2)
  np.savez(folder / 'pool.npz', pool=np.zeros((8, 4, 1)), step=350)


@pytest.mark.parametrize(
  'leave', [after_a_kill_in_training, after_a_kill_in_results]
)
def test_what_a_kill_leaves_does_no_harm(
  finished, environment, tmp_path, leave
):
  folder = shutil.copytree(finished[0], tmp_path / 'killed')
  (folder / 'COMPLETE').unlink()
  ended = subprocess.Popen(['true'])
  ended.wait()
  leave(folder, ended.pid)
  mine = folder / f'.notes.{ended.pid}.txt'  # named alike, but not ours
  mine.write_text('mine')
  code, _, err = finish(start(folder, environment))
  assert code == 0, err
  assert_same_results(folder, finished[0])
  hidden = {p.name for p in folder.rglob('.*')}
  assert hidden == {'.lock', mine.name}


def test_rows_that_are_lost_are_named(finished, environment, tmp_path):
  folder = shutil.copytree(finished[0], tmp_path / 'cut')
  (folder / 'COMPLETE').unlink()
  cut_off(folder / 'metrics.jsonl', 300)
  code, _, err = finish(start(folder, environment))
  (line,) = err.splitlines()
  assert code == 2 and 'metrics.jsonl is damaged: of the 8 rows' in line
  assert 'to train anew' in line


def test_a_run_ends_well_unread_and_without_its_config(
  finished, environment, tmp_path
):
  """Its reader leaves at once, and its config.json is removed meanwhile."""
  folder = tmp_path / 'unread'
  read, write = os.pipe()
  process = start(folder, environment, stdout=write)
  os.close(read)
  os.close(write)
  wait_for_a_checkpoint(process, folder)
  (folder / 'config.json').unlink()
  code, _, err = finish(process)
  assert (code, err) == (1, '')  # what was printed is lost
  assert (folder / 'COMPLETE').exists()
  assert_same_results(folder, finished[0])


@pytest.mark.parametrize('is_trained', [False, True])
def test_a_full_disk_is_one_line(finished, environment, tmp_path, is_trained):
  """Files that may not grow stand in for a disk that has no room."""
  folder = tmp_path / 'full'
  if is_trained:
    shutil.copytree(finished[0], folder)
    (folder / 'COMPLETE').unlink()
  size = (9999, 9999)
  full = start(
    folder, environment,
    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, size),
  )  # fmt: skip
  code, _, err = finish(full)
  # Of jax there may be warnings, about its cache; a thread of the checkpoint
  # library that outlives its event loop may complain after the line.
  (line,) = [x for x in err.splitlines() if x.startswith('error: ')]
  assert code == 1
  assert 'File too large' in line and '; once that is mended' in line
  assert not (folder / 'COMPLETE').exists()
  if is_trained:  # else nothing was saved to go on from
    code, _, err = finish(start(folder, environment))
    assert code == 0, err
    assert_same_results(folder, finished[0])


def test_a_loss_that_is_no_number_is_named(environment, tmp_path):
  args = ['--config.train.learning_rate=1e30']
  code, _, err = finish(start(tmp_path / 'run', environment, *args))
  assert code == 1
  assert 'not finite at step' in err and 'Traceback' not in err
  assert not (tmp_path / 'run' / 'COMPLETE').exists()


def test_devices_must_divide_the_batch(environment, tmp_path):
  eight = {'XLA_FLAGS': '--xla_force_host_platform_device_count=8'}
  args = ['--config.train.batch_size=12']
  process = start(tmp_path / 'run', environment | eight, *args)
  code, _, err = finish(process)
  assert code == 2
  assert err == (
    'error: train.batch_size is 12, not a multiple of the 8 devices\n'
  )
  assert not (tmp_path / 'run').exists()
