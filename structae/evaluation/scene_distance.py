"""How far images lie from the nearest image of `shapes3d_synth`, exactly.

An image of the data set is a sum of one table row for the sky, the floor, the
wall and the object. Its squared distance to a sample is a quadratic form in
these rows, so inner products of the sample with the 21 rows of a geometry, and
of the rows with each other, give the distances to all 1000 colourings.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np

from structae.data import shapes3d_synth

# Float32 holds every whole number to 2^24, and 256 * 255^2 is less: inner
# products of grey levels over runs of 256 pixels are exact in any order.
_RUN = 256
_GEOMETRIES_AT_ONCE = 8
_SAMPLES_AT_ONCE = 256
# Fractions in a sample make an inner product round. The slack keeps distances
# that are nearly zero from passing below it, unsigned as they are.
_SLACK = 1 << 16

_SKY_ROWS = np.arange(3)


def _surface_rows(surface: int) -> np.ndarray:
  """The row of a geometry's 21 that shows each hue and channel, `[10, 3]`."""
  return 3 + shapes3d_synth.NUM_LEVELS * surface + shapes3d_synth.HUE_LEVELS


def _all_rows() -> np.ndarray:
  """The rows that add up to each colouring, `[1000, 4, 3 channels]`."""
  shape = (10, 10, 10, 3)
  rows = [
    np.broadcast_to(_SKY_ROWS, shape),
    np.broadcast_to(_surface_rows(0)[:, None, None], shape),
    np.broadcast_to(_surface_rows(1)[None, :, None], shape),
    np.broadcast_to(_surface_rows(2)[None, None, :], shape),
  ]
  return np.stack(rows, axis=3).reshape(1000, 4, 3)


def _inner(a: jax.Array, b: jax.Array) -> jax.Array:
  """`[P, pixels]` times `[Q, pixels]`, `[P, Q]` in whole numbers."""
  a = a.reshape(len(a), -1, _RUN).swapaxes(0, 1)
  b = b.reshape(len(b), -1, _RUN).swapaxes(0, 1)

  def add(
    total: jax.Array, runs: tuple[jax.Array, jax.Array]
  ) -> tuple[jax.Array, None]:
    exact = jnp.matmul(runs[0], runs[1].T, precision='highest')
    return total + jnp.round(exact).astype(jnp.int32), None

  zero = jnp.zeros((a.shape[1], b.shape[1]), jnp.int32)
  return jax.lax.scan(add, zero, (a, b))[0]


def _to_geometry(
  geometry: shapes3d_synth.Tables, samples: jax.Array
) -> jax.Array:
  """Squared distances to one geometry's colourings, `[1000, S]` uint32.

  Args:
    geometry: its tables, `[3 or 6, H, W]`.
    samples: `[S, 3, pixels]` grey levels.
  """
  rows = jnp.concatenate(geometry).reshape(21, -1).astype(jnp.float32)
  num_samples = len(samples)
  products = _inner(rows, samples.reshape(3 * num_samples, -1))
  products = products.reshape(21, num_samples, 3).transpose(2, 0, 1)
  gram = _inner(rows, rows)

  channels = np.arange(3)
  floor, wall, thing = (
    products[channels, _surface_rows(surface)].sum(1) for surface in range(3)
  )  # [10, S] each
  cross = (
    products[channels, _SKY_ROWS].sum(0)
    + floor[:, None, None]
    + wall[None, :, None]
    + thing[None, None, :]
  ).reshape(1000, num_samples)
  every = _all_rows()
  norms = gram[every[:, :, None], every[:, None, :]].sum((1, 2, 3))
  own = jnp.round(jnp.square(samples).reshape(num_samples, -1, _RUN).sum(-1))
  own = own.astype(jnp.uint32).sum(-1)
  # Unsigned sums are right whatever overflowed on the way to them, and the
  # largest squared distance, 3 * 128^2 * 255^2, is less than 2^32.
  return (
    norms.astype(jnp.uint32)[:, None]
    - 2 * cross.astype(jnp.uint32)
    + own
    + jnp.uint32(_SLACK)
  )


@jax.jit
def _nearest(tables: shapes3d_synth.Tables, samples: jax.Array) -> jax.Array:
  def group(part: shapes3d_synth.Tables) -> jax.Array:
    return jax.vmap(lambda t: _to_geometry(t, samples).min(0))(part)

  groups = jax.tree.map(
    lambda t: t.reshape(-1, _GEOMETRIES_AT_ONCE, *t.shape[1:]), tables
  )
  distances = jax.lax.map(group, groups).reshape(-1, len(samples))
  geometry = distances.argmin(0)

  def colouring(g: jax.Array, sample: jax.Array) -> jax.Array:
    own = jax.tree.map(lambda t: t[g], tables)
    return _to_geometry(own, sample[None])[:, 0].argmin()

  hue = jax.lax.map(lambda pair: colouring(*pair), (geometry, samples))
  return hue * shapes3d_synth.NUM_GEOMETRIES + geometry


def scene_distance(
  tables: shapes3d_synth.Tables, images: np.ndarray | jax.Array
) -> tuple[np.ndarray, np.ndarray]:
  """Finds the nearest of all 480,000 images to each given one.

  The search works in whole numbers, so for uint8 images it is exact. Floats
  make each inner product over 256 pixels round, which can misjudge a mean
  squared error by about 1e-7: of images that close, any may be chosen. The
  error returned is that of the chosen image, in float64.

  Args:
    tables: from `shapes3d_synth.tables`, of the images' size.
    images: `[S, H, W, 3]`, uint8 or floats in [0, 1].

  Returns:
    The mean squared error to the nearest image on pixels in [0, 1], `[S]`
    float64, and the number of that image, `[S]` int32; of equal ones, one.

  Raises:
    ValueError: if the images' shape is not that of the tables, or a float lies
      outside [0, 1].
  """
  images = np.asarray(images)
  size = tables.sky.shape[-1]
  if images.ndim != 4 or images.shape[1:] != (size, size, 3) or not len(images):
    raise ValueError(
      f'images must be [S, {size}, {size}, 3] like the tables, got shape '
      f'{images.shape}.'
    )
  if images.dtype == np.uint8:
    grey = images.astype(np.float32)
  else:
    if not (images.min() >= 0 and images.max() <= 1):
      raise ValueError(
        f'float images must lie in [0, 1], got {images.min()} to '
        f'{images.max()}: scale them, or pass uint8.'
      )
    grey = 255 * images.astype(np.float32)
  errors, numbers = [], []
  for part in np.array_split(grey, math.ceil(len(grey) / _SAMPLES_AT_ONCE)):
    samples = np.moveaxis(part, -1, 1).reshape(len(part), 3, -1)
    number = np.asarray(_nearest(tables, jnp.asarray(samples)))
    nearest = np.asarray(shapes3d_synth.images(tables, jnp.asarray(number)))
    difference = (part.astype(np.float64) - nearest) / 255
    errors.append(np.square(difference).mean((1, 2, 3)))
    numbers.append(number.astype(np.int32))
  return np.concatenate(errors), np.concatenate(numbers)
