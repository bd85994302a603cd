"""Studies as a command: what is started, skipped, failed and printed."""

import dataclasses
import math
import os
import subprocess
import sys

import pytest

from experiments.paper import planning, studies, study
from experiments.paper.studies import Part, Study
from structae.commands import launchers
from structae.commands.gpus import Gpus
from structae.run import Run
from tests.experiments.paper.trainings import Instant, finish

TINY = Study('Nothing.', (Part(('sae12', 'ae'), ('families',)),))
NOT_FINITE = 'loss is not finite at step 7; the last good state is kept'


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
  """A study of two models at three rates."""
  rates = dataclasses.replace(studies.RATES, values=(5e-4, 1.5e-3, 3e-3))
  monkeypatch.setattr(studies, 'RATES', rates)
  monkeypatch.setitem(studies.STUDIES, 'tiny', TINY)


def plan_of(root, seeds=3):
  runs = root / 'runs'
  return planning.Plan(TINY, 'quick', 'shapes3d_synth', seeds, runs)


def loss(job):
  """Least at 1.5e-3; the highest rate diverges."""
  rate = float(job.name.partition('learning_rate=')[2].partition('-')[0])
  return NOT_FINITE if rate == 3e-3 else abs(math.log(rate / 1.5e-3))


def train(root, seeds=3, loss=loss):
  launcher = Instant(loss)
  failures = study.train(plan_of(root, seeds), launcher, root / 'logs')
  return failures, launcher.started


def test_the_best_rate_is_trained_with_the_other_seeds(tmp_path):
  failures, started = train(tmp_path)
  assert failures == []
  tried = [f'{model}-learning_rate={rate}-seed=0'
           for model in ('sae12', 'ae')
           for rate in (0.0005, 0.0015, 0.003)]  # fmt: skip
  best = [f'{model}-learning_rate=0.0015-seed={seed}'
          for seed in (1, 2)
          for model in ('sae12', 'ae')]  # fmt: skip
  assert started == tried + best


def test_what_is_finished_or_diverged_is_not_started_again(tmp_path):
  train(tmp_path, seeds=2)
  assert train(tmp_path, seeds=2) == ([], [])
  failures, started = train(tmp_path, seeds=3)
  assert failures == [] and len(started) == 2


def test_a_model_that_diverges_at_every_rate_is_named(tmp_path):
  diverges = lambda job: NOT_FINITE if job.name.startswith('ae') else loss(job)
  (line,), started = train(tmp_path, loss=diverges)
  assert line.startswith('ae: diverged at every learning_rate')
  assert len(started) == 3 + 3 + 2


def test_a_failure_is_told_and_tried_again(tmp_path):
  breaks = lambda job: 'no disk' if 'seed=2' in job.name else loss(job)
  failures, _ = train(tmp_path, loss=breaks)
  name = 'ae-learning_rate=0.0015-seed=2'
  log = tmp_path / 'logs' / f'{name}.log'
  assert f'{name}: no disk (log: {log})' in failures and len(failures) == 2
  failures, started = train(tmp_path)
  assert failures == [] and len(started) == 2


def test_a_seed_that_diverges_at_the_best_rate_is_a_failure(tmp_path):
  diverges = lambda job: NOT_FINITE if 'seed=2' in job.name else loss(job)
  for _ in range(2):  # it is known from its folder the second time
    failures, _ = train(tmp_path, loss=diverges)
    assert len(failures) == 2 and 'diverged; remove' in failures[0]


# The command.


def call(root, *flags):
  places = (f'--runs={root}/runs', f'--output={root}/s')
  return study.main(['tiny', *flags, *places])


def test_a_study_draws_what_it_has_and_fails_if_some_failed(
  tmp_path, monkeypatch, capsys
):
  breaks = lambda job: 'no disk' if 'seed=1' in job.name else loss(job)
  monkeypatch.setattr(launchers, 'Local', lambda at_once, _: Instant(breaks))
  assert call(tmp_path, '--seeds=2') == 1
  err = capsys.readouterr().err
  assert 'no disk (log: ' in err and 'figure families needs' not in err
  assert err.endswith('error: not everything could be made; 3 failed\n')
  page = (
    tmp_path / 's' / 'tiny-shapes3d_synth-quick' / 'index.html'
  ).read_text()
  assert 'Nothing.' in page and 'figure families: families needs' in page


