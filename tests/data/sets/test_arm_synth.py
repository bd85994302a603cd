"""The arm's sensors against mechanics done another way."""

import numpy as np

from structae.data import catalog, sources
from structae.data.sets import arm_synth


def test_links_end_where_complex_numbers_do():
  rng = np.random.RandomState(0)
  angles, payload = rng.uniform(-120, 120, (6, 3)), rng.uniform(0, 2, 6)
  readings = arm_synth.readings(angles, payload)
  turn = np.exp(1j * np.deg2rad(angles))
  elbow = 1.0 * turn[:, 0]
  wrist = elbow + 0.8 * turn[:, 0] * turn[:, 1]
  hand = wrist + 0.5 * turn.prod(1)
  for i, place in enumerate((elbow, wrist, hand)):
    np.testing.assert_allclose(readings[:, 2 * i], place.real, atol=1e-12)
    np.testing.assert_allclose(readings[:, 2 * i + 1], place.imag, atol=1e-12)
  np.testing.assert_allclose(
    readings[:, 9] + 1j * readings[:, 10], turn.prod(1), atol=1e-12
  )
  np.testing.assert_allclose(readings[:, 11], np.abs(hand - (2.5 + 2.5j)))


def test_torques_are_the_slopes_of_potential_energy():
  """A joint's torque is the derivative of the energy by its own angle."""
  rng = np.random.RandomState(1)
  angles, payload = rng.uniform(-90, 90, (5, 3)), rng.uniform(0, 2, 5)

  def energy(angles):
    readings = arm_synth.readings(angles, payload)
    heights = np.concatenate([np.zeros((5, 1)), readings[:, 1:6:2]], 1)
    centres = (heights[:, 1:] + heights[:, :-1]) / 2
    weights = 9.81 * np.array([1.0, 0.7, 0.3])
    return centres @ weights + 9.81 * payload * heights[:, -1]

  torques = arm_synth.readings(angles, payload)[:, 6:9]
  for joint in range(3):
    step = np.rad2deg(1e-6) * np.eye(3)[joint]
    slope = (energy(angles + step) - energy(angles - step)) / 2e-6
    np.testing.assert_allclose(torques[:, joint], slope, rtol=1e-6)


def test_the_source_is_the_whole_grid_standardized():
  source = sources.load('arm_synth', 1)
  known = catalog.get('arm_synth')
  assert source.size == known.num_examples == len(arm_synth.table())
  assert source.image_shape == known.image_shape == (len(arm_synth.SENSORS),)
  vectors = np.asarray(source.images(source.arrays, np.arange(source.size)))
  np.testing.assert_allclose(vectors.mean(0), 0, atol=1e-4)
  np.testing.assert_allclose(vectors.std(0), 1, rtol=1e-4)
  factors = source.factors(np.arange(source.size))
  assert len(np.unique(factors, axis=0)) == source.size
  assert len(np.unique(vectors.round(5), axis=0)) == source.size
