import json

import numpy as np
import pytest

from structae import evaluation
from structae.evaluation import codes as saved
from structae.evaluation import registry, score_file
from structae.evaluation import score as scores
from structae.evaluation.inputs import Inputs


def _codes(num=240, width=1, seed=0, **changes):
  rng = np.random.default_rng(seed)
  factors = np.stack([rng.integers(0, k, num) for k in (3, 4)], axis=1)
  z = factors @ np.array([[1.0, 0.2, 0.0], [0.1, -1.0, 0.0]])
  z = z[:, :, None] + 0.2 * rng.normal(size=(num, 3, width))
  values = (z, None, factors, ('a', 'b'), (3, 4), np.arange(num), {'step': 1})
  return saved.Codes(*values)._replace(**changes)


def test_every_metric_is_scored_and_survives_json(tmp_path):
  train, test = _codes(width=2), _codes(num=120, width=2, seed=1)
  result = scores.score_codes(train, test)
  assert set(result['details']) == set(registry.METRICS)
  score_file.save(tmp_path / 'new' / 'scores.json', result)
  text = (tmp_path / 'new' / 'scores.json').read_text()
  assert json.loads(text) == json.loads(json.dumps(result))
  assert 'NaN' not in text and 'Infinity' not in text
  assert 'scikit-learn' in result['versions']
  rows = registry.SCORES.values()
  expected = {row.name for row in rows if row.metric in registry.METRICS}
  assert set(result['scores']) == expected
  for name, entry in result['scores'].items():
    split = 'held-out codes' in registry.SCORES[name].needs
    assert entry['n'] == 240 and entry.get('n_test') == (120 if split else None)
    low, high = (x if x is not None else entry['value'] for x in entry['range'])
    assert low <= entry['value'] <= high + 1e-9
    assert name in score_file.table(result)
  for matrix in result['matrices'].values():
    shape = len(matrix['rows']), len(matrix['columns'])
    assert np.shape(matrix['values']) == shape


def test_no_name_is_hidden_by_a_module_of_that_name():
  first = [getattr(evaluation, name) for name in evaluation.__all__]
  assert first == [getattr(evaluation, name) for name in evaluation.__all__]
  assert all(map(callable, first))


def test_scores_are_those_of_the_functions():
  train, test = _codes(), _codes(num=120, seed=1)
  names = ['mig', 'explicitness', 'distance_correlation']
  result = scores.score_codes(train, test, names)
  z, v = train.codes[:, :, 0], train.factors
  expected = evaluation.mig(z, v)
  mig = result['scores']['mig']
  assert mig['value'] == expected['mig']
  matrix = result['matrices']['mutual_information']['values']
  np.testing.assert_array_equal(matrix, expected['mutual_information'])
  split = evaluation.explicitness(z, v, test.codes[:, :, 0], test.factors)
  for key in ('explicitness_train', 'explicitness_test'):
    assert result['scores'][key]['value'] == split[key]
  assert mig['chance'] < 0.1 < mig['value']
  assert abs(result['scores']['distance_correlation']['chance']) < 0.02


def test_an_entry_says_what_it_is():
  entry = scores.score_codes(_codes(), metrics=['mig'])['scores']['mig']
  assert entry['score'] == 'mig' and 'of' not in entry
  assert entry['group'] == 'is a factor in one number'
  assert (entry['range'], entry['better']) == ([0, 1], 'higher')
  names = ('distance', 'loss')
  codes = _codes(factor_names=names)
  found = scores.score(['probe'], Inputs(codes, codes))['scores']
  assert list(found) == ['probe_distance', 'probe_loss']
  for name, entry in zip(names, found.values()):
    assert (entry['score'], entry['of']) == ('probe', name)
    assert entry['better'] == 'higher' and name in entry['definition']


