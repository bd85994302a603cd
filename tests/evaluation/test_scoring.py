"""A trained run is scored as far as its data allow."""

import numpy as np
import pytest

from structae import scoring
from structae.evaluation import registry as metrics
from structae.evaluation.codes import Codes


def codes_of(factors, seed=0):
  codes = np.random.default_rng(seed).normal(size=(len(factors), 4, 1))
  num = factors.shape[1]
  names, sizes = tuple(f'f{j}' for j in range(num)), (9,) * num
  numbers = np.arange(len(factors))
  return Codes(codes, None, factors, names, sizes, numbers, {})


@pytest.mark.parametrize('num_factors', [0, 1])
def test_data_without_a_varying_factor_say_what_is_missing(num_factors):
  codes = codes_of(np.full((60, num_factors), 2))
  lines = []
  names = list(metrics.QUICK)
  content = scoring.code_scores(codes, codes, names, lines.append)
  assert lines == ['mig, modularity, irs, sap_continuous: no factor varies.']
  assert content['scores']['total_correlation']['value'] > 0
  assert scoring.probe_scores(codes, codes) == {}
  lines.clear()
  content = scoring.code_scores(codes, codes, ['mig'], lines.append)
  assert content['scores'] == {} and 'not scored: mig: no factor' in lines[0]


def test_probes_read_the_factors_that_vary():
  values = np.repeat([0, 1], 40)
  codes = codes_of(np.stack([values, np.full(80, 3)], axis=1))
  codes.codes[:, 1, 0] += 100 * values
  found = scoring.probe_scores(codes, codes)
  assert list(found) == ['probe_f0']
  assert found['probe_f0']['value'] == 1 and found['probe_f0']['chance'] == 0.5


def test_examples_that_are_alike_have_no_variance_to_explain():
  rng = np.random.default_rng(0)
  examples = rng.normal(size=(50, 3)).astype(np.float32)
  mse = float(np.mean((examples - examples.mean(0)) ** 2))
  found = scoring.vector_scores(1.0, mse / 4, examples, 50)
  assert found['explained_variance']['value'] == pytest.approx(0.75)
  alike = np.repeat(examples[:1], 50, axis=0)
  entry = scoring.vector_scores(1.0, 0.5, alike, 50)['explained_variance']
  assert entry['value'] is None and 'alike' in entry['missing']


def test_all_names_every_metric_of_its_kind():
  found = metrics.select(['mig', 'all', 'mig'], width=2)
  assert found.of_codes[0] == 'mig'
  assert sorted(found.of_codes) == sorted(metrics.METRICS)
  assert found.of_images == list(metrics.IMAGE_METRICS)
  assert found.of_run == list(metrics.RUN_METRICS)
  single = metrics.select(['all'], width=1).of_codes
  assert 'distance_correlation' in single and 'dci_by_variable' not in single
  named = metrics.select(['dci_by_variable', 'order'], 1)
  assert named == (['dci_by_variable'], [], ['order'])
