import json
import re

import numpy as np
import pytest

from structae.evaluation.registry import SCORES
from structae.pages import comparison, seeds, wording
from structae.run import read_run


def rows(text):
  """The rows of the first table, as lists of plain cells."""
  table = re.search(r'<table.*?</table>', text, re.DOTALL)[0]
  return [
    [
      re.sub(r'<[^>]*>', '', cell).replace('\xa0', ' ').strip()
      for cell in re.findall(r'<t[hd].*?</t[hd]>', row, re.DOTALL)
    ]
    for row in re.findall(r'<tr>.*?</tr>', table, re.DOTALL)  # not of groups
  ]


@pytest.fixture
def folders(make_run):
  def scores(mig, bce):
    return {'mig': mig, 'test_bce': bce}

  return [
    make_run('a', seed=1, scores=scores(0.2, 107.0)),
    make_run('b', seed=2, scores=scores(0.5, 109.0)),
    make_run('c', model='vae', scores=scores(0.4, 105.0)),
  ]


def test_seeds_are_one_column_with_mean_and_deviation(folders, tmp_path):
  path = comparison.write_comparison(folders, tmp_path / 'page.html')
  head, *table = rows(path.read_text())
  assert head == ['score', 'SAE-4 × 2seed 1 seed 2', 'VAE', 'chance']
  assert table == [
    ['MIG ↑', '0.3500 ± 0.2121', '0.4000', ''],
    ['Test BCE ↓', '108.0 ± 1.4', '105.0', ''],
  ]


@pytest.fixture
def three_seeds(make_run):
  """MIG that seeds share, cross entropy that they do not, of two models."""

  def make(model, mig, bce):
    return [
      make_run(
        f'{model}-{seed}',
        model=model,
        seed=seed,
        scores={'mig': shared + mig, 'test_bce': noise + bce},
      )
      for seed, shared, noise in zip(
        (1, 2, 3), (0.1, 0.4, 0.7), (9, 1, 5) if mig else (1, 9, 5)
      )
    ]

  return [*make('sae4', 0.05, 100), *make('vae', 0.0, 101)]


def test_the_best_is_marked_where_paired_seeds_agree(three_seeds, tmp_path):
  path = comparison.write_comparison(three_seeds, tmp_path / 'page.html')
  means = re.search(
    r'<table class="comparison">.*?</table>', path.read_text(), re.DOTALL
  )[0]
  # The models' intervals overlap widely in both scores.
  best = re.findall(r'<td class="value best">([^<]*)<', means)
  assert best == ['0.4500 ± 0.3000']


def test_differences_are_of_the_same_seeds(three_seeds, tmp_path):
  path = comparison.write_comparison(three_seeds, tmp_path / 'page.html')
  table = path.read_text().split('>Differences</h2>')[1]
  assert rows(table)[1:] == [
    # Of 7, -9 and -1 six of eight signs have a mean as far from zero.
    ['Test BCE ↓', 'SAE-4', 'VAE', '-1.000', '-9.000 to 7.000', '0.750', '3'],
    ['MIG ↑', 'SAE-4', 'VAE', '0.05000', '0.05000 to 0.05000', '0.250', '3'],
  ]


def test_fewer_than_three_seeds_have_no_best(folders):
  groups = seeds.by_seed([read_run(folder) for folder in folders])
  assert seeds.best(groups, 'mig') is None
  found = seeds.statistics(groups, ['mig'])['mig']
  assert found['means']['SAE-4']['deviation'] == pytest.approx(0.15 * 2**0.5)
  assert found['means']['VAE'] == {
    'mean': 0.4, 'deviation': None, 'low': None, 'high': None, 'num': 1,
  }  # fmt: skip
  assert found['differences'] == []  # seeds 1 and 2, and seed 0


def test_scores_of_other_numbers_of_examples_have_no_best(make_run):
  runs = []
  for model, n in (('ae', 100), ('vae', 100), ('sae4', 200)):
    for seed in range(3):
      scores = {'disentanglement': n / 1000 + (model == 'vae')}
      folder = make_run(f'{model}{seed}', model=model, seed=seed, scores=scores)
      content = json.loads((folder / 'scores.json').read_text())
      content['scores']['disentanglement']['n'] = n
      (folder / 'scores.json').write_text(json.dumps(content))
      runs.append(read_run(folder))
  assert seeds.best(seeds.by_seed(runs[:6]), 'disentanglement') == 1
  assert seeds.best(seeds.by_seed(runs), 'disentanglement') is None
  assert not seeds.compared(seeds.by_seed(runs), 'disentanglement')


def test_three_seeds_have_an_interval():
  assert wording.interval(np.array([1.0, 2.0, 3.0])) == '95 %: 1.000 to 3.000'
  assert wording.interval(np.array([1.0, 2.0])) == ''


def test_columns_lead_to_the_pages_of_their_runs(folders, tmp_path):
  for folder in folders:
    (folder / 'report.html').write_text('')
  path = comparison.write_comparison(folders, tmp_path / 'new' / 'page.html')
  found = re.findall(r'href="([^#"]*)">([^<]*)<', path.read_text())
  assert found[:3] == [
    ('../a/report.html', 'seed 1'),
    ('../b/report.html', 'seed 2'),
    ('../c/report.html', 'VAE'),
  ]


