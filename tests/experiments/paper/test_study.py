"""Studies: what they plan, choose, launch, skip and draw."""

import dataclasses
import itertools
import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest
import tensorboardX
from matplotlib.figure import Figure
from scipy import integrate, stats

from experiments.paper import (
  choosing,
  launchers,
  launching,
  planning,
  studies,
  study,
  study_pages,
  study_tables,
)
from experiments.paper import figures as paper
from experiments.paper.studies import Part, Search, Study
from structae import workdir
from structae.commands import config_flags as command
from structae.commands import parser as arguments
from structae.config import ConfigError
from structae.evaluation import codes as codes_lib
from structae.training import stop

# Stands for a training: its loss is least at a rate of 1.5e-3; 3e-3 diverges;
# a file BROKEN in the folder of all runs breaks those of seed 2.
TRAINING = """
import json, math, signal, sys, time
from pathlib import Path

flags = dict(arg[2:].split('=', 1) for arg in sys.argv[1:])
folder = Path(flags['workdir'])
folder.mkdir(parents=True, exist_ok=True)
with open(folder.parent / 'started', 'a') as file:
  file.write(folder.name + '\\n')
content = json.loads(Path(__file__).with_name('config.json').read_text())

rate = float(flags.get('config.train.learning_rate', 1.5e-3))
content['config']['seed'] = int(flags['config.seed'])
content['config']['train']['learning_rate'] = rate
content['name'] = folder.name.partition('-')[0]
(folder / 'config.json').write_text(json.dumps(content))
if rate == 3e-3:
  sys.exit('error: loss is not finite at step 7; the last good state is kept')
if (folder.parent / 'BROKEN').exists() and flags['config.seed'] == '2':
  sys.exit('error: the disk is on fire')
signals = []
signal.signal(signal.SIGTERM, lambda *_: signals.append('TERM'))
for _ in range(2000):
  if not (folder.parent / 'SLOW').exists():
    break
  if signals:
    time.sleep(0.3)
    (folder / 'saved').write_text(' '.join(signals))
    sys.exit(0)
  time.sleep(0.01)
rows = [{'step': 1, 'validation_loss': -math.inf}]
rows += [{'step': 2, 'validation_loss': abs(math.log(rate / 1.5e-3))}]
text = '\\n'.join(json.dumps(row) for row in rows) + '\\n'
(folder / 'metrics.jsonl').write_text(text)
(folder / 'COMPLETE').write_text('5500 steps\\n')
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch):
  """A study of two models, whose trainings take no time; and how to ask."""
  script = tmp_path / 'training.py'
  script.write_text(TRAINING)
  asked = command.parse(['', '--config=experiments/sae12.py:quick'], '')
  content = json.dumps({'config': asked.config.to_dict()})
  (tmp_path / 'config.json').write_text(content)
  monkeypatch.setattr(planning, 'TRAIN', (str(script),))
  rates = dataclasses.replace(studies.RATES, values=(5e-4, 1.5e-3, 3e-3))
  monkeypatch.setattr(studies, 'RATES', rates)
  parts = (Part(('sae12', 'ae'), ('drawn',)),)
  monkeypatch.setitem(studies.STUDIES, 'tiny', Study('Nothing.', parts))
  paper = types.ModuleType('experiments.paper.figures')
  paper.drawn = lambda runs: {'drawn': f'{len(runs)} runs\n'}
  monkeypatch.setitem(sys.modules, 'experiments.paper.figures', paper)
  return tmp_path, script


def plan_of(root, seeds=3, scale='quick', name='tiny'):
  return planning.Plan(
    studies.STUDIES[name], scale, 'shapes3d_synth', seeds, root / 'runs'
  )


def train(root, seeds=3, at_once=1):
  launcher = launchers.Local(at_once)
  return study.train(plan_of(root, seeds), launcher, root / 'logs')


def started(root):
  path = root / 'runs' / 'started'
  return path.read_text().split() if path.exists() else []


def folder_of(*flags):
  asked = command.parse(['', *flags], '')
  return workdir.choose(None, asked.name, asked.config).name


# What is planned.


@pytest.mark.parametrize(
  'name, scale',
  [
    *((name, 'quick') for name in studies.STUDIES),
    ('paper', 'paper'),
    ('paper', 'smoke'),
    ('extrapolation', 'smoke'),
  ],
)
def test_a_command_makes_the_run_that_is_planned(name, scale):
  chosen = studies.STUDIES[name]
  plan = planning.Plan(chosen, scale, chosen.data, 1, Path('runs'))
  jobs = [*plan.candidates(), *plan.finals()]
  assert jobs or plan.undecided()
  assert set(plan.figures()) <= {*paper.__all__}
  for job in jobs:
    if job.kind == 'train':
      assert folder_of(*job.command[2:]) == job.folder.name


@pytest.mark.parametrize('name', ['paper', 'families', 'search'])
def test_a_study_exists_on_larger_images(name):
  chosen = studies.STUDIES[name]
  plan = planning.Plan(chosen, 'paper', 'celeba', 1, Path('runs'))
  assert plan.finals()


def test_what_data_cannot_hold_out_is_refused_or_left_out_and_told(capsys):
  extrapolation, whole = (
    studies.STUDIES[k] for k in ('extrapolation', 'paper')
  )
  with pytest.raises(ConfigError) as error:
    planning.Plan(extrapolation, 'quick', 'mpi3d_toy', 1, Path('runs'))
  assert 'these have: shapes3d_synth, shapes3d' in str(error.value)
  plan = planning.Plan(whole, 'quick', 'mpi3d_toy', 1, Path('runs'))
  assert all(not want.part.hold_out for want in plan.undecided())
  study.main(['', 'paper', '--data=mpi3d_toy', '--dry_run'])
  assert '# left out: mpi3d_toy has no shape to hold' in capsys.readouterr().out


def test_runs_that_were_started_by_hand_are_those_planned():
  plan = plan_of(Path(), name='families')
  folders = {job.folder.name for job in plan.candidates()}
  assert len(folders) == 10 * len(studies.RATES.values)
  for model, rate in itertools.product(
    ('sae12', 'fvae'), ('3e-4', '5e-4', '15e-4', '.0009')
  ):
    by_hand = folder_of(
      f'--config=experiments/{model}.py:shapes3d_synth,quick',
      f'--config.train.learning_rate={rate}',
    )
    assert by_hand in folders


def test_the_paper_study_shares_its_runs_with_the_families():
  small = {j.folder for j in plan_of(Path(), name='paper').candidates()}
  assert small < {
    j.folder for j in plan_of(Path(), name='families').candidates()
  }


def test_below_the_papers_scale_the_rate_comes_first(tiny):
  quick, paper = plan_of(Path(), 5), plan_of(Path(), 5, scale='paper')
  assert len(quick.candidates()) == 2 * 3
  assert not quick.finals()
  assert len(quick.undecided()) == 2 * 4  # seed 0 is among those tried
  assert not paper.candidates() and not paper.undecided()
  assert len(paper.finals()) == 2 * 5


def test_an_extrapolation_waits_for_the_rate_and_needs_every_seed():
  plan = plan_of(Path(), 2, name='extrapolation')
  assert len(plan.undecided()) == 7 * 2 * 2  # models, hold-outs, seeds
  job, *_ = plan_of(Path(), 1, 'smoke', 'extrapolation').finals()
  assert job.command[1] == 'experiments.paper.extrapolate'
  assert '--hold_out=shape' in job.command


def test_scores_that_a_figure_needs_are_added_once(tmp_path, monkeypatch):
  parts = (
    Part(('ae',), metrics=('mig', 'dci')),
    Part(('ae',), metrics=('irs', 'fid')),
  )
  monkeypatch.setitem(studies.STUDIES, 'scored', Study('', parts))
  monkeypatch.setattr(planning, '_has_weights', lambda: False)
  plan = plan_of(tmp_path, 1, 'smoke', 'scored')
  assert not plan.scorings()  # the run is not finished
  (job,) = plan.finals()
  job.folder.mkdir(parents=True)
  (job.folder / 'COMPLETE').write_text('20 steps\n')
  known = {'mig': {'value': 0.5}}
  (job.folder / 'scores.json').write_text(json.dumps({'scores': known}))
  (scoring,) = plan.scorings()
  (job.folder / 'scores.json').write_text('{}')
  with pytest.raises(ConfigError, match='scores.json is damaged'):
    plan.scorings()
  (job.folder / 'scores.json').write_text(json.dumps({'scores': known}))
  assert scoring.command[-1] == '--metrics=dci,irs'
  known |= dict.fromkeys(
    ['irs', 'disentanglement', 'completeness', 'informativeness_train',
     'informativeness_test'],
    {'value': 1},
  )  # fmt: skip
  (job.folder / 'scores.json').write_text(json.dumps({'scores': known}))
  assert scoring.is_finished() and not plan.scorings()


# What is chosen.


def choice(**results):
  return choosing.Choice('ae', 'train.learning_rate', 'reconstruction', results)


def test_the_least_is_chosen_once_all_are_known():
  assert choice(a=3.0, b=2.0, c=math.inf).best == 'b'
  assert choice(a=3.0, b=None).best is None
  assert not choice(a=3.0, b=None).is_known
  assert choice(a=math.inf, b=math.inf).best is None
  assert choice(a=math.inf, b=math.inf).is_known


def test_the_last_validation_loss_counts(tmp_path):
  key = 'validation_loss'
  rows = [{'step': 1, key: 1.0}, {'step': 2, 'loss': 0.0},
          {'step': 3, key: 5.0}, {'step': 4, 'loss': 0.0}]  # fmt: skip
  text = ''.join(json.dumps(row) + '\n' for row in rows)
  (tmp_path / 'metrics.jsonl').write_text(text)
  assert choosing.reconstruction(tmp_path) == 5.0


def test_the_bound_adds_the_divergence_from_the_prior(tmp_path):
  mean, log_var = np.array([0.7, -1.2]), np.array([-0.5, 0.3])

  def divergence(m, v):
    q, p = stats.norm(m, math.exp(v / 2)), stats.norm()
    terms = lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z))
    return integrate.quad(terms, -20, 20)[0]

  shaped = lambda x: np.tile(x, (3, 1)).reshape(3, 2, 1).astype(np.float32)
  codes_lib.save(
    tmp_path / 'codes' / 'validation.npz',
    codes_lib.Codes(
      shaped(mean), shaped(log_var), np.zeros((3, 0), np.int32), (), (),
      np.arange(3), {},
    ),
  )  # fmt: skip
  row = {'step': 1, 'validation_loss': 10.0}
  (tmp_path / 'metrics.jsonl').write_text(json.dumps(row) + '\n')
  expected = 10 + sum(map(divergence, mean, log_var))
  assert choosing.bound(tmp_path) == pytest.approx(expected, abs=1e-5)


# What is launched.


def test_the_best_rate_is_trained_with_the_other_seeds(tiny):
  root, _ = tiny
  assert train(root) == []
  names = started(root)
  assert len(names) == len(set(names)) == 2 * (3 + 2)
  plan = plan_of(root)
  assert [c.best for c in plan.choices()] == [1.5e-3, 1.5e-3]
  finals = plan.finals()
  assert len(finals) == 2 * 3
  assert all('learning_rate=0.0015' in job.name for job in finals)
  # What is tried first is seed 0 at all rates, and the rest at the best.
  assert set(names[:6]) == {j.folder.name for j in plan.candidates()}


def test_what_is_finished_or_diverged_is_not_started_again(tiny):
  root, _ = tiny
  train(root, seeds=2)
  before = started(root)
  assert train(root, seeds=2) == []
  assert started(root) == before
  assert train(root, seeds=3) == []
  assert len(started(root)) == len(before) + 2


def test_a_model_that_diverges_at_every_rate_is_named(tiny):
  root, _ = tiny
  for job in plan_of(root).candidates():
    if job.name.startswith('ae'):
      job.folder.mkdir(parents=True)
      (job.folder / choosing.DIVERGED).write_text('not finite\n')
  (line,) = train(root)
  assert line.startswith('ae: diverged at every learning_rate')
  assert len(started(root)) == 5


def test_a_failure_names_its_log_and_stops_no_other(tiny, capsys):
  root, _ = tiny
  (root / 'runs').mkdir()
  (root / 'runs' / 'BROKEN').touch()
  asked = ['', 'tiny', '--seeds=4', f'--runs={root}/runs', f'--output={root}/s']
  with pytest.raises(arguments.Failed):
    study.main(asked)
  told = capsys.readouterr()
  (log,) = (root / 's').glob('*/logs/ae-*-seed=2.log')
  assert f'the disk is on fire (log: {log})' in told.err
  assert 'on fire' in log.read_text()
  assert len(started(root)) == 2 * (3 + 3)
  (drawn,) = (root / 's').glob('*/drawn.md')
  assert drawn.read_text() == '6 runs\n'
  (root / 'runs' / 'BROKEN').unlink()
  study.main(asked)
  assert len(started(root)) == 2 * (3 + 3) + 2
  assert drawn.read_text() == '8 runs\n'


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_jobs_save_and_the_study_go_on_later(tiny, number):
  root, script = tiny
  (root / 'runs').mkdir()
  slow = root / 'runs' / 'SLOW'
  slow.touch()
  driver = textwrap.dedent(f"""
    from pathlib import Path
    from experiments import planning, studies, study, command
    planning.TRAIN = ({str(script)!r},)
    part = studies.Part(('sae12', 'ae'))
    studies.STUDIES['tiny'] = studies.Study('', (part,))
    command.run(lambda argv: study.main(argv))
  """)
  ask = ['tiny', '--seeds=1', '--jobs=2', f'--runs={root}/runs',
         f'--output={root}/s']  # fmt: skip
  process = subprocess.Popen(
    [sys.executable, '-c', driver, *ask], stdout=subprocess.PIPE, text=True
  )
  deadline = time.monotonic() + 120
  while len(started(root)) < 2:
    assert time.monotonic() < deadline and process.poll() is None
    time.sleep(0.05)
  time.sleep(0.5)  # until they have their handlers
  process.send_signal(number)
  out, _ = process.communicate(timeout=120)
  assert process.returncode == 0
  assert 'stopped; the same command goes on' in out
  saved = [*(root / 'runs').glob('*/saved')]
  assert [path.read_text() for path in saved] == ['TERM', 'TERM']
  assert len(started(root)) == 2  # no other was started
  slow.unlink()
  assert train(root, seeds=1) == []


def test_shares_part_the_cores_evenly():
  for num_cores, num in itertools.product(range(1, 9), repeat=2):
    cores = list(range(10, 10 + num_cores))
    parts = launchers.shares(cores, num)
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
  files = [tmp_path / name for name in ('a', 'b')]
  jobs = [
    launchers.Job(f.name, ('-c', code, str(f)), tmp_path, f.exists)
    for f in files
  ]
  progress = launching.Progress(0, 2, lambda line: None)
  assert not launching.run(jobs, launchers.Local(at_once), tmp_path, progress)
  a, b = (set(json.loads(file.read_text())) for file in files)
  whole = os.sched_getaffinity(0)
  if at_once == 1:
    assert a == b == whole
  else:
    assert not a & b and a | b == whole


def test_the_time_left_is_the_work_left_shared(tmp_path):
  lines = []
  progress = launching.Progress(0, 5, lines.append)
  job = launchers.Job('a', (), tmp_path, lambda: True)
  progress.ended(job, 60.0, None)
  progress.finished(job, 60.0, {'train': 3.5, 'score': 9}, at_once=2)
  assert lines == ['[1/5] finished a in 0:01:00; about 0:01:45 to go']


def test_an_array_of_slurm_jobs_runs_the_same_commands(tiny):
  pytest.importorskip('submitit')
  root, _ = tiny
  launcher = launchers.Slurm(None, root / 'submitit', {}, cluster='local')
  assert study.train(plan_of(root, 1), launcher, root / 'logs') == []
  assert len(started(root)) == 2 * 3
  assert [c.best for c in plan_of(root).choices()] == [1.5e-3] * 2


def test_an_array_of_slurm_jobs_is_stopped_by_a_signal(tiny, monkeypatch):
  pytest.importorskip('submitit')
  root, _ = tiny
  (root / 'runs').mkdir()
  (root / 'runs' / 'SLOW').touch()
  launcher = launchers.Slurm(None, root / 'submitit', {}, cluster='local')

  def pause(seconds, sleep=time.sleep):
    sleep(seconds)
    if len(started(root)) == 6:  # those that diverge among them
      os.kill(os.getpid(), signal.SIGTERM)
      monkeypatch.setattr(time, 'sleep', sleep)
      sleep(1)

  monkeypatch.setattr(time, 'sleep', pause)
  with pytest.raises(stop.Interrupted):
    study.train(plan_of(root), launcher, root / 'logs')
  deadline = time.monotonic() + 10
  while len([*(root / 'runs').glob('*/saved')]) < 4:
    assert time.monotonic() < deadline
    time.sleep(0.1)


def test_slurm_is_given_one_array_with_its_limits(tiny, monkeypatch):
  pytest.importorskip('submitit')
  root, _ = tiny
  (root / 'bin').mkdir()
  for name in ('srun', 'sbatch'):  # there is no SLURM here
    file = root / 'bin' / name
    file.write_text('#!/bin/sh\necho Submitted batch job 7\n')
    file.chmod(0o755)
  monkeypatch.setenv('PATH', f'{root}/bin', prepend=os.pathsep)
  asked = study.parse(
    ['tiny', '--launcher=slurm', '--jobs=2', '--hours=3', '--gpus=1',
     '--partition=big']
  )  # fmt: skip
  jobs = plan_of(root, 1).candidates()
  logs = [root / f'{job.name}.log' for job in jobs]
  study.launcher(asked, root).start(jobs, logs)
  script, *_ = (root / 'logs' / 'submitit').glob('*.sh')  # copies, a job each
  lines = script.read_text().splitlines()
  options = [x[10:].split('=') for x in lines if x.startswith('#SBATCH --')]
  given = {option[0]: option[1] for option in options}
  assert given['array'] == '0-5%2' and given['time'] == '180'
  assert given['partition'] == 'big' and given['gpus-per-node'] == '1'


def test_a_job_put_back_into_the_queue_saves_and_repeats(tiny):
  pytest.importorskip('submitit')
  root, _ = tiny
  (root / 'runs').mkdir()
  slow = root / 'runs' / 'SLOW'
  slow.touch()
  job = plan_of(root, 1).candidates()[0]
  repeated = launchers.Repeated(job.command, root / 'log')
  waiting = threading.Thread(target=repeated)
  waiting.start()
  while not started(root):
    time.sleep(0.05)
  time.sleep(0.5)  # until it has its handler
  again = repeated.checkpoint()
  waiting.join()
  assert (job.folder / 'saved').read_text() == 'TERM'
  assert not job.is_finished()
  slow.unlink()
  assert again.result() == 0 and job.is_finished()


# What is told.


def ask(*flags):
  return ['', 'tiny', *flags]


def test_a_dry_run_can_be_pasted_and_runs_nothing(tiny, capsys):
  root, _ = tiny
  places = (f'--runs={root}/runs', f'--output={root}/s')
  study.main(ask('--dry_run', '--seeds=2', *places))
  out = capsys.readouterr().out
  assert not (root / 'runs').exists() and not (root / 's').exists()
  assert '# then sae12 at the best learning_rate: seed 1' in out
  assert out.count('# to do') == 6
  subprocess.run(['bash', '-c', out], check=False, capture_output=True)
  assert sorted(started(root)) == sorted(
    j.folder.name for j in plan_of(root).candidates()
  )
  study.main(ask('--dry_run', '--seeds=2', *places))
  out = capsys.readouterr().out
  assert out.count('# finished') == 4
  assert out.count('# to resume') == 2  # nobody has seen them diverge


def test_a_dry_run_prints_an_array_job(tiny, capsys):
  root, _ = tiny
  places = (f'--runs={root}/runs', f'--output={root}/s')
  study.main(
    ask('--dry_run', '--launcher=slurm', '--jobs=2', '--gpus=1', *places)
  )
  out = capsys.readouterr().out
  assert '--array=0-5%2' in out and '--gpus-per-node=1' in out
  stand_in = 'sbatch() { SLURM_ARRAY_TASK_ID=1 bash; }\n'
  subprocess.run(['bash', '-c', stand_in + out], check=True)
  assert started(root) == [plan_of(root).candidates()[1].folder.name]


@pytest.mark.parametrize(
  'flags, told',
  [
    (['familes'], 'did you mean families?'),
    (['families', '--scale=quik'], 'did you mean quick?'),
    (['families', '--launcher=slrum'], 'did you mean slurm?'),
    (['families', '--seeds=0'], 'a whole number from 1'),
    (['families', '--jobs=two'], 'a whole number from 1'),
    (['families', '--data=shapes'], 'did you mean shapes3d?'),
    (['families', '--data=folder'], 'no data set'),
    (['families', '--partition=x'], '--launcher=slurm'),
    (['families', '--sedes=1'], '--sedes=1'),
    ([], 'NAME'),
  ],
)
def test_bad_input_is_one_line(flags, told, monkeypatch, capsys):
  monkeypatch.setattr(sys, 'argv', ['', *flags])
  with pytest.raises(SystemExit) as ended:
    command.run(study.main)
  (line,) = capsys.readouterr().err.splitlines()
  assert ended.value.code == 2 and told in line


def test_bad_input_exits_2_and_imports_no_jax():
  code = (
    'import sys; from experiments import command, study\n'
    'try: command.run(study.main)\n'
    'finally: print("jax" in sys.modules)'
  )
  done = subprocess.run(
    [sys.executable, '-c', code, 'familes'], capture_output=True, text=True
  )
  assert done.returncode == 2
  assert done.stdout.strip() == 'False'
  assert done.stderr.startswith('error: ') and done.stderr.count('\n') == 1


def test_help_lists_the_studies(capsys):
  with pytest.raises(SystemExit) as ended:
    study.parse(['--help'])
  out = capsys.readouterr().out
  assert ended.value.code == 0
  assert all(f'\n  {name} ' in out for name in studies.STUDIES)
  assert max(map(len, out.splitlines())) <= 80


# What is drawn.


def test_minutes_are_those_of_training_over_all_starts(tmp_path):
  event = tensorboardX.event_file_writer.event_pb2.Event
  (tmp_path / 'tensorboard').mkdir()
  for start, end in ((1000.0, 1090.0), (5000.0, 5030.5)):
    path = tmp_path / 'tensorboard' / f'events.out.tfevents.{start}.host'
    records = tensorboardX.record_writer.RecordWriter(str(path))
    for clock in (start, (start + end) / 2, end):
      records.write(event(wall_time=clock, step=5).SerializeToString())
    records.close()
  found = study_tables.training_minutes(tmp_path)
  assert found == pytest.approx((90 + 30.5) / 60)
  assert study_tables.training_minutes(tmp_path / 'none') is None


def test_parameters_are_counted_without_a_run():
  asked = command.parse(['', '--config=experiments/sae12.py'], '')
  config = {'name': 'sae12', **asked.config.to_dict()}
  assert study_tables.num_parameters(config) == 1_123_663


def test_figures_of_extrapolations_take_their_results(tiny, capsys):
  root, _ = tiny
  part = Part(('ae', 'vae'), ('drawn', 'broken'), hold_out='camera')
  small = Study('', (part,))
  plan = planning.Plan(small, 'smoke', 'shapes3d_synth', 1, root / 'runs')
  for number, job in enumerate(plan.finals()):
    job.folder.mkdir(parents=True)
    path = job.folder / 'extrapolation.json'
    path.write_text(json.dumps({'mse': number + 0.5}))
  paper = sys.modules['experiments.paper.figures']
  paper.drawn = lambda found: {'all': repr([x['mse'] for x in found])}
  (line,) = study_pages.write(plan, 'tiny', '', root)
  assert 'figure broken' in line and 'Traceback' in capsys.readouterr().err
  assert (root / 'all.md').read_text() == '[0.5, 1.5]'
  assert 'figure broken' in (root / 'index.html').read_text()


def test_a_real_study_at_the_smoke_scale(tmp_path, monkeypatch):
  monkeypatch.setenv('JAX_COMPILATION_CACHE_DIR', str(tmp_path / 'jax'))
  monkeypatch.setenv('JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS', '0')
  monkeypatch.setenv('JAX_DISABLE_MOST_OPTIMIZATIONS', '1')
  rates = Search('train.learning_rate', (1e-3, 2e-3), 'reconstruction')
  part = Part(('sae4',), ('drawn',), all_seeds=False, searches={'sae4': rates})
  monkeypatch.setitem(studies.STUDIES, 'tiny', Study('Two rates.', (part,)))
  seen = []

  def drawn(runs):
    seen.extend(runs)
    image = np.full((4, 5, 3), 7, np.uint8)
    return {'words': 'text\n', 'sheet': image, 'plot': Figure()}

  paper = types.ModuleType('experiments.paper.figures')
  paper.drawn = drawn
  monkeypatch.setitem(sys.modules, 'experiments.paper.figures', paper)
  places = (f'--runs={tmp_path}/runs', f'--output={tmp_path}/s')
  study.main(ask('--scale=smoke', *places))
  folder = tmp_path / 's' / 'tiny-shapes3d_synth-smoke'
  assert [run.field('train.learning_rate') for run in seen] == [1e-3, 2e-3]
  names = {path.name for path in folder.iterdir()}
  assert names >= {'words.md', 'sheet.png', 'plot.png', 'table.md',
                   'choice.md', 'comparison.html', 'index.html'}  # fmt: skip
  table = (folder / 'table.md').read_text().splitlines()
  assert len(table) >= 4 and 'Test BCE' in table[0]
  losses = [choosing.reconstruction(run.folder) for run in seen]
  rows = (folder / 'choice.md').read_text().splitlines()[2:4]
  assert [row.count('*') for row in rows] == [
    int(loss == min(losses)) for loss in losses
  ]
  page = (folder / 'index.html').read_text()
  assert 'Two rates.' in page and 'comparison.html' in page
