"""`shapes3d_synth`: a re-creation of the scene of 3D-Shapes, made on demand.

This is not 3D-Shapes. It has the same six factors in the same order, the same
hues, and a room, an object and a lamp whose sizes were fitted to published
frames; a score on it is not a score on 3D-Shapes. Not reproduced: the faint
motif on the walls, the lines between floor tiles, the coarse tessellation of
sphere and cylinder, the darker tone of the side walls.

Colours never change which surface a ray meets nor how much light falls there,
so 480 ray-cast geometries (scale, shape, orientation) hold all 480,000 images.
A channel of a hue has one of six levels, and a ray meets one surface, so every
image is an exact sum of table look-ups, in whole grey levels:
sky + floor[level] + wall[level] + object[level].
The tables take seconds to make, so they are not stored.

Source: Burgess and Kim, 3D Shapes Dataset (2018),
https://github.com/deepmind/3d-shapes.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from structae.data import raycast
from structae.data.sets import shapes3d

FACTOR_NAMES = tuple(shapes3d.FACTORS)
FACTOR_SIZES = tuple(map(len, shapes3d.FACTORS.values()))
NUM_IMAGES = 480_000
NUM_GEOMETRIES = 480  # the last three factors

SCALES = np.linspace(0.75, 1.25, 8)
ANGLES = np.linspace(-30.0, 30.0, 15)  # degrees
# Ten pure hues, 0 to .9 of the colour circle: red, green and blue in fifths.
HUE_LEVELS = np.array([
  (5, 0, 0), (5, 3, 0), (4, 5, 0), (1, 5, 0), (0, 5, 2),
  (0, 5, 5), (0, 2, 5), (1, 0, 5), (4, 0, 5), (5, 0, 3),
])  # fmt: skip
NUM_LEVELS = 6
SKY_COLOUR = np.array([153, 226, 249])
# Rays per pixel and axis. 32 pixels are the 2x2 means of 64, ray by ray.
SUBSAMPLES = {32: 6, 64: 3, 128: 3}


class Tables(NamedTuple):
  """What each surface adds to each pixel, in grey levels.

  Attributes:
    sky: `[480, 3, S, S]` uint8, by geometry and channel.
    floor: `[480, 6, S, S]` uint8, by geometry and level of the hue's channel.
    wall: `[480, 6, S, S]` uint8, likewise.
    object: `[480, 6, S, S]` uint8, likewise.
  """

  sky: jax.Array
  floor: jax.Array
  wall: jax.Array
  object: jax.Array


def factors(indices: Any) -> Any:
  """Turns image numbers into factor indices.

  Args:
    indices: `[...]` integers in 0 to 479,999, numpy or jax.

  Returns:
    `[..., 6]` int32 in the order of `FACTOR_NAMES`, orientation fastest.
  """
  xp = jnp if isinstance(indices, jax.Array) else np
  columns, rest = [], xp.asarray(indices)
  for size in reversed(FACTOR_SIZES):
    columns.append(rest % size)
    rest = rest // size
  return xp.stack(columns[::-1], axis=-1).astype(xp.int32)


def index(factors: Any) -> Any:
  """Turns factor indices `[..., 6]` into image numbers `[...]`, int32."""
  xp = jnp if isinstance(factors, jax.Array) else np
  factors = xp.asarray(factors)
  number = xp.zeros(factors.shape[:-1], xp.int32)
  for column, size in enumerate(FACTOR_SIZES):
    number = number * size + factors[..., column].astype(xp.int32)
  return number


def _geometry(number: jax.Array) -> tuple[jax.Array, ...]:
  """The scale, shape number and angle of a geometry."""
  scale, shape, orientation = jnp.unravel_index(number, FACTOR_SIZES[3:])
  return jnp.asarray(SCALES)[scale], shape, jnp.asarray(ANGLES)[orientation]


def _pixel_sums(values: jax.Array, subsamples: int) -> jax.Array:
  """The sum over each pixel's rays, `[P, P]` to `[S, S]`."""
  size = values.shape[0] // subsamples
  return values.reshape(size, subsamples, size, subsamples).sum((1, 3))


