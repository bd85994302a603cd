"""Every form of a convolution equals XLA's own, value and gradient."""

import jax
import numpy as np
import pytest

from structae.nn import convolution, resampling
from tests.nn import formulations


def plain(x, kernel, stride=1):
  middle = kernel.shape[0] // 2
  return jax.lax.conv_general_dilated(
    x, kernel, (stride, stride), [(middle, middle)] * 2,
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
  )  # fmt: skip


def ours(x, kernel, stride=1):
  middle = kernel.shape[0] // 2
  return convolution.convolve(
    x, kernel, (stride, stride), [(middle, middle)] * 2,
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
  )  # fmt: skip


def arrays(height, width, side, num_in, num_out):
  keys = jax.random.split(jax.random.key(0))
  return (
    jax.random.normal(keys[0], (3, height, width, num_in)),
    jax.random.normal(keys[1], (side, side, num_in, num_out)),
  )


@formulations.in_every_type
@pytest.mark.parametrize(
  'shape',
  [(2, 2, 3, 5, 4), (1, 1, 1, 5, 4), (3, 2, 5, 4, 3), (1, 2, 3, 3, 3)],
)
def test_every_pixel_of_a_tiny_map_sees_all_others(shape, dtype):
  with formulations.exact():
    formulations.compare(convolution.dense, plain, dtype, *arrays(*shape))


@formulations.in_every_type
@pytest.mark.parametrize('channels', [(3, 8), (8, 3), (3, 3), (1, 8), (8, 8)])
def test_padded_channels_change_nothing(channels, dtype):
  with formulations.exact():
    x, kernel = arrays(6, 6, 5, *channels)
    formulations.compare(ours, plain, dtype, x, kernel)


@formulations.in_every_type
@pytest.mark.parametrize('grow', [resampling.upsample, resampling.dilate])
@pytest.mark.parametrize('side', [1, 3])
def test_a_map_may_be_convolved_before_it_grows(side, grow, dtype):
  with formulations.exact():
    formulations.compare(
      lambda x, kernel: convolution.convolve_grown(x, kernel, grow),
      lambda x, kernel: plain(grow(x), kernel),
      dtype,
      *arrays(4, 2, side, 5, 3),
    )


def test_strides_are_kept():
  for size in (2, 6):
    x, kernel = arrays(size, size, 3, 3, 4)
    expected = plain(x, kernel, 2)
    np.testing.assert_allclose(ours(x, kernel, 2), expected, atol=1e-5)


def test_the_form_is_chosen_by_shape():
  def primitives(size, num_in):
    x = jax.ShapeDtypeStruct((2, size, size, num_in), np.float32)
    kernel = jax.ShapeDtypeStruct((3, 3, num_in, 8), np.float32)
    return str(jax.make_jaxpr(ours)(x, kernel))

  assert 'conv_general_dilated' not in primitives(2, 8)
  assert 'conv_general_dilated' in primitives(4, 8)
  assert ' pad[' in primitives(4, 3) and ' pad[' not in primitives(4, 8)
