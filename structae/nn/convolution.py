"""Convolutions that keep the size of the map, in the form that is fastest.

XLA's own convolution is many times slower per operation on tiny maps and on
three channels, above all on CPUs. Arrays are NHWC.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

CHANNELS = 4  # three are padded to as many


def convolve(
  x: jax.Array,
  kernel: jax.Array,
  strides: tuple[int, int],
  padding: Any,
  precision: Any = None,
  **options: Any,
) -> jax.Array:
  """`jax.lax.conv_general_dilated`, to rounding; `nn.Conv` takes either.

  Args:
    x: `[B, H, W, C_in]`.
    kernel: `[k, k, C_in, C_out]`, k odd.
    strides: of the windows.
    padding: k // 2 on every side.
    precision: of the products, see `jax.lax.Precision`.
    **options: further ones of `jax.lax.conv_general_dilated`.

  Returns:
    `[B, H, W, C_out]`, smaller by the strides.
  """
  if set(strides) == {1} and max(x.shape[1:3]) <= kernel.shape[0] // 2 + 1:
    return dense(x, kernel, precision)
  x, kernel, num_out = pad_channels(x, kernel)
  y = jax.lax.conv_general_dilated(
    x, kernel, strides, padding, precision=precision, **options
  )
  return y[..., :num_out]


def dense(x: jax.Array, kernel: jax.Array, precision: Any = None) -> jax.Array:
  """A convolution of a map so small that every pixel sees all others.

  With a kernel of 3x3, of a map of 2x2: one product with a matrix that holds,
  for each pixel out, the taps of the kernel that fall onto the map.

  Args:
    x: `[B, H, W, C_in]`, H and W at most k // 2 + 1.
    kernel: `[k, k, C_in, C_out]`, k odd.
    precision: of the products.

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
  y = jnp.matmul(x.reshape(batch, -1), matrix, precision=precision)
  return y.reshape(batch, height, width, num_out)


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


def convolve_grown(
  x: jax.Array,
  kernel: jax.Array,
  grow: Callable[[jax.Array], jax.Array],
  precision: Any = None,
) -> jax.Array:
  """A convolution of a map that grows, most of it done before it grows.

  Every tap of the kernel is applied to every pixel; what grows are the
  products, k * k * C_out channels in place of C_in, on a map that is still
  small; then each is added where its tap stands. The same function, since
  growing is linear and treats channels alike. It pays where C_out is small.

  Args:
    x: `[B, H, W, C_in]`.
    kernel: `[k, k, C_in, C_out]`, k odd.
    grow: a linear function of each channel, such as `resampling.upsample`.
    precision: of the products.

  Returns:
    `[B, H', W', C_out]`, in the size of `grow(x)`.
  """
  side, _, num_in, _ = kernel.shape
  taps = kernel.transpose(2, 0, 1, 3).reshape(num_in, -1)
  return add_shifted(grow(product(x, taps, precision)), side).astype(x.dtype)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def product(x: jax.Array, taps: jax.Array, precision: Any) -> jax.Array:
  """Every pixel times a matrix, in float32 at least.

  The gradient that jax would derive turns the products around, many channels
  that XLA computes again for it, where the pixels are there to be turned.

  Args:
    x: `[B, H, W, C_in]`.
    taps: `[C_in, C_out]`.
    precision: of the products.

  Returns:
    `[B, H, W, C_out]`.
  """
  wide = jnp.promote_types(x.dtype, jnp.float32)
  return jnp.matmul(x, taps, precision=precision, preferred_element_type=wide)


def _product_backward(
  precision: Any, given: tuple[jax.Array, jax.Array], g: jax.Array
) -> tuple[jax.Array, jax.Array]:
  x, taps = given
  of_x = jnp.matmul(g, taps.T.astype(g.dtype), precision=precision)
  pixels = (0, 1, 2)
  of_taps = jax.lax.dot_general(
    x.astype(g.dtype), g, ((pixels, pixels), ((), ())), precision=precision
  )
  return of_x.astype(x.dtype), of_taps.astype(taps.dtype)


product.defvjp(
  lambda x, taps, precision: (product(x, taps, precision), (x, taps)),
  _product_backward,
)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def add_shifted(products: jax.Array, side: int) -> jax.Array:
  """Adds the products of a pixel with the taps of a kernel where they belong.

  Args:
    products: `[B, H, W, side * side * C]`, by row and column of the tap.
    side: the width of the kernel, odd.

  Returns:
    `[B, H, W, C]`; beyond the border there are zeros.
  """
  num = products.shape[-1] // side**2
  return sum(
    window[..., tap * num : (tap + 1) * num]
    for tap, window in enumerate(_windows(products, side))
  )  # type: ignore[return-value]


def _windows(x: jax.Array, side: int) -> list[jax.Array]:
  """A map, shifted to where each tap of a kernel sees it, row by row."""
  height, width = x.shape[1:3]
  around = (side // 2, side // 2)
  padded = jnp.pad(x, [(0, 0), around, around, (0, 0)])
  return [
    padded[:, i : i + height, j : j + width]
    for i in range(side)
    for j in range(side)
  ]


def _add_shifted_backward(side: int, _: None, g: jax.Array) -> tuple[jax.Array]:
  """What was added from a pixel comes back to it: the windows turned around.

  The transpose that jax would derive pads and writes a map for every tap.
  """
  products = jnp.stack(_windows(g, side)[::-1], 3)
  return (products.reshape(*g.shape[:3], -1),)


add_shifted.defvjp(
  lambda products, side: (add_shifted(products, side), None),
  _add_shifted_backward,
)
