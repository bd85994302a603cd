"""An encoder and a decoder over any number of examples, batch by batch.

    codec = Codec(encode, decode, params)
    codes = codec.encode(images)
    new = codec.decode(sampling.hybrid(key, codes, 64))

`encode(params, images) -> Posterior` and `decode(params, codes) -> outputs` are
any pure functions, and `params` is any tree of arrays.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from structae import devices
from structae.nn.posterior import Posterior
from structae.objectives import reconstruction
from structae.objectives.autoencoding import Decode, Encode


@runtime_checkable
class Examples(Protocol):
  """Examples that are read inside the function that uses them."""

  def __len__(self) -> int:
    """Their number N."""

  def load(self, rows: np.ndarray) -> tuple[Callable, tuple[Any, ...]]:
    """A pure function and its arguments: those of some rows, `[B, ...]`."""


@dataclasses.dataclass(frozen=True, eq=False)
class Codec:
  """Encodes and decodes with two functions and their parameters.

  A batch is cut over all devices of this process that divide it. Arrays come
  back in numpy; inside a transformation of jax (`jit`, `grad`, `vmap`) the
  functions are applied to the whole, and tracers come back. Every batch size is
  compiled once, for all codecs of the same functions.

  Attributes:
    encode_fn: `(params, images) -> Posterior` of codes `[B, K, D]`.
    decode_fn: `(params, codes) -> outputs`, the logits of images `[B, H, W, C]`
      or feature vectors `[B, X]`.
    params: the parameters.
    likelihood: of the data given the outputs; the one that was trained with.
    batch_size: examples at a time.
  """

  encode_fn: Encode
  decode_fn: Decode
  params: Any
  likelihood: reconstruction.Likelihood = reconstruction.BERNOULLI
  batch_size: int = 128

  def with_params(self, params: Any) -> 'Codec':
    """The same functions with other parameters; nothing is compiled anew."""
    return dataclasses.replace(self, params=params)

  def posterior(self, images: Any) -> Posterior:
    """Maps images to posteriors.

    Args:
      images: `[N, ...]`, an array or `Examples`.

    Returns:
      Posteriors of codes `[N, K, D]`.
    """
    return self._map(functools.partial(_apply, self.encode_fn), images)

  def encode(self, images: Any) -> Any:
    """Maps images to codes `[N, K, D]`, the means of their posteriors."""
    return self.posterior(images).mean

  def decode(self, codes: Any) -> Any:
    """Maps codes `[N, K, D]` to uint8 images, or to feature vectors."""
    decode = functools.partial(_decode, self.decode_fn, self.likelihood.mean)
    return self._map(decode, codes)

  def decode_mean(self, codes: Any) -> Any:
    """As `decode`, but floats in [0, 1], which can be differentiated."""
    decode = functools.partial(_mean, self.decode_fn, self.likelihood.mean)
    return self._map(decode, codes)

  def reconstruct(self, images: Any) -> Any:
    """Decodes the codes of images, to the like of `decode`."""
    return self.decode(self.encode(images))

  def errors(
    self, images: Any, key: jax.Array | None = None
  ) -> dict[str, np.ndarray]:
    """How far reconstructions are from their images.

    Args:
      images: `[N, ...]`, an array or `Examples`.
      key: a PRNG key, to decode codes drawn from their posteriors, in place of
        the means.

    Returns:
      Three arrays `[N]`: `loss`, -log p(image | code) in nats; `floor`, the
      least that any reconstruction can reach; `mse`, the mean squared error,
      of pixels in [0, 1].
    """

    def errors(read: Callable, params: Any, batch: tuple) -> Any:
      nonlocal key
      posterior = _apply(self.encode_fn, read, params, batch)
      codes = posterior.mean
      if key is not None:
        key, own = jax.random.split(key)
        codes = posterior.sample(own)
      outputs = _apply(self.decode_fn, _same, params, (codes,))
      return _errors(self.likelihood, read, batch, outputs)

    return self._map(errors, images)

  def _map(self, function: Callable, inputs: Any) -> Any:
    """Applies `(read, params, batch) -> tree` to inputs, a batch at a time."""
    if isinstance(inputs, jax.core.Tracer):
      return function(_same, self.params, (inputs,))
    if not len(inputs):
      raise ValueError('there are no examples.')
    batches, whole = self._shardings
    params = jax.device_put(self.params, whole)
    size = self._size(len(inputs))
    # Every batch is whole, so that one shape is compiled: the last one is
    # filled up with rows from the start, whose results are dropped.
    rows = np.resize(np.arange(len(inputs)), (-(-len(inputs) // size), size))
    parts = []
    for r in rows:
      if isinstance(inputs, Examples):
        read, batch = inputs.load(r)
      else:
        read, batch = _same, (inputs[r],)
      *shared, last = batch  # what all rows read from, and the rows
      batch = (*shared, jax.device_put(last, batches(size)))
      parts.append(jax.device_get(function(read, params, batch)))
    joined = jax.tree.map(lambda *p: np.concatenate(p), *parts)
    return jax.tree.map(lambda a: a[: len(inputs)], joined)

  def _size(self, num: int) -> int:
    """Rows of a batch: few examples are not worth a whole one."""
    few = self.batch_size // 8
    return 1 << (num - 1).bit_length() if num <= few else self.batch_size

  @functools.cached_property
  def _shardings(self) -> tuple[Callable[[int], NamedSharding], NamedSharding]:
    mesh = devices.local_mesh()
    whole, cut = NamedSharding(mesh, P()), NamedSharding(mesh, P('data'))
    return lambda size: whole if size % mesh.size else cut, whole


def _same(batch: jax.Array) -> jax.Array:
  return batch


# Functions are compared by identity: the same ones are compiled once.
@functools.partial(jax.jit, static_argnums=(0, 1))
def _apply(
  function: Callable, read: Callable, params: Any, batch: tuple
) -> Any:
  return function(params, read(*batch))


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _mean(
  decode: Decode, mean: Callable, read: Callable, params: Any, batch: tuple
) -> jax.Array:
  outputs = mean(decode(params, read(*batch)))
  return outputs if outputs.ndim == 2 else jnp.clip(outputs, 0, 1)


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _decode(
  decode: Decode, mean: Callable, read: Callable, params: Any, batch: tuple
) -> jax.Array:
  return reconstruction.as_bytes(_mean(decode, mean, read, params, batch))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _errors(
  likelihood: reconstruction.Likelihood,
  read: Callable,
  batch: tuple,
  outputs: jax.Array,
) -> dict[str, jax.Array]:
  images = read(*batch)
  return {
    'loss': likelihood.nats(outputs, images),
    'floor': likelihood.floor(images),
    'mse': likelihood.squared_error(outputs, images),
  }
