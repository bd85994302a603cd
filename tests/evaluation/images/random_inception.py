"""Random Inception weights, the same for the same names everywhere."""

import zlib

import numpy as np

from structae.evaluation.images import inception, weights


def tensor(name: str, shape: tuple[int, ...]) -> np.ndarray:
  """Weights that keep activations in range through all blocks.

  `name` and `shape` are the published, PyTorch, ones.
  """
  rng = np.random.default_rng(zlib.crc32(name.encode()))
  if name.endswith('running_mean') or name.endswith('bias'):
    return rng.normal(0, 0.1, shape).astype(np.float32)
  if len(shape) == 1:  # scales and variances
    return rng.uniform(0.5, 1.0, shape).astype(np.float32)
  fan_in = np.prod(shape[1:])
  return rng.normal(0, np.sqrt(2 / fan_in), shape).astype(np.float32)


def tensors() -> dict[str, np.ndarray]:
  """Weights of the whole network by their published names."""
  found = {}
  for name, shape in inception.parameter_shapes().items():
    published, axes = weights._published(name)
    back = tuple(shape[axes.index(i)] for i in range(len(axes)))
    found[published] = tensor(published, back)
  return found
