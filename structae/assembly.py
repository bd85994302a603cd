"""From a checked config and its data to all that a run is made of."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from structae import build, devices
from structae import doors as doors_lib
from structae.data import pipeline, sources
from structae.training import loop, step

# More than this many updates per call gain nothing on an accelerator.
MOST_STEPS_PER_DISPATCH = 50


class Parts(NamedTuple):
  """What a configuration asks for, before anything is trained."""

  mesh: Mesh
  splits: pipeline.Splits
  model: Any
  doors: doors_lib.Doors


def assemble(config: Any, source: sources.Source) -> Parts:
  """Splits the data of a checked configuration and builds its model."""
  mesh = devices.data_mesh()
  model = build.model(config, source.image_shape[-1])
  doors = doors_lib.make_doors(
    source,
    model,
    config.evaluation.batch_size,
    mesh,
    build.likelihood(config),
  )
  return Parts(mesh, build.split(config, source), model, doors)


def prepare(
  config: Any, source: sources.Source, part: np.ndarray, model: Any, mesh: Mesh
) -> tuple[step.TrainState, dict[int, loop.Update], pipeline.Batches]:
  """Makes what the loop needs.

  Args:
    config: a checked configuration.
    source: the images.
    part: the numbers of those to train on.
    model: the autoencoder.
    mesh: the devices.

  Returns:
    The state before the first update, the updates by their number of steps,
    and the batches they draw from.
  """
  keys = jax.random.split(jax.random.key(config.seed), 3)
  loss = build.loss(config, model, len(part))
  optimizer = build.optimizer(config)
  params = build.init(config, model, keys[0], source.image_shape)
  num_images = build.images_per_update(config)
  batches = pipeline.make_batches(source, part, keys[1], num_images, mesh)
  images = jax.ShapeDtypeStruct(
    (num_images, *source.image_shape),
    jnp.uint8 if len(source.image_shape) == 3 else jnp.float32,
  )
  state = step.init_state(params, optimizer, loss, images, mesh)
  updates = {
    n: step.make_step(loss, optimizer, batches.images, keys[2], mesh, n)
    for n in sorted({1, steps_per_dispatch(config)})
  }
  return state, updates, batches


def steps_per_dispatch(config: Any) -> int:
  """How many updates a call of the device makes: one on a CPU."""
  train = config.train
  if train.steps_per_dispatch:
    return train.steps_per_dispatch
  if jax.default_backend() == 'cpu':
    return 1
  common = math.gcd(train.log_every, train.num_steps)
  return max(
    n for n in range(1, MOST_STEPS_PER_DISPATCH + 1) if common % n == 0
  )
