"""The parts against explicit formulas, the whole against PyTorch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal

from structae.evaluation.images import inception
from tests.evaluation.images import random_inception


def _normal(shape, seed=0):
  return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def _windows(x, fill):
  """`[B, H, W, C, 9]`: the 3x3 surroundings, with `fill` outside the map."""
  around = ((0, 0), (1, 1), (1, 1), (0, 0))
  padded = np.pad(x, around, constant_values=fill)
  h, w = x.shape[1:3]
  parts = [padded[:, i : i + h, j : j + w] for i in range(3) for j in range(3)]
  return np.stack(parts, -1)


def test_it_has_the_parameters_of_the_published_network():
  shapes = inception.parameter_shapes()
  assert sum(np.prod(shape) for shape in shapes.values()) == 23_885_392
  assert sum(name.endswith('.kernel') for name in shapes) == 94 + 1
  assert shapes['fc.kernel'] == (2048, 1008)
  assert shapes['Mixed_6c.branch7x7_2.kernel'] == (1, 7, 160, 160)
  assert shapes['Mixed_6c.branch7x7_3.kernel'] == (7, 1, 160, 192)


def test_average_pool_leaves_the_padding_out():
  x = _normal((2, 5, 4, 3))
  expected = np.nanmean(_windows(x, np.nan), -1)
  np.testing.assert_allclose(inception.average_pool(x), expected, atol=1e-6)
  # A flat map stays flat up to its border.
  flat = np.full((1, 5, 5, 1), 3.0, np.float32)
  np.testing.assert_allclose(inception.average_pool(flat), flat, rtol=1e-6)


def test_max_pool_takes_windows_inside_or_around():
  x = _normal((1, 7, 7, 2)) - 10  # below zero: zero padding would show
  whole = _windows(x, -np.inf).max(-1)
  np.testing.assert_array_equal(inception.max_pool(x, 1, 1), whole)
  np.testing.assert_array_equal(
    inception.max_pool(x, 2), whole[:, 1:-1:2, 1:-1:2]
  )


@pytest.mark.parametrize('kernel', [(1, 7), (7, 1), (3, 3), (1, 1), (5, 5)])
def test_a_unit_is_convolution_norm_and_rectifier(kernel):
  x = _normal((1, 9, 8, 2))
  padding = tuple(k // 2 for k in kernel)
  unit = inception.ConvUnit(3, kernel, padding=padding)
  params = {
    'kernel': _normal((*kernel, 2, 3), 1),
    'scale': _normal(3, 2),
    'bias': _normal(3, 3),
    'mean': _normal(3, 4),
    'var': np.array([0.0, 0.5, 2.0], np.float32),  # 0: epsilon shows
  }
  actual = unit.apply({'params': params}, x)
  for c in range(3):
    total = sum(
      scipy.signal.correlate2d(
        x[0, :, :, i], params['kernel'][:, :, i, c], 'same'
      )
      for i in range(2)
    )
    normed = (total - params['mean'][c]) / np.sqrt(params['var'][c] + 1e-3)
    expected = np.maximum(normed * params['scale'][c] + params['bias'][c], 0)
    np.testing.assert_allclose(
      actual[0, :, :, c], expected, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize('by_maximum', [False, True])
def test_the_last_two_blocks_differ_in_their_pool(by_maximum):
  block = inception.BlockE(by_maximum)
  x = _normal((1, 3, 3, 4)) - 1
  shapes = jax.eval_shape(block.init, jax.random.key(0), x)['params']
  params = jax.tree.map(lambda s: np.zeros(s.shape, np.float32), shapes)
  # The pool branch, the last 192 outputs, shows its channel 2, negated.
  params['branch_pool']['kernel'][0, 0, 2, :] = -1
  params['branch_pool']['scale'][:] = 1
  params['branch_pool']['var'][:] = 1 - 1e-3
  windows = _windows(x, -np.inf if by_maximum else np.nan)
  pooled = windows.max(-1) if by_maximum else np.nanmean(windows, -1)
  actual = block.apply({'params': params}, x)
  assert actual.shape == (1, 3, 3, 2048)
  np.testing.assert_allclose(
    actual[..., -1], np.maximum(-pooled[..., 2], 0), atol=1e-5
  )
  np.testing.assert_array_equal(actual[..., :-192], 0)


def _line(x, size):
  """Resizes axis 0: half-pixel centers, clamped at the border."""
  n = len(x)
  center = np.clip((np.arange(size) + 0.5) * n / size - 0.5, 0, n - 1)
  low = np.floor(center).astype(int)
  high = np.minimum(low + 1, n - 1)
  share = (center - low)[:, None, None]
  return (1 - share) * x[low] + share * x[high]


@pytest.mark.parametrize('shape', [(64, 64), (5, 9), (330, 401)])
def test_resizing_is_plain_bilinear_up_and_down(shape):
  image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
  rows = _line(image / 255, 299)
  expected = 2 * _line(rows.swapaxes(0, 1), 299).swapaxes(0, 1) - 1
  actual = inception.preprocess(jnp.asarray(image[None]))[0]
  # Positions near 400 are rounded to 3e-5 pixels, and pixels differ by 2.
  np.testing.assert_allclose(actual, expected, atol=1e-4)


def test_an_image_of_its_size_is_only_scaled_and_grey_is_copied():
  image = np.random.default_rng(1).integers(0, 256, (1, 299, 299, 1), np.uint8)
  actual = inception.preprocess(jnp.asarray(image))
  expected = np.repeat(2 * (image / 255) - 1, 3, axis=-1)
  np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_what_is_no_uint8_image_is_refused():
  with pytest.raises(ValueError, match='uint8'):
    inception.preprocess(jnp.zeros((1, 8, 8, 3)))
  with pytest.raises(ValueError, match=r'\[B, H, W, 1 or 3\]'):
    inception.preprocess(jnp.zeros((1, 8, 8, 4), jnp.uint8))


def test_every_block_equals_pytorch_with_the_same_weights(tmp_path):
  torch = pytest.importorskip('torch', reason='torch is the reference here')
  from experiments.benchmarks import torch_inception
  from structae.evaluation.images import weights as inception_weights

  network = torch_inception.Inception().eval()
  state = network.state_dict()
  for name, value in state.items():
    if value.ndim:
      array = random_inception.tensor(name, tuple(value.shape))
      state[name] = torch.from_numpy(array)
  network.load_state_dict(state)
  file = tmp_path / 'random.pth'
  torch.save(network.state_dict(), file)
  variables = inception_weights.load_weights(file).variables
  images = np.random.default_rng(2).integers(0, 256, (2, 64, 64, 3), np.uint8)

  @jax.jit
  def forward(variables, images):
    x = inception.preprocess(images)
    outputs, state = inception.InceptionV3().apply(
      variables, x, capture_intermediates=True
    )
    blocks = state['intermediates']
    del blocks['__call__']
    return x, outputs, {k: v['__call__'][0] for k, v in blocks.items()}

  x, outputs, blocks = forward(variables, images)
  with torch.inference_mode():
    expected = network(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()))
  actual = {'input': x, 'features': outputs[2048], **blocks}
  assert set(actual) == set(expected)
  errors = {}
  for name, value in expected.items():
    theirs, ours = value.numpy(), np.asarray(actual[name])
    if theirs.ndim == 4:
      ours = ours.transpose(0, 3, 1, 2)
    # Relative to the block's spread: no block is vacuous or exploded.
    assert 1e-3 < theirs.std() < 1e5
    errors[name] = np.abs(ours - theirs).max() / theirs.std()
  assert max(errors.values()) < 1e-3, errors
  # The published depths: 64 and 192 after the max pools, 768 at Mixed_6e.
  after_pool = torch.nn.functional.max_pool2d(expected['Conv2d_4a_3x3'], 3, 2)
  for dims, value in (
    (192, after_pool),
    (768, expected['Mixed_6e']),
    (2048, expected['Mixed_7c']),
  ):
    np.testing.assert_allclose(
      outputs[dims], value.mean((2, 3)).numpy(), rtol=1e-3, atol=1e-5
    )
