"""Trains any pair of functions, an encoder and a decoder, in memory.

    loss = autoencoding.autoencoding(encode, decode)
    params, rows = fit(loss, params, images, num_steps=1000)
    codec = Codec(encode, decode, params)
    codes = codec.encode(images)
    new = codec.decode(sampling.hybrid(key, codes, 64))

`encode(params, images) -> Posterior` and `decode(params, codes) -> outputs` are
any pure functions, and `params` is any tree of arrays; `build.functions` makes
two of any model of ours. `structae.codec` encodes and decodes;
`experiments/own_model.py` goes on to scores and figures.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from structae import devices
from structae.data import pipeline, sources
from structae.objectives import reconstruction
from structae.objectives.autoencoding import Loss
from structae.training import step as step_lib


def fit(
  loss: Loss,
  params: Any,
  data: np.ndarray | sources.Source,
  *,
  num_steps: int,
  batch_size: int = 128,
  optimizer: optax.GradientTransformation | None = None,
  part: np.ndarray | None = None,
  seed: int = 0,
  log_every: int = 100,
  report: Callable[[dict[str, float]], Any] | None = None,
) -> tuple[Any, list[dict[str, float]]]:
  """Trains a model with one of the objectives, or any loss of their form.

  The steps are those of `structae train`; nothing is written to disk.

  Args:
    loss: `(params, images, key) -> (nats per example, terms by name)`.
    params: the initial parameters.
    data: images `[N, H, W, C]`, uint8 or floats in [0, 1]; feature vectors
      `[N, X]`, floats; or a source of them.
    num_steps: updates.
    batch_size: examples that the loss is given at a time; `factor_vae` takes
      two batches in one.
    optimizer: Adam with step size 5e-4 by default.
    part: `[M]` numbers of the examples to train on; all by default.
    seed: of batches and of the loss's own noise.
    log_every: updates that a row is the mean of.
    report: is called with every row as soon as it is there.

  Returns:
    The trained parameters, and rows of `step`, `loss` and its terms.

  Raises:
    ValueError: if there are no data, no such examples, or no steps to take; or
      if the data are of a type or a range that the loss does not take.
    FloatingPointError: if the loss stops being a number.
  """
  if min(num_steps, batch_size, log_every) < 1:
    raise ValueError(
      'num_steps, batch_size and log_every must be at least 1, got '
      f'{num_steps}, {batch_size} and {log_every}.'
    )
  source = _as_source(data)
  optimizer = optimizer or optax.adam(5e-4)
  mesh = devices.data_mesh()
  if batch_size % mesh.size:
    raise ValueError(
      f'batch_size must be a multiple of the {mesh.size} devices, '
      f'got {batch_size}.'
    )
  keys = jax.random.split(jax.random.key(seed))
  rows = _chosen(part, source)
  if not isinstance(data, sources.Source):
    _check_range(loss, params, np.asarray(data), rows, batch_size)
  batches = pipeline.make_batches(source, rows, keys[0], batch_size, mesh)
  update = step_lib.make_step(loss, optimizer, batches.images, keys[1], mesh)
  examples = jax.eval_shape(batches.images, batches.data(0, 1), jnp.int32(0))
  # Copied: an update gives up the state before it.
  params = jax.tree.map(jnp.array, params)
  state = step_lib.init_state(params, optimizer, loss, examples, mesh)
  history: list[dict[str, float]] = []
  for now in range(1, num_steps + 1):
    state = update(state, batches.data(now - 1, 1))
    if now % log_every == 0 or now == num_steps:
      state, means = step_lib.take_means(state)
      history.append({'step': now, **means})
      if report:
        report(history[-1])
  batches.close()
  return state.params, history


def _chosen(part: np.ndarray | None, source: sources.Source) -> np.ndarray:
  if part is None:
    return np.arange(source.size)
  part = np.asarray(part)
  if not len(part) or part.min() < 0 or part.max() >= source.size:
    raise ValueError(
      f'part must be numbers of the {source.size} examples, from 0, and at '
      'least one.'
    )
  return part


def _check_range(
  loss: Loss,
  params: Any,
  data: np.ndarray,
  rows: np.ndarray,
  batch_size: int,
) -> None:
  """Shows the loss the examples with the least and the largest number.

  A compiled loss sees no values; here it does, and computes nothing.
  """
  flat = data[rows].reshape(len(rows), -1)
  extremes = [flat.argmin() // flat.shape[1], flat.argmax() // flat.shape[1]]
  examples = jnp.asarray(data[np.resize(rows[extremes], batch_size)])
  key = jax.eval_shape(lambda: jax.random.key(0))
  jax.eval_shape(lambda p, k: loss(p, examples, k), params, key)


def _as_source(data: np.ndarray | sources.Source) -> sources.Source:
  if isinstance(data, sources.Source):
    return data
  given: Any = np.asarray(data)
  if given.dtype != np.uint8:
    reconstruction.as_floats(given)  # refuses other types
  array = jnp.asarray(data)
  if array.ndim not in (2, 4) or not len(array):
    raise ValueError(
      'data must be images [N, H, W, C] or feature vectors [N, X], got shape '
      f'{array.shape}.'
    )
  return sources.Source(
    name='array',
    image_shape=array.shape[1:],
    size=len(array),
    factor_names=(),
    factor_sizes=(),
    arrays=array,
    images=sources.take,
    factors=lambda indices: np.zeros((len(indices), 0), np.int32),
    storage='resident',
  )
