"""The extrapolation study, tiny: who trains what, on what, and is judged by."""

import json

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest

from experiments.paper import extrapolate
from structae import build, restore, results, workdir
from structae.commands import config_flags as command
from structae.config import ConfigError
from structae.data import splits

CONFIG = '--config=experiments/sae12.py:smoke'
TINY = [
  CONFIG,
  '--config.model.num_variables=4',
  '--config.model.num_latents=4',
  '--config.model.num_blocks=4',
  '--config.model.width=4',
  '--config.model.num_groups=1',
  '--config.model.head=(4,)',
  '--config.model.str_tfm=(4,)',
  '--config.train.num_steps=10',
  '--config.train.num_validation=8',
  '--config.evaluation.batch_size=8',
  '--config.evaluation.num_test=16',
]
COLUMNS = {'none': 'base', **{name: name for name in extrapolate.TRAINABLE}}


def call(*args):
  extrapolate.main(['extrapolate', *args])


@pytest.fixture(scope='module')
def study(tmp_path_factory):
  """The folder of a finished study whose runs leave only their training."""
  folder = tmp_path_factory.mktemp('study')
  settings = {
    'jax_compilation_cache_dir': str(tmp_path_factory.mktemp('jax')),
    'jax_persistent_cache_min_compile_time_secs': 0,
  }
  before = {name: jax.config.values[name] for name in settings}
  for name, value in settings.items():
    jax.config.update(name, value)
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(results, 'write', lambda *args: None)
    source = build.source(command.parse(['', *TINY], '').config)
    patch.setattr(build, 'source', lambda config: source)  # opened once
    call(*TINY, f'--workdir={folder}')
    yield folder
  for name, value in before.items():
    jax.config.update(name, value)


@pytest.fixture(scope='module')
def runs(study):
  return {
    column: restore.restore(study / leaf) for column, leaf in COLUMNS.items()
  }


def test_the_half_that_is_not_trained_stays_as_it_is(runs):
  base = runs['none'].trained.params
  for column, trained in (
    ('encoder', {'encoder'}),
    ('decoder', {'decoder'}),
    ('both', {'encoder', 'decoder'}),
  ):
    params = runs[column].trained.params
    assert params.keys() == {'encoder', 'decoder'}
    for half in params:
      same = jax.tree.map(np.array_equal, params[half], base[half])
      if half in trained:
        assert not any(jax.tree.leaves(same)), (column, half)
      else:
        assert all(jax.tree.leaves(same)), (column, half)
  # The decoder is all that images are made with: S_0 and the Str-Tfm too.
  assert {'start', 'str_tfm_networks', 'out'} <= base['decoder'].keys()


def test_the_optimizer_starts_anew_and_knows_only_what_it_trains(study, runs):
  size = lambda tree: sum(x.size for x in jax.tree.leaves(tree))
  for column, halves, steps in (
    ('none', ['encoder', 'decoder'], 8),
    ('encoder', ['encoder'], 2),
    ('decoder', ['decoder'], 2),
    ('both', ['encoder', 'decoder'], 2),
  ):
    newest = max((study / COLUMNS[column] / 'checkpoints').iterdir())
    state = ocp.StandardCheckpointer().restore(newest)['opt_state']
    leaves = jax.tree.leaves(state)
    moments = sum(x.size for x in leaves if x.ndim)
    params = runs[column].trained.params
    assert moments == 2 * sum(size(params[half]) for half in halves)
    assert {int(x) for x in leaves if not x.ndim} == {steps}


def test_no_run_has_trained_on_what_it_is_judged_by(study, runs):
  source = runs['none'].trained.source
  shape = source.factor_names.index('shape')
  balls = lambda part: source.factors(part)[:, shape] == 2
  base = runs['none'].splits
  for part in base:
    assert not balls(part).any()
  whole = splits.split(source.size)
  novel = whole.test[balls(whole.test)]
  for column, run in runs.items():
    assert not np.intersect1d(novel, run.splits.train).size
    if column != 'none':
      np.testing.assert_array_equal(run.splits.train, whole.train)
      assert balls(run.splits.train).any()
    # What a run really drew from is in its folder.
    content = json.loads((study / COLUMNS[column] / 'config.json').read_text())
    digest = splits.digest(run.splits.train)
    assert content['digests']['train'] == digest