def _shares(surface: jax.Array, subsamples: int) -> jax.Array:
  """Shares 255 grey levels among the surfaces in a pixel, `[4, S, S]`.

  The shares are whole and add up to 255, so no sum of surfaces exceeds it.
  """
  rays = [_pixel_sums(surface == s, subsamples) for s in range(4)]
  edges = jnp.round(255 * jnp.cumsum(jnp.stack(rays), 0) / subsamples**2)
  return jnp.diff(edges, axis=0, prepend=0.0)


@functools.partial(jax.jit, static_argnames='size')
def _build(size: int) -> Tables:
  subsamples = SUBSAMPLES[size]

  def one(geometry: jax.Array) -> Tables:
    surface, intensity, specular = raycast.cast(
      *_geometry(geometry), size * subsamples
    )
    shares = _shares(surface, subsamples)

    def grey(shade: jax.Array, s: int) -> jax.Array:
      total = _pixel_sums(jnp.where(surface == s, shade, 0.0), subsamples)
      total = jnp.round(255 / subsamples**2 * total)
      return jnp.minimum(total, shares[s]).astype(jnp.uint8)

    def level(fraction: jax.Array) -> jax.Array:
      shade = jnp.clip(fraction * intensity + specular, 0.0, 1.0)
      return jnp.stack(
        [grey(shade, s) for s in (raycast.FLOOR, raycast.WALL, raycast.OBJECT)]
      )

    # A loop, so that the rays are cast once and not again for every level.
    levels = jax.lax.map(level, jnp.arange(NUM_LEVELS) / (NUM_LEVELS - 1))
    sky = jnp.stack([grey(c / 255, raycast.SKY) for c in SKY_COLOUR])
    return Tables(sky, levels[:, 0], levels[:, 1], levels[:, 2])

  return jax.lax.map(one, jnp.arange(NUM_GEOMETRIES))


def _casting_device() -> jax.Device:
  """The CPU, so that every accelerator sees the same bytes, if it is there."""
  try:
    return jax.local_devices(backend='cpu')[0]
  except RuntimeError:  # JAX_PLATFORMS names an accelerator alone
    return jax.local_devices()[0]


@functools.lru_cache(1)  # seconds, whenever a process opens the data again
def _cast(size: int) -> Tables:
  with jax.default_device(_casting_device()):
    return jax.tree.map(np.asarray, _build(size))


def tables(size: int = 64) -> Tables:
  """Ray-casts the 480 geometries.

  Args:
    size: pixels in a row, and rows: 32, 64 or 128.

  Returns:
    The tables on the default device: 10, 41 or 165 MB by size.

  Raises:
    ValueError: for another size.
  """
  if size not in SUBSAMPLES:
    raise ValueError(
      f'shapes3d_synth has no size {size}: choose one of {[*SUBSAMPLES]}.'
    )
  return jax.tree.map(jnp.asarray, _cast(size))


@jax.jit
def images(tables: Tables, indices: jax.Array) -> jax.Array:
  """Composes images from the tables.

  Args:
    tables: from `tables`.
    indices: `[B]` integers in 0 to 479,999.

  Returns:
    `[B, S, S, 3]` uint8, channels red, green, blue.
  """
  geometry = indices % NUM_GEOMETRIES
  hues = factors(indices)[..., :3]
  levels = jnp.asarray(HUE_LEVELS)[hues]  # [B, 3 surfaces, 3 channels]
  g = geometry[:, None]
  image = (
    tables.sky[geometry]
    + tables.floor[g, levels[:, 0]]
    + tables.wall[g, levels[:, 1]]
    + tables.object[g, levels[:, 2]]
  )
  return jnp.moveaxis(image, 1, -1)
