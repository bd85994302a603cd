"""What studies found comes onto the page of results, and into its claims."""

import json
import re

import numpy as np
import pytest

from experiments.paper import (
  claims,
  extrapolate,
  record,
  result_tables,
  results,
)
from structae import files
from structae.evaluation import uncertainty
from structae.pages.seeds import by_seed
from structae.run import read_run

PAGE = """# Results

<!-- results: claims -->

## The families over seeds

<!-- results: record -->

| old |

<!-- results: record differences -->

What it means.
"""
MIG = {'SAE-12': (0.50, 0.45, 0.60), 'AE': (0.10, 0.12, 0.05)}


@pytest.fixture
def docs(tmp_path):
  folder = tmp_path / 'docs'
  folder.mkdir()
  (folder / 'results.md').write_text(PAGE)
  (folder / 'results.json').write_text('{}')
  return folder


@pytest.fixture
def study(make_run, tmp_path):
  """A study of two models over three seeds; of another, two."""
  runs = [
    read_run(make_run(
      f'{model}-{seed}', model=model, seed=seed, config=CONFIG,
      scores={'disentanglement': value, 'test_mse': value / 100},
    ))
    for model, name in (('sae12', 'SAE-12'), ('ae', 'AE'))
    for seed, value in enumerate(MIG[name])
  ]  # fmt: skip
  about = {'study': 'record', 'command': 'python -m x', 'scale': 'hour',
           'changes': {}}  # fmt: skip
  content = record.of(by_seed(runs), [], None, about)
  (tmp_path / 'study').mkdir()
  path = tmp_path / 'study' / 'record.json'
  path.write_text(json.dumps(content, allow_nan=False))
  return path.parent


CONFIG = {'train': {'num_steps': 7, 'batch_size': 16, 'learning_rate': 9e-4}}


@pytest.fixture(autouse=True)
def without_parameters(monkeypatch):
  """The runs here have no model."""
  monkeypatch.setattr(record, 'num_parameters', lambda config: 12)
  monkeypatch.setattr('structae.run.Run.config', None)


def rows(text, name):
  """Cells by the first of their row."""
  table = results.tables(text)[name]
  lines = [re.split(r' *\| *', line)[1:-1] for line in table.splitlines()]
  return {first: rest for first, *rest in lines}


def test_a_study_comes_onto_the_page(docs, study):
  assert results.main([str(study), f'--docs={docs}']) == 0
  page = (docs / 'results.md').read_text()
  values = np.array(MIG['SAE-12'])
  mean, deviation = values.mean(), values.std(ddof=1)
  table = rows(page, 'record')
  head, row = table[''], table['SAE-12']
  found = dict(zip(head, row))
  assert found['seeds'] == '3' and found['learning rate'] == '9e-4'
  expected = f'{mean:.2f} ± {deviation:.2f}'.replace('0.', '.')
  assert found['DCI disentanglement'] == expected
  assert 'MIG' not in head  # nobody has it
  # The reference less the other, on the same seeds.
  low, high = uncertainty.difference(MIG['SAE-12'], MIG['AE'])[1:3]
  table = rows(page, 'record differences')
  cell = dict(zip(table[''], table['AE']))['DCI disentanglement']
  assert cell == f'[{low:.2f}, {high:.2f}]'.replace('0.', '.')
  assert '|\n\nWhat it means.' in page  # else it would be a row of the table
  # The same again changes nothing.
  assert results.main([f'--docs={docs}']) == 0
  assert (docs / 'results.md').read_text() == page


def test_a_claim_is_judged_by_the_interval_of_its_difference(docs, study):
  results.main([str(study), f'--docs={docs}'])
  table = rows((docs / 'results.md').read_text(), 'claims')
  (claim,) = [name for name in table if 'disentangled than an AE' in name]
  found = dict(zip(table['claim'], table[claim]))
  assert found['here'] == 'shows' and found['seeds'] == '3'
  assert found['by'] == '[record, hour](#the-families-over-seeds)'
  a, b = ({str(i): x for i, x in enumerate(MIG[m])} for m in MIG)
  assert claims.verdict(uncertainty.paired(a, b), 1) == 'shows'
  assert claims.verdict(uncertainty.paired(b, a), 1) == 'does not show'
  mixed = {'0': 1.0, '1': -1.0, '2': 0.5}
  zero = dict.fromkeys(mixed, 0.0)
  assert claims.verdict(uncertainty.paired(mixed, zero), 1) == 'does not show'
  del a['0']
  few = claims.verdict(uncertainty.paired(a, b), 1)
  assert few == claims.verdict(None, 1) == 'cannot be told at this scale'


