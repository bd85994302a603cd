"""A model's encoder and decoder over any number of images, batch by batch.

Encoder and decoder are compiled once and serve validation, codes, scores and
figures alike.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from structae.data import pipeline, sources
from structae.objectives import reconstruction


class Doors(NamedTuple):
  """Functions of the parameters and of numpy arrays of any length.

  Attributes:
    images: `indices [N] -> uint8 [N, H, W, C]`.
    encode: `params, indices [N] -> Posterior` of `[N, K, D]`.
    decode: `params, codes [N, K, D] -> uint8 [N, H, W, C]`, or feature vectors.
    reconstruct: `params, indices [N] -> scores [N]` by name: `loss` (nats),
      `floor` (nats no reconstruction can do without) and `mse`.
  """

  images: Callable[[np.ndarray], np.ndarray]
  encode: Callable[[Any, np.ndarray], Any]
  decode: Callable[[Any, np.ndarray], np.ndarray]
  reconstruct: Callable[[Any, np.ndarray], dict[str, np.ndarray]]


def make_doors(
  source: sources.Source,
  model: Any,
  batch_size: int,
  mesh: Mesh,
  likelihood: reconstruction.Likelihood = reconstruction.BERNOULLI,
) -> Doors:
  """Makes the doors of a model on a data set.

  Args:
    source: the images.
    model: a module with the methods `encode` and `decode`.
    batch_size: images at a time.
    mesh: the devices, which share a batch if they divide it.
    likelihood: of the images given what the model decodes.

  Returns:
    The doors; each compiles when first used.
  """

  whole = NamedSharding(mesh, P())
  shared = NamedSharding(mesh, P('data'))
  rows = whole if batch_size % mesh.size else shared
  # Stated for all alike, so that no program is compiled twice.
  jit = lambda *shardings: functools.partial(
    jax.jit, in_shardings=shardings, out_shardings=rows
  )

  @jit(whole, None, rows)
  def encode(params: Any, arrays: Any, indices: jax.Array) -> Any:
    images = source.images(arrays, indices)
    return model.apply({'params': params}, images, method='encode')

  @jit(whole, rows)
  def decode(params: Any, codes: jax.Array) -> jax.Array:
    return model.apply({'params': params}, codes, method='decode')

  @jit(None, rows, rows)
  def compare(arrays: Any, indices: jax.Array, logits: jax.Array) -> Any:
    images = source.images(arrays, indices)
    return {
      'loss': likelihood.nats(logits, images),
      'floor': likelihood.floor(images),
      'mse': likelihood.squared_error(logits, images),
    }

  @jit(rows)
  def grey(logits: jax.Array) -> jax.Array:
    return reconstruction.as_bytes(likelihood.mean(logits))

  def reconstruct(params: Any, indices: np.ndarray) -> dict[str, jax.Array]:
    arrays, numbers = source.load(indices)
    codes = encode(params, arrays, numbers).mean
    return compare(arrays, numbers, decode(params, codes))

  def batched(function: Callable, *args: Any) -> Any:
    *params, inputs = args
    return pipeline.map_batches(
      lambda rows: function(*params, rows), inputs, batch_size
    )

  return Doors(
    images=lambda i: batched(lambda b: source.images(*source.load(b)), i),
    encode=lambda p, i: batched(lambda p, b: encode(p, *source.load(b)), p, i),
    decode=lambda p, c: batched(lambda p, b: grey(decode(p, b)), p, c),
    reconstruct=lambda p, i: batched(reconstruct, p, i),
  )


class Trained(NamedTuple):
  """A trained model and what it was trained on."""

  config: Any
  source: sources.Source
  doors: Doors
  params: Any

  def decode(self, codes: np.ndarray) -> np.ndarray:
    """Maps codes `[N, K, D]` to uint8 images `[N, H, W, C]`."""
    return self.doors.decode(self.params, codes)
