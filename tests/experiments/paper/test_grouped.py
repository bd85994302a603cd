"""Hybrids of groups of variables, of a model that comes with the package."""

import json

import jax
import pytest

import structae
from experiments.paper import grouped, results_file
from structae import build, sampling
from structae.evaluation.scene_distance import scene_distance

NAME = 'sae12-shapes3d_synth-32px'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(grouped, 'NUMBERS', (6, 1))
    patch.setattr(grouped, 'NUM_CODES', 500)
    patch.setattr(grouped, 'NUM_SAMPLES', 128)  # as many as are stored
    folder = tmp_path_factory.mktemp('grouped')
    assert grouped.main([NAME, f'--output={folder}']) == 0
  return folder


def test_variables_leave_their_scenes_alone_and_keep_them_together(folder):
  content = json.loads((folder / 'grouped.json').read_text())
  assert content['name'] == 'sae12'
  found = content['by_number']
  assert [len({*row['groups']}) for row in found.values()] == [12, 6, 1]
  model = structae.load_pretrained(NAME)
  tables = build.source(model.config).arrays
  alone = sampling.hybrid(jax.random.key(0), model.pool, 128)
  stored, _ = scene_distance(tables, model.decode(model.pool))
  expected = scene_distance(tables, model.decode(alone))[0].mean()
  assert found['12']['scene_distance'] == pytest.approx(expected)
  assert found['12']['new'] == 1
  # In one group they are copies.
  assert found['1']['new'] == 0
  assert found['1']['at_random'] <= stored.max() < expected
  assert (folder / 'grouped.png').is_file()


def test_they_come_into_the_file_of_results(folder):
  content = {}
  assert results_file.merge(content, folder) == ['hour']
  scores = content['hour']['models']['SAE-12']['scores']
  of_file = json.loads((folder / 'grouped.json').read_text())['by_number']
  values = scores['at_random_of_6_groups']['values']
  assert values == {'0': of_file['6']['at_random']}
  # Of other settings it stands beside.
  file = folder / 'grouped.json'
  of_file = json.loads(file.read_text())
  of_file['config']['train']['learning_rate'] = 0.5
  (other := folder / 'other').mkdir()
  (other / 'grouped.json').write_text(json.dumps(of_file))
  results_file.merge(content, other)
  models = content['hour']['models']
  assert [*models] == ['SAE-12', 'SAE-12, learning rate 0.5']


def test_bad_input_is_one_line(tmp_path, capsys):
  for flags, message in (
    ([NAME], 'there is no folder'),
    (['nothing', f'--output={tmp_path}'], 'nothing'),
  ):
    assert grouped.main(flags) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
  assert not [*tmp_path.iterdir()]
