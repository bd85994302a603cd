"""Maps made twice as large or half as large.

Each function equals the stock one of jax or flax to rounding and costs a
fraction of it (see `experiments/benchmarks/blocks.py`). Arrays are NHWC.
"""

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp


@jax.custom_vjp
def upsample(x: jax.Array) -> jax.Array:
  """Doubles a map bilinearly, by blending each pixel with its neighbours.

  Equals `jax.image.resize(x, ..., 'bilinear')`: pixel centres at half
  integers, borders repeated.

  Args:
    x: `[B, H, W, C]`.

  Returns:
    `[B, 2H, 2W, C]`.
  """
  batch, height, width, channels = x.shape
  rows = [jnp.stack(_blend(row, 2), 3) for row in _blend(x, 1)]
  return jnp.stack(rows, 2).reshape(batch, 2 * height, 2 * width, channels)


def _blend(x: jax.Array, axis: int) -> tuple[jax.Array, jax.Array]:
  """The even and the odd pixels of an axis twice as long."""
  even = 0.75 * x + 0.25 * _shift(x, x, axis, -1)
  odd = 0.75 * x + 0.25 * _shift(x, x, axis, 1)
  return even, odd


def _shift(x: jax.Array, border: jax.Array, axis: int, by: int) -> jax.Array:
  """The neighbour of every pixel; beyond the border, a pixel of `border`."""
  size = x.shape[axis]
  cut = lambda a, i, j: jax.lax.slice_in_dim(a, i, j, axis=axis)
  if by < 0:
    return jnp.concatenate([cut(border, 0, 1), cut(x, 0, size - 1)], axis)
  return jnp.concatenate([cut(x, 1, size), cut(border, size - 1, size)], axis)


def _transpose_blend(g: jax.Array, axis: int) -> jax.Array:
  """Gathers what `_blend` spread; at a border a pixel blends with itself."""
  pairs = g.reshape(*g.shape[:axis], -1, 2, *g.shape[axis + 1 :])
  even, odd = (
    jax.lax.index_in_dim(pairs, i, axis + 1, keepdims=False) for i in (0, 1)
  )
  return 0.75 * (even + odd) + 0.25 * (
    _shift(even, odd, axis, 1) + _shift(odd, even, axis, -1)
  )


upsample.defvjp(
  lambda x: (upsample(x), None),
  lambda _, g: (_transpose_blend(_transpose_blend(g, 2), 1),),
)


def dilate(x: jax.Array) -> jax.Array:
  """Doubles a map by a zero behind every pixel, along both axes.

  A convolution of it, 3 pixels wide, is the transposed convolution of `x` with
  stride 2, padding 1 and output padding 1.

  Args:
    x: `[B, H, W, C]`.

  Returns:
    `[B, 2H, 2W, C]`.
  """
  keep, spread = (0, 0, 0), (0, 1, 1)
  return jax.lax.pad(x, jnp.zeros((), x.dtype), [keep, spread, spread, keep])


@jax.custom_vjp
def max_pool(x: jax.Array) -> jax.Array:
  """Halves a map by the maximum over 2x2 windows.

  The gradient goes to the first maximum of a window, found by comparison;
  XLA's own select-and-scatter is an order of magnitude slower on CPUs.

  Args:
    x: `[B, H, W, C]`, H and W even.

  Returns:
    `[B, H/2, W/2, C]`.
  """
  windows = _windows(x)
  # Not a reduction: XLA would draw the convolution into it, on one thread.
  rows = jnp.maximum(windows[:, :, 0], windows[:, :, 1])
  return jnp.maximum(rows[:, :, :, 0], rows[:, :, :, 1])


def _windows(x: jax.Array) -> jax.Array:
  batch, height, width, channels = x.shape
  return x.reshape(batch, height // 2, 2, width // 2, 2, channels)


def _max_pool_forward(x: jax.Array) -> tuple[jax.Array, Any]:
  y = max_pool(x)
  return y, (x, y)


def _max_pool_backward(residuals: Any, g: jax.Array) -> tuple[jax.Array]:
  x, y = residuals
  windows = _windows(x)
  pixels = [windows[:, :, i, :, j] for i in range(2) for j in range(2)]
  parts = to_first(pixels, y, g)
  rows = [jnp.stack(parts[:2], 3), jnp.stack(parts[2:], 3)]
  return (jnp.stack(rows, 2).reshape(x.shape),)


def to_first(
  arrays: Iterable[jax.Array], y: jax.Array, g: jax.Array
) -> list[jax.Array]:
  """The gradient of a maximum: all of it to the first that is as large.

  Args:
    arrays: of one shape.
    y: their maximum.
    g: the gradient of `y`.

  Returns:
    The gradient of each array.
  """
  free = jnp.ones(y.shape, bool)
  parts = []
  for x in arrays:
    hit = free & (x == y)
    free = free & ~hit
    parts.append(jnp.where(hit, g, 0))
  return parts


max_pool.defvjp(_max_pool_forward, _max_pool_backward)
