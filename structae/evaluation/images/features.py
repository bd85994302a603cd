"""Features of the FID Inception: its activations, averaged over pixels."""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from structae.evaluation.images.weights import Weights

Images = np.ndarray | Iterable[np.ndarray]

# What must agree before features may be compared.
DEFINING = ('extractor', 'weights_sha256', 'resize', 'num_dimensions')


def fingerprint(
  weights: Weights, num_images: int, num_dimensions: int = 2048
) -> dict[str, object]:
  """Describes what made a set of features.

  Args:
    weights: of the network.
    num_images: the number of images.
    num_dimensions: the width of the features.

  Returns:
    A dict that JSON can hold. Sets compare if they agree in its `DEFINING`
    keys.
  """
  return {
    'extractor': 'fid-inception-v3',
    'weights_sha256': weights.digest,
    'weights_are_published': weights.is_published,
    'resize': 'bilinear to 299, half-pixel centers, no antialiasing',
    'num_dimensions': num_dimensions,
    'num_images': num_images,
  }


def inception_features(
  images: Images,
  weights: Weights,
  *,
  num_dimensions: int = 2048,
  batch_size: int = 64,
) -> np.ndarray:
  """Extracts the features of all images.

  Args:
    images: `[N, H, W, C]` uint8 with `C` 3 (RGB) or 1 (grey), or batches of
      it, of any length, at one size.
    weights: of the network, see `load_weights`.
    num_dimensions: 64, 192, 768 or 2048, the depth of the network.
    batch_size: the number of images of a forward pass.

  Returns:
    `[N, num_dimensions]` float32.

  Raises:
    ValueError: if there are no images, or they have another type or shape.
  """
  batches = stream_features(
    images, weights, num_dimensions=num_dimensions, batch_size=batch_size
  )
  features = list(batches)
  if not features:
    raise ValueError('There are no images.')
  return np.concatenate(features)


def stream_features(
  images: Images,
  weights: Weights,
  *,
  num_dimensions: int = 2048,
  batch_size: int = 64,
) -> Iterator[np.ndarray]:
  """Extracts features batch by batch; see `inception_features`.

  Yields:
    `[B, num_dimensions]` float32, in the order of the images.
  """
  network = forward(num_dimensions)
  variables = jax.device_put(weights.variables)
  pending: tuple[jax.Array, int] | None = None
  for batch, count in _batches(images, batch_size):
    result = network(variables, batch)
    # The device computes while the host prepares the next batch.
    if pending is not None:
      yield np.asarray(pending[0])[: pending[1]]
    pending = result, count
  if pending is not None:
    yield np.asarray(pending[0])[: pending[1]]


@functools.lru_cache
def forward(num_dimensions: int) -> Callable[..., jax.Array]:
  """The network as a jitted function `(variables, images) -> features`.

  Args:
    num_dimensions: one of `inception.FEATURE_DIMS`.

  Raises:
    ValueError: if it is none of them.
  """
  # Imported here, so that the other scores need no flax.
  from structae.evaluation.images import inception

  if num_dimensions not in inception.FEATURE_DIMS:
    raise ValueError(
      f'num_dimensions must be one of {inception.FEATURE_DIMS}, got '
      f'{num_dimensions}.'
    )

  @jax.jit
  def network(variables: dict, images: jax.Array) -> jax.Array:
    inputs = inception.preprocess(images)
    outputs: Any = inception.InceptionV3().apply(variables, inputs)
    return outputs[num_dimensions]

  return network


def _batches(
  images: Images, batch_size: int
) -> Iterator[tuple[np.ndarray, int]]:
  """Batches of `batch_size` images, and the number of images in them.

  The last batch is padded, so that one program serves them all; a single batch
  keeps its size.
  """
  if batch_size < 1:
    raise ValueError(f'batch_size must be 1 at least, got {batch_size}.')
  is_first = True
  for batch in _regroup(_pieces(images, batch_size), batch_size):
    count = len(batch)
    if not is_first:
      batch = np.resize(batch, (batch_size, *batch.shape[1:]))
    yield batch, count
    is_first = False


def _regroup(
  pieces: Iterable[np.ndarray], batch_size: int
) -> Iterator[np.ndarray]:
  held: list[np.ndarray] = []
  num_held = 0
  for piece in pieces:
    held.append(piece)
    num_held += len(piece)
    if num_held < batch_size:
      continue
    rows = np.concatenate(held)
    whole = num_held - num_held % batch_size
    yield from np.split(rows[:whole], whole // batch_size)
    held, num_held = [rows[whole:]], num_held - whole
  if num_held:
    yield np.concatenate(held)


def _pieces(images: Images, batch_size: int) -> Iterator[np.ndarray]:
  """Checked batches; an array, maybe on disk, is read a part at a time."""
  if isinstance(images, np.ndarray | jax.Array):
    whole = images
    starts = range(0, len(whole) if whole.ndim else 0, batch_size)
    images = (np.asarray(whole[i : i + batch_size]) for i in starts)
  size = None
  for piece in images:
    piece = np.asarray(piece)
    if piece.dtype != np.uint8:
      raise ValueError(
        f'Images must be uint8 in 0..255, got {piece.dtype}; clip, round and '
        'cast them first.'
      )
    if piece.ndim != 4 or piece.shape[-1] not in (1, 3):
      raise ValueError(
        f'Images must be [B, H, W, 1 or 3], got shape {piece.shape}.'
      )
    size = size or piece.shape[1:]
    if piece.shape[1:] != size:
      raise ValueError(f'Images of {size} and {piece.shape[1:]} in one set.')
    yield piece
