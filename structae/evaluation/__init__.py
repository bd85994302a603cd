"""Scores of codes against factors: functions of two arrays.

Names are imported when first asked for, so that a metric loads only what it
needs: `structae.evaluation.mig(codes, factors)`.
"""

import importlib
from typing import Any

_MODULES = {
  'Codes': 'codes',
  'beta_vae_score': 'interventions',
  'concentration': 'importance',
  'dci': 'importance',
  'dci_by_variable': 'variables',
  'dci_es': 'capacity',
  'distance_correlation': 'dependence',
  'ease_of_use': 'capacity',
  'explicitness': 'predictors',
  'factor_levels': 'order',
  'fid': 'inception_distance',
  'factor_vae_score': 'interventions',
  'frechet_distance': 'frechet',
  'frechet_distance_from_moments': 'frechet',
  'gaussian_dependence': 'dependence',
  'information_shares': 'order',
  'infomec': 'information_scores',
  'irs': 'robustness',
  'irs_by_variable': 'variables',
  'kid': 'kernel',
  'load_weights': 'inception_weights',
  'mig': 'information',
  'mig_by_variable': 'variables',
  'modularity': 'information',
  'mutual_information': 'information',
  'order_correlation': 'order',
  'pairwise_information': 'dependence',
  'precision_recall': 'neighbors',
  'probe': 'forests',
  'sap': 'predictors',
  'sap_continuous': 'predictors',
  'score_codes': 'scores',
  'sobol': 'sensitivity',
  'udr': 'agreement',
  'variable_effect': 'sensitivity',
}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
  if name not in _MODULES:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  module = importlib.import_module(f'{__name__}.{_MODULES[name]}')
  return getattr(module, name)


def __dir__() -> list[str]:
  return sorted([*globals(), *__all__])
