import pkgutil
import subprocess
import sys

import pytest

from structae.evaluation import inputs, registry
from structae.evaluation.registry import SCORES

# What is better, as the sources of the scores say; None where neither is.
BETTER = {
  'mig': 'higher',
  'modularity': 'higher',
  'disentanglement': 'higher',
  'completeness': 'higher',
  'informativeness_train': 'higher',  # an accuracy here, not an error
  'informativeness_test': 'higher',
  'ease_of_use': 'higher',
  'size': None,
  'irs': 'higher',
  'explicitness_train': 'higher',
  'explicitness_test': 'higher',
  'sap': 'higher',
  'sap_continuous': 'higher',
  'factor_vae_train': 'higher',
  'factor_vae_test': 'higher',
  'beta_vae_train': 'higher',
  'beta_vae_test': 'higher',
  'infom': 'higher',
  'infoc': 'higher',
  'infoe': 'higher',
  'mig_by_variable': 'higher',
  'disentanglement_by_variable': 'higher',
  'completeness_by_variable': 'higher',
  'irs_by_variable': 'higher',
  'total_correlation': 'lower',
  'wasserstein_correlation': 'lower',
  'wasserstein_correlation_normalized': 'lower',
  'pairwise_information': 'lower',
  'distance_correlation': 'lower',
  'used_variables': None,
  'order_correlation': 'higher',  # a correlation, and yet
  'mig_periodic': 'higher',
  'completeness_periodic': 'higher',
  'kl': None,
  'kl_total': None,
  'active_units': None,
  'elbo': 'higher',
  'scene_diversity': 'higher',
  'scene_break': 'lower',
  'fid_break': 'lower',
  'fid': 'lower',
  'kid': 'lower',
  'precision': 'higher',
  'recall': 'higher',
  'test_bce': 'lower',
  'test_bce_above_floor': 'lower',
  'test_loss': 'lower',
  'test_mse': 'lower',
  'explained_variance': 'higher',
  'probe': 'higher',
  'scene_distance': 'lower',
  'seen': 'higher',
  'udr': 'higher',
}


def test_every_score_has_its_direction():
  assert {name: score.better for name, score in SCORES.items()} == BETTER


@pytest.mark.parametrize('name', SCORES)
def test_a_row_is_whole(name):
  score = SCORES[name]
  assert score.group in registry.GROUPS
  assert score.definition.endswith(('.', '?')) and ': ' in score.definition
  assert score.why or None not in (score.better, score.chance)
  assert ('{of}' in score.definition) == bool(score.family)
  assert {*score.needs} <= {*registry.NEEDS}
  assert callable(pkgutil.resolve_name(score.function))


def test_inputs_tell_whether_there_is_what_a_score_may_need():
  assert inputs._PRESENT.keys() == registry.NEEDS.keys()


def test_all_names_every_metric_once():
  found = registry.expand(['sap', 'all', 'sap'], width=2)
  assert found[0] == 'sap' and len(found) == len({*found})
  assert {*found} == {*registry.NAMES} - {'all'}
  single = registry.expand(['all'], width=1)
  assert 'distance_correlation' in single and 'dci_by_variable' not in single
  assert registry.expand(['dci_by_variable'], 1) == ['dci_by_variable']
  with pytest.raises(ValueError, match="unknown metric 'fib', expected some"):
    registry.expand(['mig', 'fib'], 1)


def test_names_are_checked_before_anything_heavy_loads():
  code = (
    'import sys\n'
    'from structae.evaluation import definitions, registry\n'
    'registry.check_names(registry.NAMES)\n'
    'print([m for m in ("numpy", "jax", "sklearn") if m in sys.modules])'
  )
  done = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True, check=True
  )
  assert done.stdout.strip() == '[]'
