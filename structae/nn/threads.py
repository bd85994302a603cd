"""Convolutions on all cores of a CPU.

XLA of jax 0.10, the last for Python 3.11, computes a two-dimensional
convolution of a CPU on one thread, and one in three dimensions by another
library, on all. The sums of that library do not depend on the number of
threads, but for the gradient of a kernel, which therefore stays on one.
"""

import functools
from typing import Any

import jax

NEEDED = jax.__version_info__ < (0, 11)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolve(x: jax.Array, kernel: jax.Array, precision: Any) -> jax.Array:
  """A convolution that keeps the size of the map.

  Args:
    x: `[B, H, W, C_in]`.
    kernel: `[k, k, C_in, C_out]`, k odd.
    precision: of the products, see `jax.lax.Precision`.

  Returns:
    `[B, H, W, C_out]`.
  """
  return jax.lax.platform_dependent(
    x,
    kernel,
    cpu=functools.partial(_deep, precision=precision),
    default=functools.partial(flat, precision=precision),
  )


def flat(x: jax.Array, kernel: jax.Array, precision: Any) -> jax.Array:
  """`convolve`, in two dimensions."""
  return jax.lax.conv_general_dilated(
    x,
    kernel,
    (1, 1),
    [(kernel.shape[0] // 2, kernel.shape[0] // 2)] * 2,
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    precision=precision,
  )


def _deep(x: jax.Array, kernel: jax.Array, precision: Any) -> jax.Array:
  """`convolve`, of maps that are one pixel deep."""
  y = jax.lax.conv_general_dilated(
    x[:, None],
    kernel[None],
    (1, 1, 1),
    [(0, 0), *[(kernel.shape[0] // 2, kernel.shape[0] // 2)] * 2],
    dimension_numbers=('NDHWC', 'DHWIO', 'NDHWC'),
    precision=precision,
  )
  return y[:, 0]


def _backward(
  precision: Any, given: tuple[jax.Array, jax.Array], g: jax.Array
) -> tuple[jax.Array, jax.Array]:
  """The gradient of a map is the convolution with the kernel turned around."""
  x, kernel = given
  turned = kernel[::-1, ::-1].swapaxes(2, 3)
  of_kernel = jax.linear_transpose(lambda k: flat(x, k, precision), kernel)
  return convolve(g, turned, precision), *of_kernel(g)


convolve.defvjp(
  lambda x, kernel, precision: (convolve(x, kernel, precision), (x, kernel)),
  _backward,
)
