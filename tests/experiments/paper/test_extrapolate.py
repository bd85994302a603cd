"""The extrapolation study, tiny: what is trained on what, and tested on."""

import json

import jax
import numpy as np
import pytest
from PIL import Image

from experiments.paper import extrapolate, held_out
from structae import build, files, results
from structae.commands import train
from structae.config import ConfigError
from structae.data import splits
from structae.data.selection import Selection
from structae.figures import grids
from structae.run import Run
from tests.experiments.paper.trainings import read
from tests.runs import newest_state

CONFIG = 'sae12:smoke'
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


def only_pool(run, model, source, stopping):
  """Leaves no more of a trained run than what says that it is whole."""
  run.save_pool(np.zeros((1, *model.code_shape)), model.about['step'])
  return model


@pytest.fixture(scope='module')
def study(tmp_path_factory, barely_optimized):
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
    patch.setattr(results, 'write', only_pool)
    source = build.source(read(*TINY).config)
    patch.setattr(build, 'source', lambda config: source)  # opened once
    assert extrapolate.main([*TINY, f'--workdir={folder}']) == 0
    yield folder
  for name, value in before.items():
    jax.config.update(name, value)


@pytest.fixture(scope='module')
def runs(study):
  return {column: Run(study / leaf) for column, leaf in COLUMNS.items()}


@pytest.fixture(scope='module')
def models(runs):
  return {column: run.model() for column, run in runs.items()}


@pytest.fixture(scope='module')
def parts(runs):
  """Of each run the images that it may draw from."""
  return {c: build.split(r.config, r.source()) for c, r in runs.items()}


def test_the_half_that_is_not_trained_stays_as_it_is(models):
  base = models['none'].params
  for column, trained in (
    ('encoder', {'encoder'}),
    ('decoder', {'decoder'}),
    ('both', {'encoder', 'decoder'}),
  ):
    params = models[column].params
    assert params.keys() == {'encoder', 'decoder'}
    for half in params:
      same = jax.tree.map(np.array_equal, params[half], base[half])
      if half in trained:
        assert not any(jax.tree.leaves(same)), (column, half)
      else:
        assert all(jax.tree.leaves(same)), (column, half)
  # The decoder is all that images are made with: S_0 and the Str-Tfm too.
  assert {'start', 'str_tfm_networks', 'out'} <= base['decoder'].keys()


def test_the_optimizer_starts_anew_and_knows_only_what_it_trains(study, models):
  size = lambda tree: sum(x.size for x in jax.tree.leaves(tree))
  for column, halves, steps in (
    ('none', ['encoder', 'decoder'], 8),
    ('encoder', ['encoder'], 2),
    ('decoder', ['decoder'], 2),
    ('both', ['encoder', 'decoder'], 2),
  ):
    state = newest_state(study / COLUMNS[column])['opt_state']
    leaves = jax.tree.leaves(state)
    moments = sum(x.size for x in leaves if x.ndim)
    params = models[column].params
    assert moments == 2 * sum(size(params[half]) for half in halves)
    assert {int(x) for x in leaves if not x.ndim} == {steps}


def test_no_run_has_trained_on_what_it_is_tested_on(runs, parts):
  source = runs['none'].source()
  shape = source.factor_names.index('shape')
  balls = lambda part: source.factors(part)[:, shape] == 2
  for part in parts['none']:
    assert not balls(part).any()
  whole = splits.split(source.size)
  novel = whole.test[balls(whole.test)]
  for column, (trained_on, *_) in parts.items():
    assert not np.intersect1d(novel, trained_on).size
    if column != 'none':
      np.testing.assert_array_equal(trained_on, whole.train)
      assert balls(trained_on).any()
    # What a run really drew from is in its folder.
    digests = runs[column].content['digests']
    assert digests['train'] == splits.digest(trained_on)


def test_four_models_are_scored_on_images_new_to_all(study, runs, models):
  content = json.loads((study / extrapolate.RESULT).read_text())
  assert list(content['mse']) == list(content['mse_familiar']) == list(COLUMNS)
  assert len({*content['mse'].values()}) == 4
  assert (content['model'], content['hold_out']) == ('sae12', 'shape')
  assert content['num_images'] == content['num_familiar'] == 16
  assert content['definitions'].keys() >= {'mse', 'mse_familiar', *COLUMNS}
  model, source = models['decoder'], runs['decoder'].source()
  whole = splits.split(source.size)
  for name, is_ball in (('mse', True), ('mse_familiar', False)):
    part = whole.test[(source.factors(whole.test)[:, 4] == 2) == is_ball]
    part = np.sort(np.random.RandomState(1).permutation(part)[:16])
    images = Selection(source, part).read() / 255
    variables = {'params': model.params}
    logits = model.module.apply(variables, images.astype(np.float32))
    error = np.mean((1 / (1 + np.exp(-np.float64(logits))) - images) ** 2)
    np.testing.assert_allclose(content[name]['decoder'], error, rtol=1e-5)