def test_a_dry_run_can_be_pasted_and_runs_nothing(tmp_path, capsys):
  assert call(tmp_path, '--dry_run', '--seeds=2') == 0
  out = capsys.readouterr().out
  assert not (tmp_path / 'runs').exists() and not (tmp_path / 's').exists()
  assert '# then sae12 at the best learning_rate: seed 1' in out
  jobs = plan_of(tmp_path).candidates()
  # In place of Python, a shell that prints what it is given.
  stand_in = out.replace(sys.executable, 'echo').replace('\npython', '\necho')
  echoed = subprocess.run(
    ['bash', '-c', stand_in], capture_output=True, text=True, check=True
  )
  assert echoed.stdout.splitlines() == [' '.join(job.command) for job in jobs]
  finish(jobs[0], validation_loss=1.0)
  jobs[1].folder.mkdir()
  jobs[2].folder.mkdir()
  Run(jobs[2].folder).mark_diverged('not finite')
  call(tmp_path, '--dry_run', '--launcher=slurm', '--seeds=2')
  out = capsys.readouterr().out
  assert '# 1 finished, 1 diverged, 1 to resume, 3 to do' in out


def test_jobs_are_as_many_as_gpus_or_cores_if_nothing_is_said(
  tmp_path, monkeypatch
):
  monkeypatch.setattr(launchers, 'cores', lambda: list(range(6)))
  at_once = lambda *flags, num_jobs: (
    launchers.choose(study.parse(['tiny', *flags]), tmp_path, num_jobs).at_once
  )
  monkeypatch.setattr(launchers.gpus, 'find', Gpus)
  assert at_once(num_jobs=9) == 6 and at_once(num_jobs=4) == 4
  assert at_once(num_jobs=0) == 1 and at_once('--jobs=9', num_jobs=2) == 9
  monkeypatch.setattr(launchers.gpus, 'find', lambda: Gpus('SEEN', ('a', 'b')))
  assert at_once(num_jobs=9) == 2 and at_once('--jobs=1', num_jobs=9) == 1


def test_slurm_is_given_one_array_with_its_limits(tmp_path, monkeypatch):
  pytest.importorskip('submitit')
  (tmp_path / 'bin').mkdir()
  for name in ('srun', 'sbatch'):  # there is no SLURM here
    file = tmp_path / 'bin' / name
    file.write_text('#!/bin/sh\necho Submitted batch job 7\n')
    file.chmod(0o755)
  monkeypatch.setenv('PATH', f'{tmp_path}/bin', prepend=os.pathsep)
  asked = study.parse(
    ['tiny', '--launcher=slurm', '--jobs=2', '--hours=3', '--partition=big']
  )
  jobs = plan_of(tmp_path).candidates()
  logs = [tmp_path / f'{job.name}.log' for job in jobs]
  launchers.choose(asked, tmp_path, len(jobs)).start(jobs, logs)
  script, *_ = (tmp_path / 'logs' / 'submitit').glob('*.sh')
  lines = script.read_text().splitlines()
  options = [x[10:].split('=') for x in lines if x.startswith('#SBATCH --')]
  given = {option[0]: option[1] for option in options}
  assert given['array'] == '0-5%2' and given['time'] == '180'
  assert given['partition'] == 'big' and given['gpus-per-node'] == '1'


@pytest.mark.parametrize(
  'flags, message',
  [
    (['familes'], 'did you mean families?'),
    (['families', '--scale=quik'], 'did you mean quick?'),
    (['families', '--launcher=slrum'], 'did you mean slurm?'),
    (['families', '--seeds=0'], 'a whole number from 1'),
    (['families', '--data=shapes'], 'did you mean shapes3d?'),
    (['families', '--data=folder'], 'no data set'),
    (['families', '--partition=x'], '--launcher=slurm'),
    (['families', '--config.train.steps=9'], 'did you mean train.num_steps?'),
    (['families', '--config.seed=9'], 'see --seeds'),
    (['families', '--step=9'], 'no flag --step'),
    (['families', '--level=900'], 'matches'),
    ([], 'NAME'),
  ],
)
def test_bad_input_is_one_line(flags, message, capsys):
  try:
    code = study.main(flags)
  except SystemExit as ended:  # of a flag that cannot be read
    code = ended.code
  (line,) = capsys.readouterr().err.splitlines()
  assert code == 2 and message in line


def test_bad_input_imports_no_jax():
  code = (
    'import sys; from experiments.paper import study\n'
    'code = study.main(["familes"])\n'
    'print(code, "jax" in sys.modules)'
  )
  done = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True, check=True
  )
  assert done.stdout == '2 False\n'


def test_help_lists_the_studies(capsys):
  with pytest.raises(SystemExit) as ended:
    study.main(['--help'])
  out = capsys.readouterr().out
  assert ended.value.code == 0
  assert all(f'\n  {name} ' in out for name in studies.STUDIES)
  assert max(map(len, out.splitlines())) <= 80
