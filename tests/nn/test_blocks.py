"""Layers start as the paper's framework starts them."""

import jax
import numpy as np

from structae.nn import blocks


def test_layers_start_uniform_within_the_inverse_root_of_fan_in():
  layer = blocks.conv(32, 3, **blocks.initializers('uniform', 9 * 16))
  x = jax.numpy.zeros((1, 8, 8, 16))
  params = layer.init(jax.random.key(0), x)['params']
  bound = 1 / np.sqrt(9 * 16)
  for values in params.values():
    assert np.abs(values).max() <= bound
  kernel = np.asarray(params['kernel'])
  np.testing.assert_allclose(kernel.std(), bound / np.sqrt(3), rtol=0.05)
  assert np.abs(params['bias']).max() > 0.5 * bound