def test_a_run_adds_its_seed_to_those_of_the_same_settings(docs, make_run):
  (docs / 'results.md').write_text('<!-- results: claims -->\n\n')
  hour = {'scale': 'hour', 'data': {'name': 'shapes3d_synth', 'size': 32}}
  wide = hour | {'model': {'width': 64, 'str_tfm': [64]}}
  free = hour | {'train': {'log_every': 7, 'num_steps': 80_000}}
  for i, (seed, config) in enumerate(((0, hour), (1, free), (0, wide))):
    run = make_run(f'r{i}', model='sae12', seed=seed, config=config,
                   scores={'mig': 0.25 + i, 'unheard_of': 1.0})  # fmt: skip
    assert results.main([str(run), f'--docs={docs}']) == 0
  content = json.loads((docs / 'results.json').read_text())
  models = content['hour']['models']
  assert [*models] == ['SAE-12', 'SAE-12, width 64']
  assert models['SAE-12']['seeds'] == [0, 1]
  scores = models['SAE-12']['scores']
  assert [*scores] == ['mig']
  assert scores['mig']['values'] == {'0': 0.25, '1': 1.25}
  assert scores['mig']['mean'] == 0.75
  assert models['SAE-12, width 64']['scores']['mig']['values'] == {'0': 2.25}


def test_an_extrapolation_adds_its_seed_likewise(docs, tmp_path):
  (docs / 'results.md').write_text('<!-- results: missing shape -->\n\n')
  folder = tmp_path / 'extrapolation'
  for seed, width in ((0, 32), (1, 32), (1, 64)):
    config = {'scale': 'quick', 'seed': seed, 'model': {'width': width}}
    errors = {
      column: 0.01 + seed for column in ('none', 'encoder', 'decoder', 'both')
    }
    found = {
      'model': 'sae12', 'seed': seed, 'scale': 'quick', 'hold_out': 'shape',
      'config': config, 'mse': errors, 'mse_familiar': errors,
    }  # fmt: skip
    files.write_text(folder / extrapolate.RESULT, json.dumps(found))
    assert results.main([str(folder), f'--docs={docs}']) == 0
  content = json.loads((docs / 'results.json').read_text())
  models = content['extrapolation']['models']
  assert {name: model['seeds'] for name, model in models.items()} == {
    'SAE-12': [0, 1], 'SAE-12, width 64': [1],
  }  # fmt: skip
  scores = models['SAE-12']['scores']
  assert scores['mse_shape_decoder']['values'] == {'0': 0.01, '1': 1.01}


@pytest.mark.parametrize(
  'number, decimals, text',
  [(0.734, 2, '.73'), (-1.21, 1, '−1.2'), (-0.004, 2, '.00'), (1234.5, 0,
   '1,234'), (0.0, 0, '0'), (10.4, 1, '10.4')],
)  # fmt: skip
def test_numbers_are_written_without_a_zero_before_the_point(
  number, decimals, text
):
  assert claims.number(number, decimals) == text


def test_rates_are_short():
  assert result_tables._fact({'x': 1.5e-3}, 'x') == '1.5e-3'
  assert result_tables._fact({'x': 9e-4}, 'x') == '9e-4'


def test_bad_input_is_one_line(docs, tmp_path, capsys):
  (docs / 'results.md').write_text('<!-- results: record -->\n\n')
  for flags, message in (
    ([str(tmp_path / 'x'), f'--docs={docs}'], 'holds none of record.json'),
    ([f'--docs={docs}'], "nothing is known of 'record'"),
    ([f'--docs={tmp_path}'], 'give the folder of the documents'),
  ):
    assert results.main(flags) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