@pytest.mark.parametrize(
  'metric, names, reason',
  [
    ('fid', ['fid'], 'needs images.'),
    ('order', ['order_correlation'], 'needs a decoder.'),
    ('dci_by_variable', ['disentanglement_by_variable',
                         'completeness_by_variable'], 'needs a held-out part.'),
    ('udr', ['udr'], 'compares models: call evaluation.udr.'),
  ],
)  # fmt: skip
def test_a_score_whose_needs_are_not_met_is_missing(metric, names, reason):
  lines = []
  inputs = Inputs(_codes(num=600), log=lines.append)
  found = scores.score([metric, 'mig'], inputs)['scores']
  assert list(found) == [*names, 'mig'] and lines == [f'{metric}: {reason}']
  for name in names:
    assert found[name]['value'] is None and found[name]['missing'] == reason
  assert found['mig']['value'] > 0


def test_metrics_by_variable_need_wide_variables():
  default = scores.score_codes(_codes(num=60), chance=False)['scores']
  assert not any(name.endswith('by_variable') for name in default)


def test_a_third_is_held_out_by_default():
  codes = _codes(num=90)
  result = scores.score_codes(codes, metrics=['sap', 'mig'], chance=False)
  assert result['scores']['sap']['n'] == 60
  assert result['scores']['sap']['n_test'] == 30
  assert result == scores.score_codes(codes, metrics=['sap', 'mig'], chance=0)


def test_constant_factors_are_left_out_and_named():
  codes = _codes()
  both = np.insert(codes.factors, 1, 2, axis=1)
  wide = codes._replace(
    factors=both, factor_names=('a', 'c', 'b'), factor_sizes=(3, 3, 4)
  )
  result = scores.score_codes(wide, metrics=['mig'])
  assert result['codes']['dropped_factors'] == ['c']
  assert result['codes']['factor_names'] == ['a', 'b']
  same = scores.score_codes(codes, metrics=['mig'])
  assert result['scores']['mig'] == same['scores']['mig']


@pytest.mark.parametrize(
  'train, test, metrics, message',
  [
    (_codes(), None, ['fib'], "unknown metric 'fib', expected some of mig"),
    (_codes(), _codes(width=2), None, 'K and D differ'),
    (
      _codes(),
      _codes(factor_names=('a', 'x')),
      None,
      'factors are a, b, those',
    ),
    (_codes(num=2), None, None, '2 rows of codes'),
    (_codes(codes=np.zeros((240, 1, 1))), None, ['mig'], 'mig: mig compares'),
    (_codes(factors=np.ones((240, 2), int)), None, ['mig'], 'mig: no factor'),
    (_codes(), None, ['fid'], 'fid is no metric of codes alone'),
  ],
)
def test_unfit_codes_are_named(train, test, metrics, message):
  with pytest.raises(ValueError, match=message):
    scores.score_codes(train, test, metrics)


def test_what_is_not_finite_is_not_written(tmp_path):
  with pytest.raises(ValueError):
    score_file.save(tmp_path / 'a.json', {'mig': float('nan')})
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('num_factors', [0, 2])
def test_without_a_factor_that_varies_dependence_is_scored(
  num_factors, tmp_path
):
  names = ('a', 'b')[:num_factors]
  codes = _codes(
    factors=np.ones((240, num_factors), np.int32),
    factor_names=names,
    factor_sizes=(3, 4)[:num_factors],
  )
  saved.save(tmp_path / 'codes.npz', codes)
  codes = saved.load(tmp_path / 'codes.npz')
  assert codes.factors.shape == (240, num_factors)
  result = scores.score_codes(codes)
  assert result['codes']['dropped_factors'] == list(names)
  for name, entry in result['scores'].items():
    needs_none = 'factors' not in registry.SCORES[name].needs
    assert (entry['value'] is not None) == needs_none, name
    assert ('missing' in entry) != needs_none
  (line,) = score_file.missing(result)
  assert line.startswith('mig, modularity') and 'no factor varies' in line
  assert 'missing' in score_file.table(result)


