"""The models that come along are what their cards say."""

import jax
import numpy as np
import pytest

import structae
from structae import build, evaluation, results, shipped
from structae.__main__ import main
from structae.data import pipeline
from structae.data.selection import Selection

NAMES = [f'{model}-shapes3d_synth-32px' for model in ('ae', 'sae12', 'vlae12')]
PARTS = ('train', 'validation', 'test')
# Their cards are of the runs' float32 parameters, the files hold float16.
CLOSE = {'rtol': 0.01}


@pytest.fixture(scope='module')
def source():
  return build.source(structae.load_pretrained(NAMES[0]).config)


def rows(model, source, part):
  """The images whose codes a run keeps."""
  indices = getattr(build.split(model.config, source), part)
  num = model.config.evaluation[f'num_{part}']
  return pipeline.subset(indices, num, seed=1)


@pytest.mark.parametrize('name', NAMES)
def test_pictures_are_as_near_as_the_card_says(name, source):
  model = structae.load_pretrained(name)
  scores, test = model.about['scores'], rows(model, source, 'test')
  assert len(test) == scores['test_mse']['n']
  errors = model.errors(Selection(source, test))
  for score, error in (('test_mse', 'mse'), ('test_bce', 'loss')):
    expected = scores[score]['value']
    np.testing.assert_allclose(errors[error].mean(), expected, **CLOSE)


def test_codes_are_as_disentangled_as_the_card_says(source):
  model = structae.load_pretrained('sae12-shapes3d_synth-32px')
  train, validation, test = (
    results.encode_split(model, source, part, rows(model, source, part))
    for part in PARTS
  )
  found = evaluation.score_codes(
    train, test, ['mig'], validation=validation, chance=False, points='full'
  )
  mig = model.about['scores']['mig']
  assert found['scores']['mig']['n'] == mig['n']
  np.testing.assert_allclose(
    found['scores']['mig']['value'], mig['value'], **CLOSE
  )


@pytest.mark.parametrize('name', NAMES)
def test_they_are_small_and_draw_at_once(name):
  folder = shipped.FOLDER / name
  assert sum(path.stat().st_size for path in folder.iterdir()) < 1.5e6
  model = structae.load_pretrained(name)
  images = model.sample(0, 4)
  assert images.shape == (4, 32, 32, 3)
  assert images.std((0, 1, 2)).min() > 20  # no mean image
  assert {x.dtype.name for x in jax.tree.leaves(model.params)} == {'float32'}


def test_they_are_listed(capsys):
  assert shipped.names() == NAMES
  assert main(['models']) == 0
  out = capsys.readouterr().out
  assert all(f'{name} ' in out for name in NAMES)


def test_a_folder_of_the_same_name_comes_first(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  assert shipped.place(NAMES[0]) == shipped.FOLDER / NAMES[0]
  (tmp_path / NAMES[0]).mkdir()
  with pytest.raises(ValueError, match='has no config.json'):
    structae.load_pretrained(NAMES[0])
