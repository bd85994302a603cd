"""Hues on circles, beside the ordinary scores."""

import numpy as np
import pytest

from structae.evaluation.metrics.dci import dci
from structae.evaluation.metrics.mig import mig
from structae.evaluation.metrics.periodic import dci_periodic, mig_periodic

RNG = np.random.default_rng(0)
SIZES = (10, 8, 15)  # a hue, a size, an angle within limits
FACTORS = np.stack([RNG.integers(0, n, 2000) for n in SIZES], 1)


def on_circles(factors):
  """The hue as cosine and sine, the others as they are."""
  angle = 2 * np.pi * factors[:, 0] / 10
  rest = factors[:, 1:].astype(float)
  return np.column_stack([np.cos(angle), np.sin(angle), rest])


def split(function, codes, **settings):
  arrays = codes[:1000], FACTORS[:1000], codes[1000:], FACTORS[1000:]
  return function(*arrays, **settings)


def test_perfect_circle_codes_score_one():
  codes = on_circles(FACTORS)
  found = mig_periodic(codes, FACTORS, periodic=[0])
  assert found['mig_periodic_per_factor'][0] > 0.97
  assert found['carriers'] == {'0': [0, 1]}
  # The ordinary one takes the sine for a rival of the cosine.
  assert mig(codes, FACTORS)['mig_per_factor'][0] < 0.3
  found = split(dci_periodic, codes, periodic=[0])
  assert found['completeness_periodic'] > 0.98
  ordinary = split(dci, codes)
  assert ordinary['completeness_per_factor'][0] < 0.75
  np.testing.assert_allclose(
    found['completeness_periodic_per_factor'][1:],
    ordinary['completeness_per_factor'][1:],
  )


@pytest.mark.parametrize('shift, scale', [(0.0, 1.0), (40.0, 1e-3)])
def test_neither_turn_nor_place_nor_scale_of_the_circle_matters(shift, scale):
  codes = on_circles(FACTORS)
  assert mig(codes, FACTORS)['mig_per_factor'][0] < 0.3
  turn = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
  codes[:, :2] = scale * codes[:, :2] @ turn + shift
  found = mig_periodic(codes, FACTORS, periodic=[0])
  assert found['mig_periodic_per_factor'][0] > 0.97


def test_nothing_periodic_is_the_ordinary_score():
  codes = RNG.normal(size=(2000, 4)) + FACTORS[:, [0, 0, 1, 2]]
  assert (
    mig_periodic(codes, FACTORS)['mig_periodic'] == mig(codes, FACTORS)['mig']
  )
  few = (codes[:200], FACTORS[:200]) * 2
  found, ordinary = dci_periodic(*few), dci(*few)
  assert found['completeness_periodic'] == ordinary['completeness']


def test_a_hue_in_one_number_stays_there():
  codes = FACTORS[:, [0, 1, 2]].astype(float)
  found = mig_periodic(codes, FACTORS, periodic=[0])
  assert found['carriers'] == {'0': [0]}
  assert found['mig_periodic'] == mig(codes, FACTORS)['mig']


def test_a_copy_of_the_hue_is_still_redundant():
  codes = on_circles(FACTORS)
  twice = np.column_stack([codes, codes[:, :2]])
  for doubled in (twice, FACTORS[:, [0, 0, 1, 2]].astype(float)):
    found = mig_periodic(doubled, FACTORS, periodic=[0])
    assert found['mig_periodic_per_factor'][0] < 0.05


def test_half_a_circle_is_no_pair():
  """A cosine alone explains half, with whatever noise it is paired."""
  codes = np.delete(on_circles(FACTORS), 1, axis=1)
  codes = np.column_stack([codes, RNG.normal(size=(2000, 5))])
  found = mig_periodic(codes, FACTORS, periodic=[0])
  assert found['carriers'] == {'0': [0]}


def test_dead_latents_and_noise_know_nothing_of_a_hue():
  noise = np.column_stack([RNG.normal(size=(2000, 3)), np.ones(2000)])
  found = mig_periodic(noise, FACTORS, periodic=[0])
  assert found['mig_periodic'] < 0.02
  assert mig_periodic(0 * noise, FACTORS, periodic=[0])['mig_periodic'] == 0