def test_one_latent_has_no_gap_but_other_scores():
  codes = _codes(num=90)
  codes = codes._replace(codes=codes.codes[:, :1])
  result = scores.score_codes(codes, metrics=['mig', 'modularity'])
  assert result['scores']['mig']['value'] is None
  assert 'compares two latents' in result['scores']['mig']['missing']
  assert result['scores']['modularity']['value'] > 0


def test_matrices_between_latents_name_latents():
  codes = _codes()  # of 3 latents
  factors = np.random.default_rng(0).integers(0, 2, (240, 3))
  codes = codes._replace(
    factors=factors, factor_names=('a', 'b', 'c'), factor_sizes=(2, 2, 2)
  )
  matrices = scores.score_codes(
    codes, metrics=['mig', 'pairwise_information'], chance=False
  )['matrices']
  assert matrices['mutual_information']['columns'] == ['a', 'b', 'c']
  between = matrices['latent_information']
  assert between['columns'] == between['rows'] == ['U_1', 'U_2', 'U_3']


def test_merging_keeps_what_was_found_and_its_versions(tmp_path):
  path = tmp_path / 'scores.json'
  old = scores.score_codes(_codes(), metrics=['mig', 'irs'], chance=False)
  old['versions']['scikit-learn'] = '0.1'
  score_file.save(path, old)
  new = scores.score_codes(_codes(), metrics=['modularity'], chance=False)
  new['scores']['mig'] = {'value': None, 'missing': 'why'}
  merged, line = score_file.merge(path, new)
  assert list(merged['scores']) == ['mig', 'irs', 'modularity'] and not line
  assert merged['scores']['mig']['value'] == old['scores']['mig']['value']
  assert merged['scores']['irs']['versions']['scikit-learn'] == '0.1'
  assert 'versions' not in merged['scores']['modularity']
  assert merged['versions'] == new['versions']
  other = scores.score_codes(_codes(width=2), metrics=['irs'], chance=False)
  merged, line = score_file.merge(path, other)
  assert list(merged['scores']) == ['irs'] and 'of other codes' in line


def test_dependence_is_compared_with_independent_numbers():
  rng = np.random.default_rng(0)
  z = np.repeat(rng.normal(size=(300, 1)), 3, 1)
  z = z + 0.3 * rng.normal(size=(300, 3))
  names = ['gaussian_dependence', 'pairwise_information']
  codes = saved.from_arrays(z)
  found = scores.score_codes(codes, codes, names)['scores']
  alone = np.stack([rng.permutation(column) for column in z.T], axis=1)
  free = evaluation.pairwise_information(alone)
  pairwise = found['pairwise_information']
  assert pairwise['chance'] < 0.75 * pairwise['value']
  expected = free['pairwise_information']
  assert pairwise['chance'] == pytest.approx(expected, rel=0.1)
  assert found['total_correlation']['chance'] < 0.05


def test_dependence_of_unused_latents_is_gone_in_samples():
  rng = np.random.default_rng(0)
  # A collapsed posterior: its means move together, by nothing of its spread.
  means = 1e-3 * np.repeat(rng.normal(size=(600, 1)), 2, 1)
  means += 1e-5 * rng.normal(size=(600, 2))
  codes = saved.from_arrays(means, log_var=np.zeros((600, 2)))
  content = scores.score_codes(codes, metrics=['gaussian_dependence'])
  found = content['scores']
  assert found['total_correlation']['value'] > 2
  entry = found['total_correlation_sampled']
  assert entry['value'] < 0.05
  assert (entry['score'], entry['of']) == ('total_correlation', 'sampled')
  assert 'drawn from the posterior' in entry['definition']
  assert entry['better'] == 'lower' and entry['chance'] < 0.05


