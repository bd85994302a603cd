"""`arm_synth`: what the sensors of a planar robot arm read, without pixels.

Three links carry a payload. An example is 15 numbers: where the three links
end, what turns the three joints, where the hand points, and how far it is from
four beacons. Four factors make it: three joint angles and the payload.
"""

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from structae.data.data_set import DataSet, Factors, linspace

FACTORS: Factors = {
  'shoulder': linspace(-90.0, 90.0, 12),
  'elbow': linspace(-120.0, 120.0, 12),
  'wrist': linspace(-120.0, 120.0, 12),
  'payload': linspace(0.0, 2.0, 8),
}
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
  settings = np.array([*itertools.product(*FACTORS.values())])
  values = readings(settings[:, :3], settings[:, 3])
  return ((values - values.mean(0)) / values.std(0)).astype(np.float32)


def _take(vectors: Any, indices: Any) -> Any:
  return vectors[indices]


def _make(size: int) -> tuple[Any, Callable]:
  import jax.numpy as jnp

  del size  # vectors have one
  return jnp.asarray(table()), _take


DATA_SET = DataSet(
  name='arm_synth',
  title='what the sensors of a planar robot arm read',
  image_shape=(len(SENSORS),),
  sizes=(1,),
  num_examples=13_824,
  factors=FACTORS,
  grid=True,
  make=_make,
  preset='vectors',
  licence='Apache-2.0 (part of this project)',
  citation='this project',
  note='Feature vectors, made here: there are no images.',
)
