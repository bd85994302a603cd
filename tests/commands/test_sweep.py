"""Sweeps: which runs they make, resume, name and compare."""

import pytest

from structae import config as config_lib
from structae.commands import grid, launchers, sweep
from structae.run import Run
from tests.experiments.paper.trainings import Instant, finish, read

RATES = '--config.train.learning_rate=5e-4,1e-3'


class Scored(Instant):
  """A launcher whose trainings end at once, with a score: the learning rate."""

  def _start(self, job, log):
    ended = super()._start(job, log)
    if not ended.code:
      finish(job, validation_loss=1.0)
      rate = Run(job.folder).field('train.learning_rate')
      Run(job.folder).save_scores({'scores': {'mig': {'value': rate}}})
    return ended


@pytest.fixture
def call(tmp_path, monkeypatch):
  """Runs a sweep of trainings that end at once; gives its code and them."""
  monkeypatch.chdir(tmp_path)

  def run(*flags, loss=lambda job: 1.0):
    launcher = Scored(loss)
    monkeypatch.setattr(launchers, 'Local', lambda at_once, _: launcher)
    return sweep.main(['sae12:quick', *flags]), launcher.started

  return run


def test_it_trains_each_combination_as_train_would(call, capsys):
  code, started = call(RATES, '--config.seed=0,1', '--config.model.width=16')
  assert code == 0 and started == [
    f'sae12-seed={seed}-learning_rate={rate}'
    for seed in (0, 1)
    for rate in ('5e-4', '1e-3')
  ]
  assert call(RATES, '--config.seed=0,1', '--config.model.width=16')[1] == []
  config = read(
    'sae12:quick', '--config.seed=1', '--config.model.width=16',
    '--config.train.learning_rate=1e-3',
  ).config  # fmt: skip
  assert Run.choose(None, 'sae12', config).is_complete(config)
  folder = 'sweeps/sae12-quick-seed-learning_rate'
  out = capsys.readouterr().out
  assert f'comparison: {folder}/comparison.html' in out
  # Two seeds a row; their score is the rate.
  *_, head, low, high, _ = [line.split() for line in out.splitlines()]
  assert head == ['run', 'seeds', 'MIG', '↑']
  assert low[-5:-1] == ['0.0005', '2', '0.0005000', '±']
  assert high[-5:-1] == ['0.001', '2', '0.001000', '±']


def test_a_failure_costs_no_other_and_a_divergence_is_not_repeated(
  call, capsys
):
  bad = 'loss is not finite at step 7; the last good state is kept'
  breaks = lambda job: bad if 'learning_rate=1e-3' in job.name else 1.0
  for started in (2, 0):
    code, names = call(RATES, loss=breaks)
    assert code == 1 and len(names) == started
    err = capsys.readouterr().err
    assert 'sae12-learning_rate=1e-3: ' in err
    assert err.endswith('1 failed\n')


def test_a_dry_run_lists_commands_and_their_state(call, capsys, tmp_path):
  assert call(RATES, '--dry_run', '--runs=elsewhere') == (0, [])
  lines = capsys.readouterr().out.splitlines()
  assert len(lines) == 2 and all(x.endswith('# to do') for x in lines)
  assert '--workdir=elsewhere/sae12-shapes3d_synth-quick-' in lines[0]
  assert not [*tmp_path.iterdir()]


def test_values_stand_between_commas_and_tuples_in_brackets():
  split = grid.split
  assert split('seed', '0,1,0') == ['0', '1']
  assert split('model.head', '(256,128),(64,)') == ['(256,128)', '(64,)']
  assert split('evaluation.metrics', 'mig,dci') == ['mig,dci']
  for field in config_lib.FIELDS:
    assert split(field, '7') == ['7']


@pytest.mark.parametrize(
  'flags, message',
  [
    ([], 'no field has several values'),
    (['--config.seed=0,x'], "seed is 'x'"),
    (['--config.sed=0,1'], 'did you mean seed?'),
    (['--config.train.log_every=50,100'], 'would not tell runs apart'),
    (['--config.seed=0,1', '--config.train.num_runs=2'], '--config.seed=0,1'),
    (['--config.seed=0,1', '--launcher=slrum'], 'did you mean slurm?'),
    (['--config.seed=0,1', '--hours=3'], 'is for --launcher=slurm'),
  ],
)
def test_bad_input_is_one_line(flags, message, call, capsys):
  assert call(*flags) == (2, [])
  (line,) = capsys.readouterr().err.splitlines()
  assert message in line
