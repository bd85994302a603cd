"""What a study shows of its runs."""

import json
import math
import re
import types

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from experiments.paper import pages, planning, record, studies, study
from experiments.paper.choosing import Choice
from experiments.paper.studies import Part, Search, Study
from structae import config as config_lib
from structae.run import Run
from tests.experiments.paper.trainings import finish


@pytest.fixture
def drawn(monkeypatch):
  """Figures of a study by their names, to be set."""
  figures = types.SimpleNamespace()
  monkeypatch.setattr(pages, 'paper', figures)
  return figures


def plan_of(root, *parts):
  runs = root / 'runs'
  return planning.Plan(Study('', parts), 'smoke', 'shapes3d_synth', 2, runs)


def cells(line):
  return [cell.strip() for cell in line.strip('|').split('|')]


def test_the_table_is_of_means_over_seeds(tmp_path):
  plan = plan_of(tmp_path, Part(('ae',)))
  for i, job in enumerate(plan.finals()):
    finish(job, loss=1.0)
    Run(job.folder).save_scores({'scores': {'mig': {'value': 0.25 + i / 2}}})
    timing = [{'step': n, 'seconds': 30 * (i + 1)} for n in (1, 2)]
    text = '\n'.join(map(json.dumps, timing)) + '\n'
    (job.folder / 'timing.jsonl').write_text(text)
  assert pages.write(plan, 'tiny', 'Nothing.', tmp_path) == []
  head, _, row, *_ = (tmp_path / 'table.md').read_text().splitlines()
  found = dict(zip(cells(head), cells(row)))
  assert found['model'] == 'AE' and found['seeds'] == '2'
  assert found['MIG'] == '0.5000 ± 0.3536'
  assert found['minutes'] == '1.5'  # of one and two
  page = (tmp_path / 'index.html').read_text()
  assert 'Nothing.' in page and 'href="comparison.html"' in page
  assert (tmp_path / 'comparison.html').is_file()
  (by_score,) = json.loads((tmp_path / 'statistics.json').read_text()).values()
  found = by_score['mig']['means']['AE']
  assert (found['mean'], found['num'], found['low']) == (0.5, 2, None)


def test_parameters_are_counted_without_a_run():
  assert record.num_parameters(config_lib.get_config('sae12')) == 1_123_663


def test_the_chosen_value_is_marked():
  results = {3e-4: 7.125, 5e-4: 6.5, 9e-4: math.inf, 2e-3: None}
  made = [
    Choice('ae', 'train.learning_rate', 'reconstruction', results),
    Choice('vae', 'objective.beta', 'bound', {2.0: 3.0, 4.0: 2.0}),
  ]
  (_, *rows), words = pages.choices(made)
  field = 'train.learning_rate'
  assert rows == [
    ['AE', field, '0.0003', '7.12', ''],
    ['AE', field, '0.0005', '6.50', ''],
    ['AE', field, '0.0009', 'diverged', ''],
    ['AE', field, '0.002', 'not finished', ''],
    ['VAE', 'objective.beta', '2', '3.00', ''],
    ['VAE', 'objective.beta', '4', '2.00', '*'],
  ]
  assert 'last validation loss' in words and 'KL divergence' in words


def test_figures_are_saved_by_what_they_are(tmp_path, drawn):
  image = np.full((4, 5, 3), 7, np.uint8)
  drawn.some = lambda runs: {'a': 'text', 'b': image, 'c': Figure()}
  written = pages.draw('some', [], tmp_path)
  assert [path.name for path in written] == ['a.md', 'b.png', 'c.png']
  assert written[0].read_text() == 'text'
  with Image.open(written[1]) as picture:
    np.testing.assert_array_equal(np.asarray(picture), image)


def test_a_figure_that_fails_is_named_and_costs_no_other(
  tmp_path, drawn, capsys
):
  part = Part(('ae', 'vae'), ('broken', 'lacks', 'drawn'), hold_out='camera')
  plan = plan_of(tmp_path, part)
  for number, job in enumerate(plan.finals()):
    job.folder.mkdir(parents=True)
    path = job.folder / 'extrapolation.json'
    path.write_text(json.dumps({'mse': number + 0.5}))

  def lacks(found):
    raise ValueError('it needs more')

  # An extrapolation gives its result in place of a run.
  drawn.drawn = lambda found: {'all': repr([x['mse'] for x in found])}
  drawn.lacks = lacks
  broken, missing = pages.write(plan, 'tiny', '', tmp_path)
  assert broken.startswith('figure broken: AttributeError')
  assert missing == 'figure lacks: it needs more'
  assert capsys.readouterr().err.count('Traceback') == 1
  assert (tmp_path / 'all.md').read_text() == '[0.5, 1.5, 2.5, 3.5]'
  page = (tmp_path / 'index.html').read_text()
  assert missing in page and 'figure broken' in page


