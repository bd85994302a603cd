"""Convolutions that keep the size of the map, in the form that is fastest.

XLA's own convolution is many times slower per operation on tiny maps and on
three channels, above all on CPUs. Arrays are NHWC.
"""

from typing import Any

import jax
import jax.numpy as jnp

CHANNELS = 4  # three are padded to as many


def convolve(
  x: jax.Array,
  kernel: jax.Array,
  strides: tuple[int, int],
  padding: Any,
  **options: Any,
) -> jax.Array:
  """`jax.lax.conv_general_dilated`, to rounding; `nn.Conv` takes either.

  Args:
    x: `[B, H, W, C_in]`.
    kernel: `[k, k, C_in, C_out]`, k odd.
    strides: of the windows.
    padding: k // 2 on every side.
    **options: further ones of `jax.lax.conv_general_dilated`.

  Returns:
    `[B, H, W, C_out]`, smaller by the strides.
  """
  if set(strides) == {1} and max(x.shape[1:3]) <= kernel.shape[0] // 2 + 1:
    return dense(x, kernel)
  x, kernel, num_out = pad_channels(x, kernel)
  y = jax.lax.conv_general_dilated(x, kernel, strides, padding, **options)
  return y[..., :num_out]


def dense(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """A convolution of a map so small that every pixel sees all others.

  With a kernel of 3x3, of a map of 2x2: one product with a matrix that holds,
  for each pixel out, the taps of the kernel that fall onto the map.

  Args:
    x: `[B, H, W, C_in]`, H and W at most k // 2 + 1.
    kernel: `[k, k, C_in, C_out]`, k odd.

  Returns:
    `[B, H, W, C_out]`.
  """
  batch, height, width, num_in = x.shape
  middle, num_out = kernel.shape[0] // 2, kernel.shape[-1]
  rows = []
  for i in range(middle, middle - height, -1):
    columns = [
      kernel[i : i + height, j : j + width]
      for j in range(middle, middle - width, -1)
    ]
    rows.append(jnp.stack(columns, 3))
  num_pixels = height * width
  matrix = jnp.stack(rows, 3).reshape(num_pixels * num_in, num_pixels * num_out)
  return (x.reshape(batch, -1) @ matrix).reshape(batch, height, width, num_out)


def pad_channels(
  x: jax.Array, kernel: jax.Array
) -> tuple[jax.Array, jax.Array, int]:
  """Pads three channels in or out by one of zeros.

  Args:
    x: `[B, H, W, C_in]`.
    kernel: `[k, k, C_in, C_out]`.

  Returns:
    Both, padded, and C_out, the channels of the result to keep.
  """
  num_in, num_out = kernel.shape[2:]
  more_in, more_out = (CHANNELS - n if n == 3 else 0 for n in (num_in, num_out))
  keep, grow = (0, 0), (0, more_in)
  if more_in:
    x = jnp.pad(x, [keep, keep, keep, grow])
  if more_in or more_out:
    kernel = jnp.pad(kernel, [keep, keep, grow, (0, more_out)])
  return x, kernel, num_out
