"""What studies plan: the jobs of each stage, and the folders of their runs."""

import itertools
import json
from pathlib import Path

import pytest

from experiments.paper import figures, planning, studies
from experiments.paper.studies import Part, Search, Study
from structae.config import ConfigError
from structae.run import Run
from tests.experiments.paper.trainings import finish, read


def plan_of(study, scale='quick', seeds=1, runs=Path('runs'), data='', **how):
  study = studies.STUDIES[study] if isinstance(study, str) else study
  return planning.Plan(study, scale, data or study.data, seeds, runs, **how)


def folder_of(*flags):
  asked = read(*flags)
  return Run.choose(asked.workdir, asked.name, asked.config).folder


@pytest.mark.parametrize(
  'name, scale',
  [
    *((name, 'quick') for name in studies.STUDIES),
    ('paper', 'paper'),
    ('paper', 'smoke'),
    ('extrapolation', 'smoke'),
  ],
)
def test_a_command_makes_the_run_that_is_planned(name, scale, tmp_path):
  for runs in (Path('runs'), tmp_path):
    plan = plan_of(name, scale, runs=runs)
    jobs = [*plan.candidates(), *plan.finals()]
    assert jobs or plan.undecided()
    assert set(plan.figures()) <= {*figures.__all__}
    for job in jobs[:: max(1, len(jobs) // 5)]:
      if job.kind == 'train':
        assert job.command[:3] == ('-m', 'structae', 'train')
        assert folder_of(*job.command[3:]) == job.folder


@pytest.mark.parametrize('name', ['paper', 'families', 'search'])
def test_a_study_exists_on_larger_images(name):
  assert plan_of(name, 'paper', data='celeba').finals()


def test_what_data_cannot_hold_out_is_refused_or_left_out():
  with pytest.raises(ConfigError) as error:
    plan_of('extrapolation', data='mpi3d_toy')
  assert 'these have: shapes3d_synth, shapes3d' in str(error.value)
  plan = plan_of('paper', data='mpi3d_toy')
  assert all(not want.part.hold_out for want in plan.undecided())
  assert [part.hold_out for part in plan.left_out] == ['shape']


def test_runs_that_were_started_by_hand_are_those_planned():
  folders = {job.folder for job in plan_of('families').candidates()}
  assert len(folders) == 10 * len(studies.RATES.values)
  for model, rate in itertools.product(
    ('sae12', 'fvae'), ('3e-4', '5e-4', '15e-4', '.0009')
  ):
    flags = [f'{model}:shapes3d_synth,quick', '--config.seed=0',
             f'--config.train.learning_rate={rate}']  # fmt: skip
    assert folder_of(*flags) in folders


def test_the_paper_study_shares_its_runs_with_the_families():
  small = {job.folder for job in plan_of('paper').candidates()}
  assert small < {job.folder for job in plan_of('families').candidates()}


def test_at_the_quick_scale_the_rate_comes_first():
  study = Study('', (Part(('sae12', 'ae')),))
  num_rates = len(studies.RATES.values)
  quick, paper = (plan_of(study, x, seeds=5) for x in ('quick', 'paper'))
  assert len(quick.candidates()) == 2 * num_rates
  assert not quick.finals()
  assert len(quick.undecided()) == 2 * 4  # seed 0 is among those tried
  assert not paper.candidates() and not paper.undecided()
  assert len(paper.finals()) == 2 * 5


def test_finals_are_trained_at_the_best_rate(tmp_path):
  plan = plan_of(Study('', (Part(('ae',)),)), seeds=3, runs=tmp_path)
  for job, loss in zip(plan.candidates(), (5.0, 3.0, 4.0, 4.5)):
    finish(job, validation_loss=loss)
  (choice,) = plan.choices()
  assert [*choice.results.values()] == [5.0, 3.0, 4.0, 4.5, None]
  assert not plan.finals()  # one is not tried yet
  *_, last = plan.candidates()
  last.folder.mkdir()
  Run(last.folder).mark_diverged('not finite')
  names = [job.name for job in plan.finals()]
  assert names == [f'ae-learning_rate=0.0005-seed={seed}' for seed in range(3)]
  assert not plan.undecided() and not plan.hopeless()


def test_a_part_that_searches_shows_every_value():
  below = (('train.learning_rate', 7e-4),)
  search = Search('objective.beta', (2.0, 8.0), 'bound', below)
  part = Part(('bvae',), ('families',), searches={'bvae': search})
  quick, paper = (plan_of(Study('', (part,)), x) for x in ('quick', 'paper'))
  assert len(quick.finals()) == len(paper.finals()) == 2
  assert quick.finals()[1].name == 'bvae-learning_rate=0.0007-beta=8.0-seed=0'
  assert paper.finals()[1].name == 'bvae-beta=8.0-seed=0'


def test_an_extrapolation_needs_every_seed_and_waits_where_rates_are_tried():
  plan = plan_of('extrapolation', seeds=2)
  assert not plan.undecided()  # each at the rate of the scale
  assert len(plan.finals()) == 4 * 2 * 2  # models, seeds, what is held out
  waiting = plan_of('paper', seeds=2).undecided()
  assert sum(want.part.hold_out == 'shape' for want in waiting) == 4
  job, *_ = plan_of('extrapolation', 'smoke').finals()
  assert job.command[1:3] == ('experiments.paper.extrapolate', 'sae12:smoke')
  assert '--hold_out=shape' in job.command
  assert read(*job.command[2:]).workdir == job.folder
  assert len(plan_of('extrapolation', 'paper', seeds=1).finals()) == 7 * 2


def test_a_larger_scale_takes_the_rate_that_is_best_at_quick(tmp_path):
  part = Part(('ae', 'wae'), max_seeds=2)
  plan = plan_of(
    Study('', (part,)), 'hour', seeds=3, runs=tmp_path,
    changes={'train.num_steps': 20_000},
  )  # fmt: skip
  tries = plan.candidates()
  tried = [read(*job.command[3:]).config for job in tries]
  assert {config.scale for config in tried} == {'quick'}
  assert {config.train.num_steps for config in tried} == {2000}  # briefly
  assert {choice.num_steps for choice in plan.choices()} == {2000}
  assert {config.evaluation.metrics for config in tried} == {()}
  assert tries[0].name == 'ae-quick-learning_rate=0.0003-seed=0'
  assert not plan.finals() and len(plan.undecided()) == 2 * 2
  for i, job in enumerate(tries):
    finish(job, validation_loss=abs(i % 5 - 2.0))
  runs = [read(*job.command[3:]).config for job in plan.finals()]
  assert [config.seed for config in runs] == [0, 0, 1, 1]
  assert {config.train.learning_rate for config in runs} == {9e-4}
  assert {config.train.num_steps for config in runs} == {20_000}
  assert {config.scale for config in runs} == {'hour'}
  assert not plan.undecided()


def test_a_record_keeps_states_evenly_and_trains_the_same(tmp_path):
  changes = {'train.num_steps': 20_000}
  plan = plan_of('record', 'paper', seeds=3, changes=changes)
  jobs = plan.finals()
  assert len(jobs) == 5 * 3 + 5 * 2
  config = read(*jobs[0].command[3:]).config
  assert config.train.keep_checkpoints == 0 and config.train.log_every == 500
  assert config.evaluation.metrics == ('all',)
  # What is kept and scored is no part of what a run is called.
  usual = folder_of('sae12', '--config.train.num_steps=20000')
  assert usual == jobs[0].folder


@pytest.mark.parametrize(
  'field, value, message',
  [
    ('seed', 1, '--seeds'),
    ('data.name', 'shapes3d', '--data'),
    ('train.learning_rate', 1e-3, 'it tries 0.0003'),
    ('train.num_steps', 'x', 'a whole number from 1'),
  ],
)
def test_what_the_study_sets_cannot_be_changed(field, value, message):
  with pytest.raises(ConfigError, match=message):
    plan_of('record', 'hour', changes={field: value})


def matched_plan(tmp_path, level=None):
  study = Study('', (Part(('ae', 'wae'), num_checkpoints=2),), is_matched=True)
  return plan_of(study, 'smoke', runs=tmp_path, level=level)


def test_checkpoints_are_matched_when_all_runs_have_ended(tmp_path):
  plan = matched_plan(tmp_path)
  curves = {'ae': {10: 130.0, 20: 110.0}, 'wae': {10: 150.0, 20: 129.0}}
  jobs = dict(zip(curves, plan.finals()))
  for name, job in jobs.items():
    assert plan.matching() is None  # not all runs have ended
    finish(job)
    rows = [
      json.dumps({'step': step, 'validation_loss': loss})
      for step, loss in curves[name].items()
    ]
    (job.folder / 'metrics.jsonl').write_text('\n'.join(rows) + '\n')
    scores = {'test_bce': {'value': 110.0, 'floor': 100.0}}
    Run(job.folder).save_scores({'scores': scores})
    for step in curves[name]:
      folder = job.folder / 'checkpoints' / f'{step:08d}'
      folder.mkdir(parents=True)
      (folder / 'seal.json').write_text('{}')
  found = plan.matching()
  assert found.level == 129.0 and not found.left_out
  assert found.steps == {jobs['ae'].folder: 10, jobs['wae'].folder: 20}
  names = [job.command[2:] for job in plan.matchings()]
  assert names[0] == (str(jobs['ae'].folder), '--step=10')

  # What does not reach a level that is stated is left out, and named.
  found = matched_plan(tmp_path, level=111.0).matching()
  assert found.steps == {jobs['ae'].folder: 20}
  assert found.left_out == {jobs['wae'].folder: 129.0}


def test_scores_that_a_figure_needs_are_added_once(tmp_path, monkeypatch):
  parts = (
    Part(('ae',), metrics=('mig', 'dci')),
    Part(('ae',), metrics=('irs', 'fid')),
  )
  has_weights = 'experiments.paper.scoring._has_weights'
  monkeypatch.setattr(has_weights, lambda: False)
  plan = plan_of(Study('', parts), 'smoke', runs=tmp_path)
  assert not plan.scorings()  # the run is not finished
  (job,) = plan.finals()
  finish(job)
  scores = job.folder / 'scores.json'
  scores.write_text(json.dumps({'scores': {'mig': {'value': 0.5}}}))
  (scoring,) = plan.scorings()
  assert scoring.command[:3] == ('-m', 'structae', 'evaluate')
  assert scoring.command[-1] == '--metrics=dci,irs'
  names = ['mig', 'irs', 'disentanglement', 'completeness',
           'informativeness_train', 'informativeness_test']  # fmt: skip
  scores.write_text(json.dumps({'scores': dict.fromkeys(names, {'value': 1})}))
  assert scoring.is_finished() and not plan.scorings()
  scores.write_text('[]')
  with pytest.raises(ValueError, match='scores.json must hold'):
    plan.scorings()
