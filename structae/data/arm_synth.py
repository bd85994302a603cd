"""`arm_synth`: what the sensors of a planar robot arm read, without pixels.

Three links carry a payload. An example is 15 numbers: where the three links
end, what turns the three joints, where the hand points, and how far it is from
four beacons. Four factors make it: three joint angles and the payload.
"""

import functools

import jax
import numpy as np

from structae.data import grids, sources
from structae.data.readers import reading

FACTOR_NAMES = tuple(grids.ARM)
FACTOR_SIZES = tuple(len(values) for values in grids.ARM.values())
NUM_EXAMPLES = int(np.prod(FACTOR_SIZES))
SENSORS = (
  'elbow_x', 'elbow_y', 'wrist_x', 'wrist_y', 'hand_x', 'hand_y',
  'shoulder_torque', 'elbow_torque', 'wrist_torque', 'hand_cos', 'hand_sin',
  'beacon_0', 'beacon_1', 'beacon_2', 'beacon_3',
)  # fmt: skip

_LENGTHS = np.array([1.0, 0.8, 0.5])  # of the links, metres
_MASSES = np.array([1.0, 0.7, 0.3])  # of the links, kilograms
_GRAVITY = 9.81
_BEACONS = np.array([[2.5, 2.5], [2.5, -2.5], [-2.5, 2.5], [-2.5, -2.5]])


def readings(angles: np.ndarray, payload: np.ndarray) -> np.ndarray:
  """What the sensors read.

  Args:
    angles: `[N, 3]`, degrees: of the first link to the ground, and of each
      other link to the one before.
    payload: `[N]`, kilograms at the hand.

  Returns:
    `[N, 15]` float64, metres, newton metres, cosine and sine; see `SENSORS`.
  """
  headings = np.cumsum(np.deg2rad(angles), 1)
  links = _LENGTHS[:, None] * np.stack([np.cos(headings), np.sin(headings)], -1)
  ends = np.cumsum(links, 1)  # [N, 3, 2]
  joints = ends - links
  centres = joints + links / 2
  # A joint carries the weight of all links behind it, and of the payload.
  arms = centres[:, None, :, 0] - joints[:, :, None, 0]  # [N, joint, link]
  behind = np.triu(np.ones((3, 3)))
  torques = (behind * arms * _MASSES).sum(-1)
  torques += payload[:, None] * (ends[:, -1:, 0] - joints[..., 0])
  hand = ends[:, -1]
  distances = np.linalg.norm(hand[:, None] - _BEACONS, axis=-1)
  pointing = np.stack([np.cos(headings[:, -1]), np.sin(headings[:, -1])], -1)
  return np.concatenate(
    [ends.reshape(-1, 6), _GRAVITY * torques, pointing, distances], 1
  )


@functools.cache
def table() -> np.ndarray:
  """All examples, `[13824, 15]` float32, each sensor to mean 0 and scale 1."""
  indices = np.arange(NUM_EXAMPLES)
  factors = reading.grid_factors(indices, FACTOR_SIZES)
  columns = [np.asarray(v)[f] for v, f in zip(grids.ARM.values(), factors.T)]
  values = readings(np.stack(columns[:3], 1), columns[3])
  return ((values - values.mean(0)) / values.std(0)).astype(np.float32)


def source() -> sources.Source:
  """The data set as a source of feature vectors, resident on the device."""
  return sources.Source(
    name='arm_synth',
    image_shape=(len(SENSORS),),
    size=NUM_EXAMPLES,
    factor_names=FACTOR_NAMES,
    factor_sizes=FACTOR_SIZES,
    arrays=jax.numpy.asarray(table()),
    images=sources.take,
    factors=lambda i: reading.grid_factors(i, FACTOR_SIZES).astype(np.int32),
    storage='resident',
  )
