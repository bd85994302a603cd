"""Latents that are constant, or tiny: every metric has a defined answer."""

import pkgutil

import numpy as np
import pytest

from structae import evaluation
from structae.evaluation import registry
from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.mutual_information import discretize

# Those that read the units of codes, or draw noise of a fixed scale.
_OF_UNITS = {
  'beta_vae_score', 'factor_vae_score', 'gaussian_dependence', 'infomec', 'irs',
  'irs_by_variable', 'sap',
}  # fmt: skip


def _codes():
  rng = np.random.default_rng(0)
  factors = np.stack([rng.integers(0, k, 120) for k in (3, 2)], axis=1)
  codes = factors @ rng.normal(size=(2, 4)) + 0.5 * rng.normal(size=(120, 4))
  return codes, factors


def _answer(metric, codes, factors):
  row = registry.of_metric(metric)[0]
  z = codes.reshape(-1, 2, 2) if row.by_variable else codes
  arrays = [z[:80], factors[:80], z[80:], factors[80:]]
  if 'held-out codes' not in row.needs:
    arrays = arrays[: 1 + ('factors' in row.needs)]
  found = pkgutil.resolve_name(row.function)(*arrays)
  names = [score.name for score in registry.of_metric(metric)]
  return {name: found[name] for name in names}


@pytest.mark.filterwarnings('error::RuntimeWarning')
@pytest.mark.parametrize('metric', registry.METRICS)
def test_a_latent_that_moves_by_rounding_alone_is_constant(metric):
  codes, factors = _codes()
  rounded, constant = codes.copy(), codes.copy()
  constant[:, 2] = 1.0
  rounded[:, 2] = 1.0 + np.spacing(1.0) * (np.arange(120) % 3)
  actual = _answer(metric, rounded, factors)
  expected = _answer(metric, constant, factors)
  assert np.isfinite(list(actual.values())).all()
  if metric not in ('dci', 'dci_es', 'dci_by_variable'):  # read ranks alone
    assert actual == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.filterwarnings('error::RuntimeWarning')
@pytest.mark.parametrize('scale', [2.0**-550, 2.0**300])
@pytest.mark.parametrize('metric', registry.METRICS)
def test_the_unit_of_a_latent_makes_no_difference_or_a_finite_one(
  metric, scale
):
  if metric in ('sap', 'infomec', 'beta_vae_score') and scale > 1:
    pytest.skip('their solvers do not converge')
  codes, factors = _codes()
  scaled = codes.copy()
  first = slice(0, 2) if metric.endswith('variable') else 0
  scaled[:, first] *= scale
  if metric == 'distance_correlation':
    scaled = codes * scale
  actual = _answer(metric, scaled, factors)
  assert np.isfinite(list(actual.values())).all()
  if metric not in _OF_UNITS:
    expected = _answer(metric, codes, factors)
    assert actual == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_total_correlation_is_free_of_scale():
  codes, _ = _codes()
  expected = evaluation.gaussian_dependence(codes)['total_correlation']
  scaled = codes * [2.0**-550, 1, 2.0**300, 2.0**40]
  actual = evaluation.gaussian_dependence(scaled)['total_correlation']
  assert actual == expected


def test_a_latent_of_few_steps_has_one_bin():
  # Twenty edges between two numbers with ten between them do not exist.
  column = 1.0 + np.spacing(1.0) * np.arange(100)
  assert set(discretize(column[:10, None], 20)[:, 0]) == {0}
  assert len(set(discretize(column[:, None], 2)[:, 0])) == 2


def test_units_are_powers_of_two_near_the_range():
  codes = np.array([[0.0, 1.0, 5.0, 1e-165], [3.0, 1.0, -5.0, 0.0]])
  units = inputs.units(codes)
  assert (np.frexp(units)[0] == 0.5).all() and units[1] == 1
  ratio = (codes.max(0) - codes.min(0))[[0, 2, 3]] / units[[0, 2, 3]]
  assert ((ratio >= 1) & (ratio <= 2)).all()


def test_what_cannot_be_read_is_not_easy_to_use():
  assert evaluation.ease_of_use([1, 2, 3], [1.5, 1.5, 1.6], 1.5) == 0
  codes, factors = _codes()
  dead = np.ones_like(codes)
  split = dead[:80], factors[:80], dead[80:], factors[80:]
  assert evaluation.dci_es(*split)['ease_of_use'] == 0


@pytest.mark.parametrize('name', ['factor_vae_score', 'beta_vae_score'])
def test_one_factor_leaves_nothing_to_tell_apart(name):
  codes, factors = _codes()
  with pytest.raises(ValueError, match='compares two factors, there is 1'):
    getattr(evaluation, name)(codes, factors[:, :1])


def test_a_factor_that_no_two_rows_share_cannot_be_held():
  codes = np.random.default_rng(0).normal(size=(3, 2))
  with pytest.raises(ValueError, match='no two rows share a value of factor 0'):
    evaluation.irs(codes, np.arange(3)[:, None])