def test_unfinished_runs_are_named_with_how_far_they_got(folders, tmp_path):
  (folders[1] / 'scores.json').unlink()
  path = comparison.write_comparison(folders, tmp_path / 'page.html')
  assert 'Not finished: b, step 39.' in path.read_text()
  head, *_ = rows(path.read_text())
  assert head == ['score', 'SAE-4', 'VAE', 'chance']


def test_the_best_is_marked_of_every_score_with_a_direction(make_run):
  members = {'factor': 'distance', 'set': 'prior', 'variable': 'U_1'}
  names = [
    f'{name}_{members[row.family]}' if row.family else name
    for name, row in SCORES.items()
  ]
  values = [dict.fromkeys(names, value) for value in (0.25, 0.5)]
  models = ('ae', 'vae')
  groups = seeds.by_seed(
    [
      read_run(make_run(f'{model}{i}', model=model, seed=i, scores=scores))
      for model, scores in zip(models, values)
      for i in range(3)
    ]
  )
  best = {name: seeds.best(groups, name) for name in names}
  assert [name for name in names if best[name] is None] == [
    'size',
    'kl_U_1',
    'kl_total',
    'active_units',
    'used_variables',
  ]
  assert best['probe_distance'] == best['factor_vae_test'] == 1
  assert best['pairwise_information'] == best['scene_distance_prior'] == 0
  assert seeds.best(groups, 'unheard_of') is None


def test_runs_on_other_data_are_in_another_table(make_run, folders, tmp_path):
  other = make_run('d', config={'data': {'name': 'faces', 'size': 8}})
  page = comparison.write_comparison([*folders, other], tmp_path / 'page.html')
  text = page.read_text()
  assert 'Scores on shapes, 8 × 8' in text and 'Scores on faces, 8 × 8' in text
  assert len(rows(text)) == 3


def test_groups_differ_in_more_than_their_seed(make_run):
  runs = [
    read_run(make_run(f'{beta}-{seed}', seed=seed, config={'beta': beta}))
    for beta, seed in [(1, 2), (4, 0), (1, 1)]
  ]
  groups = seeds.by_seed(runs)
  assert [group.name for group in groups] == ['SAE-4, beta 1', 'SAE-4, beta 4']
  assert [run.field('seed') for run in groups[0].runs] == [1, 2]
  assert seeds.differences(groups) == {'beta': ['1', '4']}


def test_labels_name_the_fewest_fields_that_tell_runs_apart(make_run):
  configs = [
    {'a': {'rate': 1, 'width': 8, 'depth': d, 'noise': n, 'both': (d, n)[i]}}
    for i, (d, n) in enumerate([(2, 0), (2, 1)])
  ] + [{'a': {'rate': 5, 'width': 9, 'depth': 7, 'noise': 0, 'both': 4}}]
  runs = [read_run(make_run(str(i), config=c)) for i, c in enumerate(configs)]
  names = [group.name for group in seeds.by_seed(runs)]
  assert names == ['SAE-4, both 2', 'SAE-4, both 1', 'SAE-4, both 4']


def test_what_was_scored_tells_no_groups_apart(make_run):
  runs = [
    read_run(make_run(metric, config={'evaluation': {'metrics': [metric]}}))
    for metric in ('mig', 'dci')
  ]
  (group,) = seeds.by_seed(runs)
  assert group.name == 'SAE-4'


def test_the_sheets_of_each_model_stand_together(folders, tmp_path):
  path = comparison.write_comparison(folders, tmp_path / 'page.html')
  alts = re.findall(r'alt="([^"]*)"', path.read_text())
  assert alts[:2] == ['Reconstructions of SAE-4', 'Reconstructions of VAE']
  assert len(alts) == 8
  assert path.stat().st_size <= 5_000_000


def test_a_missing_score_leaves_its_cell_empty(make_run, tmp_path):
  folders = [
    make_run('a', scores={'mig': 0.2}),
    make_run('b', model='vae', scores={'test_bce': 3.0}),
  ]
  path = comparison.write_comparison(folders, tmp_path / 'page.html')
  assert [row[1:] for row in rows(path.read_text())[1:]] == [
    ['0.2000', '–', ''],
    ['–', '3.000', ''],
  ]


def test_there_must_be_a_run(tmp_path):
  with pytest.raises(ValueError, match='no run'):
    comparison.write_comparison([], tmp_path / 'page.html')


@pytest.mark.parametrize('value', [3460.17, 0.0054321, 0.25, 12.0, 1.0, -7.25])
def test_numbers_are_written_to_four_digits(value):
  text = wording.number(value)
  np.testing.assert_allclose(float(text.replace(',', '')), value, rtol=5e-4)
  assert wording.number(float('nan')) == wording.number(None) == 'n/a'


@pytest.mark.parametrize(
  'name, title',
  [
    ('sae12', 'SAE-12'),
    ('sae_12', 'SAE-12'),
    ('ada_ae12', 'AdaAE-12'),
    ('adaae12', 'AdaAE-12'),
    ('vae', 'VAE'),
    ('beta_vae', 'β-VAE'),
  ],
)
def test_models_are_called_as_in_the_paper(name, title):
  assert wording.model_name(name) == title
