"""A convolution of few channels and the pooling behind it, as one function.

Convolutions of three channels are slow for what they do: a window's row is
fifteen numbers. Blocks of 2x2 pixels have twelve channels, and the results of
the four pixels of a block stand side by side, as the pooling takes them.
Arrays are NHWC.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from structae.nn import convolution, resampling

FEW = 4  # channels


def convolve(
  x: jax.Array, kernel: jax.Array, precision: Any = None
) -> jax.Array:
  """A convolution that keeps the size of the map, then a maximum over 2x2.

  Args:
    x: `[B, H, W, C_in]`, H and W even.
    kernel: `[k, k, C_in, C_out]`, k odd.
    precision: of the products, see `jax.lax.Precision`.

  Returns:
    `[B, H/2, W/2, C_out]`.
  """
  batch, height, width, num_in = x.shape
  blocks = x.reshape(batch, height // 2, 2, width // 2, 2, num_in)
  blocks = blocks.swapaxes(2, 3).reshape(batch, height // 2, width // 2, -1)
  taps = of_blocks(kernel)
  middle = taps.shape[0] // 2
  pixels = convolution.convolve(
    blocks,
    taps,
    (1, 1),
    [(middle, middle)] * 2,
    precision,
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
  )
  return largest(pixels.reshape(*pixels.shape[:3], 4, -1))


def of_blocks(kernel: jax.Array) -> jax.Array:
  """The same convolution, from blocks of 2x2 pixels to blocks of 2x2 pixels.

  Args:
    kernel: `[k, k, C_in, C_out]`, k odd.

  Returns:
    `[n, n, 4 C_in, 4 C_out]`, n odd, the fewest blocks that k pixels around
    each pixel of the middle one lie in; pixels of a block by row and column.
  """
  side, _, num_in, num_out = kernel.shape
  around = (side // 2 + 1) // 2  # blocks on each side
  num = 2 * around + 1
  first = 2 * around - side // 2  # where the window of a block's first begins
  keep = (0, 0)

  def window(at: int) -> tuple[int, int]:
    return first + at, 2 * num - side - first - at

  seen_from = [
    jnp.pad(kernel, [window(i), window(j), keep, keep])
    for i in (0, 1)
    for j in (0, 1)
  ]
  taps = jnp.stack(seen_from, 3).reshape(num, 2, num, 2, num_in, 4, num_out)
  return taps.swapaxes(1, 2).reshape(num, num, 4 * num_in, 4 * num_out)


@jax.custom_vjp
def largest(x: jax.Array) -> jax.Array:
  """The maximum over an axis; its gradient goes to the first that is as large.

  Args:
    x: `[..., N, C]`.

  Returns:
    `[..., C]`.
  """
  # Not a reduction: XLA would draw the convolution into it, on one thread.
  return functools.reduce(jnp.maximum, _each(x))


def _each(x: jax.Array) -> list[jax.Array]:
  return [x[..., i, :] for i in range(x.shape[-2])]


def _forward(x: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
  y = largest(x)
  return y, (x, y)


def _backward(
  given: tuple[jax.Array, jax.Array], g: jax.Array
) -> tuple[jax.Array]:
  x, y = given
  return (jnp.stack(resampling.to_first(_each(x), y, g), -2),)


largest.defvjp(_forward, _backward)