SMALL = {
  'model.num_variables': 4,
  'model.num_latents': 4,
  'model.num_blocks': 4,
  'model.width': 4,
  'model.num_groups': 1,
  'model.head': (4,),
  'model.str_tfm': (4,),
  'evaluation.num_train': 64,
  'evaluation.num_validation': 8,
  'evaluation.num_test': 32,
  'evaluation.batch_size': 32,
  'evaluation.metrics': ('mig',),
}


def test_a_real_study_from_the_command_to_the_page(tmp_path, monkeypatch):
  """One that is matched with itself, of a changed field."""
  figures = ('families', 'traversals', 'controllable', 'sample_sheets')
  small = tuple(SMALL.items())
  search = Search('train.learning_rate', (1e-3,), 'reconstruction', small)
  part = Part(
    ('sae4',),
    figures,
    searches={'sae4': search},
    changes=(('data.split_seed', 1),),
    num_checkpoints=2,
  )
  tiny = Study('One model.', (part,), is_matched=True)
  monkeypatch.setitem(studies.STUDIES, 'tiny', tiny)
  places = (f'--runs={tmp_path}/runs', f'--output={tmp_path}/s')
  asked = (
    '--scale=smoke',
    '--seeds=1',
    '--jobs=1',
    '--config.train.num_steps=2',
  )
  assert study.main(['tiny', *asked, *places]) == 0
  folder = tmp_path / 's' / 'tiny-shapes3d_synth-smoke-num_steps=2'
  names = {path.name for path in folder.iterdir()}
  shown = {f'{name}-shapes3d_synth-32.png' for name in figures}
  assert names >= {'families.md', 'table.md', 'choice.md', 'comparison.html',
                   'intervals.md', 'matched.md', *shown}  # fmt: skip
  table = (folder / 'table.md').read_text().splitlines()
  assert 'Test BCE' in table[0] and cells(table[2])[-1] != '–'
  choice = (folder / 'choice.md').read_text().splitlines()[2]
  assert cells(choice)[-1] == r'\*'
  assert (folder / 'index.html').read_text().count('data:image/png') == 4
  _check_record(json.loads((folder / 'record.json').read_text()), tmp_path)


def _check_record(numbers, root):
  assert numbers['reference'] == 'SAE-4' and numbers['changes'] == {
    'train.num_steps': 2
  }
  runs = [Run(path) for path in sorted((root / 'runs').iterdir())]
  ((name, model),) = numbers['models'].items()
  assert model['seeds'] == [0] and model['learning_rate'] == 1e-3
  (tried,) = model['tried'].values()
  assert tried['scale'] == 'smoke' and [*tried['results']] == ['0.001']
  for score, entry in model['scores'].items():
    values = {str(r.field('seed')): r.scores[score]['value'] for r in runs}
    assert entry['values'] == values
    assert math.isclose(entry['mean'], np.mean([*values.values()]))
  # The worst run, here the only one, is matched with itself.
  losses = {str(r.field('seed')): r.curve('validation_loss')[1] for r in runs}
  level = numbers['matched']['level']
  assert level == max(some[-1] for some in losses.values())
  found = numbers['matched']['models'][name]
  for seed, some in losses.items():
    assert found['losses'][seed] == min(some, key=lambda x: abs(x - level))
  assert set(found['scores']) >= {'disentanglement', 'mig', 'test_mse'}


def test_names_are_text_in_tables_and_on_the_page(tmp_path):
  name = 'a|b <script>alert(1)</script> [c](javascript:d) `'
  rows = [['model', 'MIG'], [name, '0.5']]
  section = pages._table('Scores', rows, 'Note.', tmp_path / 'table.md')
  assert '<script' not in section.content
  (*_, row) = (tmp_path / 'table.md').read_text().split('\n\n')[0].splitlines()
  assert len(re.split(r'(?<!\\)\|', row)) == 4  # two cells
  assert not re.search(r'(?<!\\)[`<\[]', row)
  page = pages._page(name, name, [], [name], [section], [name])
  assert '<script' not in page
  assert 'href="javascript' not in page and 'href="a%7Cb' in page