def test_the_picture_has_a_row_of_images_and_one_a_model(study):
  with Image.open(study / 'figures' / 'extrapolation.png') as picture:
    side, gap = 96, grids.GAP  # images of 32 pixels, enlarged
    assert picture.height == 5 * side + 4 * gap
    assert picture.width > held_out.NUM_SHOWN * (side + gap)


def test_the_largest_held_out_objects_are_shown(study, runs, models):
  pictures = files.read_arrays(study / extrapolate.PICTURES)
  assert list(pictures) == ['input', *COLUMNS]
  source = runs['none'].source()
  test = splits.split(source.size).test
  factors = source.factors(test)
  balls = test[(factors[:, 4] == 2) & (factors[:, 3] == 7)]
  large = Selection(source, balls).read()
  for image in pictures['input']:
    assert (image == large).all((1, 2, 3)).any()
  np.testing.assert_array_equal(
    models['decoder'].reconstruct(pictures['input']), pictures['decoder']
  )


def test_a_second_call_trains_nothing(study, monkeypatch, capsys):
  def fail(*args):
    raise AssertionError('the study is finished')

  monkeypatch.setattr(train, 'train', fail)
  monkeypatch.setattr(held_out, 'score', fail)
  before = (study / extrapolate.RESULT).read_bytes()
  again = [f'--config={CONFIG}', *TINY[1:], '--hold_out', 'shape']
  assert extrapolate.main([*again, f'--workdir={study}']) == 0
  assert (study / extrapolate.RESULT).read_bytes() == before
  out = capsys.readouterr().out
  assert out.count('finished before') == 4 and 'held-out values' in out


def test_folders_are_named_by_content_beside_each_other():
  asked = read(CONFIG)
  shape, camera = (
    extrapolate.plan(asked, name) for name in ('shape', 'camera')
  )
  runs = [*shape.runs.values(), *camera.runs.values()]
  folders = [run.folder for run in runs]
  folders += [shape.folder, camera.folder]
  assert len({*folders}) == 10
  assert {folder.parent.name for folder in folders} == {'runs'}
  assert shape == extrapolate.plan(asked, 'shape')
  steps = [x.config.train.num_steps for x in shape.commands.values()]
  assert steps == [16, 4, 4, 4]


@pytest.mark.parametrize(
  'args, message',
  [
    (['--config.train.num_steps=2'], 'train.num_steps is 2; a study parts'),
    (['--config.data.hold_out=shape'], 'data.hold_out is for the study to set'),
    (
      ['--config.data.name=dsprites'],
      "data.hold_out is 'shape'; dsprites offers",
    ),
    (['--hold_out=none'], 'a study needs something to hold out: shape, or'),
    (['--hold_out=shape=sphere'], "'sphere' is no value of shape; it has 4"),
    (['--config.train.warmup_steps=4'], 'expected fewer than the 4 of train'),
    (['--config.seeed=1'], 'no field seeed'),
  ],
)
def test_bad_input_is_one_line(args, message, tmp_path, capsys):
  folder = tmp_path / 'new'
  assert extrapolate.main([CONFIG, f'--workdir={folder}', *args]) == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert message in line and not folder.exists()


def test_a_base_does_not_grow_under_what_started_from_it(tmp_path):
  def check(num_steps):
    steps = f'--config.train.num_steps={num_steps}'
    schedule = '--config.train.schedule=constant'
    asked = read(CONFIG, schedule, steps, f'--workdir={tmp_path}')
    study = extrapolate.plan(asked, 'shape')
    extrapolate.check(study)
    return study

  base = check(20).commands['none']
  Run(tmp_path / 'base').begin(base.name, base.config, {})
  check(40)  # nothing has started from it
  (tmp_path / 'decoder').mkdir()
  check(20)
  with pytest.raises(ConfigError, match='has made 16 updates and others'):
    check(40)