def test_the_paper_s_points_are_of_all_parts():
  parts = [_codes(num=90, seed=seed) for seed in range(3)]
  train, test, validation = parts
  content = scores.score_codes(
    train, test, ['sap', 'mig'], validation=validation, points='full'
  )
  fit, held_out = saved.redrawn(parts)
  expected = evaluation.mig(fit.codes[:, :, 0], fit.factors)
  entry = content['scores']['mig']
  assert (entry['value'], entry['n']) == (expected['mig'], 180)
  assert entry['points'] == 'full'
  assert content['scores']['sap']['n_test'] == len(held_out.codes) == 90
  with pytest.raises(ValueError, match="points is 'all', expected 'split'"):
    scores.score_codes(train, points='all')


def test_a_seed_reaches_every_metric_that_draws():
  codes = _codes(num=600)
  names = ['distance_correlation', 'factor_vae_score', 'sap', 'dci_es']
  found = scores.score_codes(codes, codes, names, chance=False, seed=5)
  for name in names:
    assert found['details'][name]['seed'] == 5
  assert all(entry['seed'] == 5 for entry in found['scores'].values())


def test_repeats_keep_mean_and_deviation_over_seeds():
  codes = _codes(num=600)
  once = [
    scores.score_codes(codes, metrics=['sap'], seed=seed, chance=False)
    for seed in (3, 4, 5)
  ]
  values = [x['scores']['sap']['value'] for x in once]
  content = scores.score_codes(codes, metrics=['sap'], seed=3, repeats=3)
  entry = content['scores']['sap']
  assert entry['value'] == values[0] and entry['seeds'] == [3, 4, 5]
  assert entry['mean'] == pytest.approx(np.mean(values))
  assert entry['std'] == pytest.approx(np.std(values, ddof=1))
  shown = f'{entry["mean"]:.4f} ± {entry["std"]:.4f} over 3 seeds'
  assert shown in score_file.table(content)


@pytest.mark.parametrize('columns', [60, 80, 100, 140, 200])
def test_a_table_fits_its_terminal(columns):
  content = scores.score_codes(_codes(num=600), metrics=['mig', 'sap'])
  content['scores']['fid'] = {'value': None, 'missing': 'needs images. ' * 9}
  lines = score_file.table(content, columns).splitlines()
  assert max(map(len, lines)) <= columns
  text = ''.join(''.join(lines).split())
  for name, entry in content['scores'].items():
    assert name in text
    if 'definition' in entry:
      shown = ''.join(entry['definition'].split()) in text
      assert shown == (columns > 120)
  assert 'needsimages.' * 9 in text


def test_too_few_rows_are_warned_of():
  with pytest.warns(UserWarning, match='240 rows of codes: scores of fewer'):
    scores.score_codes(_codes(), metrics=['mig'], chance=False)
  codes = _codes(num=600)
  many = saved.from_arrays(codes.codes, np.arange(600) // 2)
  with pytest.warns(UserWarning, match='factor_0 has 300 values in 600 rows'):
    scores.score_codes(many, metrics=['mig'], chance=False)


def test_scores_of_other_codes_are_not_kept_beside(tmp_path):
  path = tmp_path / 'scores.json'
  score = lambda codes, metric: scores.score_codes(
    codes, metrics=[metric], chance=False
  )
  codes = _codes(meta={})
  score_file.save(path, score(codes, 'mig'))
  merged, line = score_file.merge(path, score(codes, 'irs'))
  assert list(merged['scores']) == ['mig', 'irs'] and not line
  # Of one shape and names, with one number changed.
  changed = codes.codes.copy()
  changed[0, 0, 0] += 1
  factors = codes.factors.copy()
  factors[0, 0] = (factors[0, 0] + 1) % 3
  for others in (
    codes._replace(codes=changed),
    codes._replace(factors=factors),
  ):
    merged, line = score_file.merge(path, score(others, 'irs'))
    assert list(merged['scores']) == ['irs'] and 'of other codes' in line
