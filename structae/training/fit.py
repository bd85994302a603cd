"""The door for models that are not ours: two functions and their parameters.

    loss = autoencoding.autoencoding(encode, decode)
    params, rows = fit(loss, params, images, num_steps=1000)
    codes = encode_all(encode, params, images).mean
    new = decode_all(decode, params, sampling.hybrid(key, codes, 64))

`encode(params, images) -> Posterior` and `decode(params, codes) -> outputs`
are any pure functions, and `params` is any tree of arrays; `build.functions`
makes two of any model of ours. `experiments/own_model.py` goes on to scores
and figures.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from structae import devices
from structae.data import pipeline, sources
from structae.nn.posterior import Posterior
from structae.objectives import reconstruction
from structae.objectives.autoencoding import Decode, Encode, Loss
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

  The steps are those of `experiments.main`; nothing is written to disk.

  Args:
    loss: `(params, images, key) -> (nats per example, terms by name)`.
    params: the initial parameters.
    data: images or feature vectors `[N, ...]`, or a source of them.
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
    ValueError: if there are no data, no such examples, or no steps to take.
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
  batches = pipeline.make_batches(
    source, _chosen(part, source), keys[0], batch_size, mesh
  )
  update = step_lib.make_step(loss, optimizer, batches.images, keys[1], mesh)
  examples = jax.eval_shape(batches.images, batches.data(0, 1), jnp.int32(0))
  # Copied: an update gives up the state before it.
  params = jax.tree.map(jnp.array, params)
  state = step_lib.init_state(params, optimizer, loss, examples, mesh)
  rows = []
  for now in range(1, num_steps + 1):
    state = update(state, batches.data(now - 1, 1))
    if now % log_every == 0 or now == num_steps:
      state, means = step_lib.take_means(state)
      rows.append({'step': now, **means})
      if report:
        report(rows[-1])
  batches.close()
  return state.params, rows


def encode_all(
  encode: Encode,
  params: Any,
  data: np.ndarray | sources.Source,
  batch_size: int = 128,
  *,
  part: np.ndarray | None = None,
) -> Posterior:
  """Encodes every example, or those of a part.

  Args:
    encode: `(params, images) -> Posterior`.
    params: the parameters.
    data: images or feature vectors `[N, ...]`, or a source of them.
    batch_size: examples at a time.
    part: `[M]` numbers of the examples to encode; all by default.

  Returns:
    The posteriors of their codes, `[N, K, D]` or `[M, K, D]`, numpy.
  """
  source = _as_source(data)
  return pipeline.map_batches(
    lambda rows: _encode(encode, source.images, params, *source.load(rows)),
    _chosen(part, source),
    batch_size,
  )


def decode_all(
  decode: Decode,
  params: Any,
  codes: np.ndarray | jax.Array,
  batch_size: int = 128,
  *,
  likelihood: reconstruction.Likelihood = reconstruction.BERNOULLI,
) -> np.ndarray:
  """Decodes codes to pictures.

  Args:
    decode: `(params, codes) -> outputs`.
    params: the parameters.
    codes: `[N, K, D]`.
    batch_size: codes at a time.
    likelihood: of the data given the outputs; the one that was trained with.

  Returns:
    What is expected: uint8 images `[N, H, W, C]`, or feature vectors
    `[N, X]` as they are, numpy.
  """
  return pipeline.map_batches(
    lambda rows: _decode(decode, likelihood.mean, params, rows),
    np.asarray(codes),
    batch_size,
  )


# Functions are compared by identity: the same ones are compiled once.
@functools.partial(jax.jit, static_argnums=(0, 1))
def _encode(
  encode: Encode, images: Callable, params: Any, arrays: Any, indices: jax.Array
) -> Posterior:
  return encode(params, images(arrays, indices))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _decode(
  decode: Decode, mean: Callable, params: Any, codes: jax.Array
) -> jax.Array:
  return reconstruction.as_bytes(mean(decode(params, codes)))


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


def _as_source(data: np.ndarray | sources.Source) -> sources.Source:
  if isinstance(data, sources.Source):
    return data
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