def test_four_models_are_scored_on_images_new_to_all(study, runs):
  content = json.loads((study / extrapolate.RESULT).read_text())
  assert list(content['mse']) == list(content['mse_familiar']) == list(COLUMNS)
  assert len({*content['mse'].values()}) == 4
  assert (content['model'], content['hold_out']) == ('sae12', 'shape')
  assert content['num_images'] == content['num_familiar'] == 16
  run = runs['decoder'].trained
  source = run.source
  whole = splits.split(source.size)
  for name, is_ball in (('mse', True), ('mse_familiar', False)):
    part = whole.test[(source.factors(whole.test)[:, 4] == 2) == is_ball]
    part = np.sort(np.random.RandomState(1).permutation(part)[:16])
    images = run.doors.images(part) / 255
    model = build.model(run.config, 3)
    logits = model.apply({'params': run.params}, images.astype(np.float32))
    error = np.mean((1 / (1 + np.exp(-np.float64(logits))) - images) ** 2)
    np.testing.assert_allclose(content[name]['decoder'], error, rtol=1e-5)
  assert (study / 'figures' / 'extrapolation.png').stat().st_size > 0


def test_a_second_call_trains_nothing(study, monkeypatch, capsys):
  def fail(*args):
    raise AssertionError('the study is finished')

  monkeypatch.setattr(extrapolate.one_run, 'run', fail)
  monkeypatch.setattr(restore, 'restore', fail)
  before = (study / extrapolate.RESULT).read_bytes()
  call(*TINY, f'--workdir={study}', '--hold_out', 'shape')
  assert (study / extrapolate.RESULT).read_bytes() == before
  out = capsys.readouterr().out
  assert out.count('finished before') == 4 and 'held-out values' in out


def test_folders_are_named_by_content_beside_each_other():
  asked = command.parse(['', CONFIG], '')
  shape, camera = (
    extrapolate.plan(asked, name) for name in ('shape', 'camera')
  )
  folders = [run.workdir for s in (shape, camera) for run in s.runs.values()]
  folders += [shape.folder, camera.folder]
  assert len({*folders}) == 10
  assert {folder.parent.name for folder in folders} == {'runs'}
  assert shape == extrapolate.plan(asked, 'shape')
  steps = [run.config.train.num_steps for run in shape.runs.values()]
  assert steps == [16, 4, 4, 4]


@pytest.mark.parametrize(
  'args, message',
  [
    (['--config.train.num_steps=2'], 'train.num_steps is 2; a study parts'),
    (['--config.data.hold_out=shape'], 'data.hold_out is for the study to set'),
    (['--config.data.name=dsprites'], 'data.hold_out is shape; dsprites offer'),
    (['--config.train.warmup_steps=4'], 'expected fewer than the 4 of train'),
  ],
)
def test_bad_input_is_one_line(args, message, tmp_path):
  with pytest.raises(ConfigError) as error:
    call(CONFIG, f'--workdir={tmp_path / "new"}', *args)
  assert message in str(error.value) and '\n' not in str(error.value)
  assert not (tmp_path / 'new').exists()


@pytest.mark.parametrize(
  'flag, message',
  [
    ('--hold_out=size', "invalid choice: 'size' (choose from"),
    ('--hold_out', '--hold_out: expected one argument'),
  ],
)
def test_what_is_held_out_has_a_name(flag, message, capsys):
  with pytest.raises(SystemExit) as ended:
    call(CONFIG, flag)
  assert ended.value.code == 2 and message in capsys.readouterr().err


def test_a_base_does_not_grow_under_what_started_from_it(tmp_path):
  def check(num_steps):
    args = ['', CONFIG, '--config.train.schedule=constant']
    asked = command.parse([*args, f'--config.train.num_steps={num_steps}'], '')
    asked = asked._replace(workdir=tmp_path)
    study = extrapolate.plan(asked, 'shape')
    extrapolate.check(study)
    return study

  base = check(20).runs['none']
  base.workdir.mkdir()
  workdir.write_config(base.workdir, base.name, base.config, {})
  check(40)  # nothing has started from it
  (tmp_path / 'decoder').mkdir()
  check(20)
  with pytest.raises(ConfigError, match='has made 16 updates and others'):
    check(40)
