"""The hourglass, strided maps, and feature vectors as images of one pixel."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.models import autoencoder, decoders, encoders, ladder
from structae.nn import activations, blocks, resampling
from structae.nn.backbone import Backbone

COMMON = Backbone(num_blocks=4, width=8, num_groups=2)
STRIDED = dataclasses.replace(COMMON, strided=True)
IMAGES = jax.random.uniform(jax.random.key(0), (2, 16, 16, 3))
CODES = jax.random.normal(jax.random.key(1), (2, 4, 1))


def test_an_hourglass_reads_the_whole_code_at_its_start():
  decoder = decoders.HourglassDecoder(16, hidden=(8,), backbone=COMMON)
  variables = jax.jit(decoder.init)(jax.random.key(0), CODES)
  params = variables['params']
  x = blocks.MLP((8, 32)).apply({'params': params['start']}, CODES[..., 0])
  x = x.reshape(2, 2, 2, 8)
  for i in range(1, 4):
    if i in decoders.upsample_before(16, 4):
      x = jax.image.resize(x, (2, *(2 * s for s in x.shape[1:3]), 8), 'linear')
    block = blocks.ConvBlock(8, backbone=Backbone(num_groups=2))
    x = block.apply({'params': params['chain'][f'block_{i}']}, x)
  x = jax.image.resize(x, (2, 16, 16, 8), 'linear')
  out = blocks.conv(3, 3).apply({'params': params['chain']['out']}, x)
  np.testing.assert_allclose(decoder.apply(variables, CODES), out, atol=1e-5)


def test_dilation_and_convolution_are_a_transposed_convolution():
  """Stride 2, padding 1, output padding 1: pads 1 before and 2 behind."""
  x = jax.random.normal(jax.random.key(2), (2, 4, 4, 3))
  kernel = jax.random.normal(jax.random.key(3), (3, 3, 3, 5))
  dimensions = ('NHWC', 'HWIO', 'NHWC')
  expected = jax.lax.conv_general_dilated(
    x, kernel, (1, 1), ((1, 2), (1, 2)), lhs_dilation=(2, 2),
    dimension_numbers=dimensions,
  )  # fmt: skip
  actual = jax.lax.conv_general_dilated(
    resampling.dilate(x), kernel, (1, 1), ((1, 1), (1, 1)),
    dimension_numbers=dimensions,
  )  # fmt: skip
  assert expected.shape == (2, 8, 8, 5)
  np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_a_str_tfm_comes_before_the_zeros_of_a_transposed_convolution():
  """Else its shift would fill them. The shift of block 3 is set by hand."""
  decoder = decoders.StructuralDecoder(16, 4, str_tfm=(4,), backbone=STRIDED)
  params = jax.jit(decoder.init)(jax.random.key(0), CODES)['params']
  assert decoders.upsample_before(16, 4) == (1, 3, 4)
  out = params['str_tfm_networks']['networks']['out']
  out['kernel'] = jnp.zeros_like(out['kernel'])
  shift = jax.random.normal(jax.random.key(4), (8,))
  plain = decoder.apply({'params': params}, CODES, method='stages')
  out['bias'] = out['bias'].at[2, :8].set(shift)
  shifted = decoder.apply({'params': params}, CODES, method='stages')
  np.testing.assert_array_equal(plain[1], shifted[1])
  kernel = jax.tree.map(lambda p: p[0], params['run_3']['block'])
  block = blocks.ConvBlock(8, backbone=Backbone(num_groups=2))
  for x, expected in ((plain[1], plain[2]), (plain[1] + shift, shifted[2])):
    actual = block.apply({'params': kernel}, resampling.dilate(x))
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_strided_blocks_halve_maps_by_their_convolution():
  pooled, strided = (
    encoders.ConvEncoder(4, head=(8,), backbone=backbone)
    for backbone in (COMMON, STRIDED)
  )
  variables = pooled.init(jax.random.key(0), IMAGES)
  trunk = encoders.ConvTrunk(STRIDED)
  outputs = trunk.apply({'params': variables['params']['trunk']}, IMAGES)
  assert [x.shape[1] for x in outputs] == [8, 8, 4, 2]
  np.testing.assert_array_equal(strided.apply(variables, IMAGES).shape, (2, 4))


def test_elu_is_everywhere_or_nowhere():
  decoder = lambda name: decoders.StructuralDecoder(
    16,
    4,
    str_tfm=(4,),
    backbone=dataclasses.replace(COMMON, activation=name),
  )
  variables = decoder('mish').init(jax.random.key(0), CODES)
  stages = [
    decoder(name).apply(variables, CODES, method='stages')
    for name in ('mish', 'elu')
  ]
  # Mish ends at -0.31, ELU at -1.
  lows = [min(float(x.min()) for x in s[:-1]) for s in stages]
  assert lows[0] > -0.31 and -1 <= lows[1] < -0.5


VECTORS = jax.random.normal(jax.random.key(5), (3, 7))


def of_vectors(kind):
  common = dict(size=1, channels=7, backbone=COMMON)
  if kind == 'ladder':
    return autoencoder.Autoencoder(
      ladder.LadderEncoder(4, 1, False, (8,), COMMON),
      ladder.LadderDecoder(num_variables=4, rung=(8,), **common),
      4, vectors=True,
    )  # fmt: skip
  decoder = {
    'structural': lambda: decoders.StructuralDecoder(
      num_stages=4, str_tfm=(8,), **common
    ),
    'hourglass': lambda: decoders.HourglassDecoder(hidden=(8,), **common),
  }[kind]()
  encoder = encoders.MLPEncoder(4, (16,))
  return autoencoder.Autoencoder(encoder, decoder, 4, vectors=True)


@pytest.mark.parametrize('kind', ['structural', 'hourglass', 'ladder'])
def test_feature_vectors_go_in_and_come_out(kind):
  model = of_vectors(kind)
  variables = jax.jit(model.init)(jax.random.key(0), VECTORS)
  codes = model.apply(variables, VECTORS, method='encode').mean
  assert codes.shape == (3, 4, 1)
  decoded = model.apply(variables, codes, method='decode')
  assert decoded.shape == (3, 7)
  # Examples do not see each other.
  alone = model.apply(variables, VECTORS[1:2])
  np.testing.assert_allclose(alone[0], decoded[1], atol=1e-5)


def test_on_vectors_a_stage_is_a_dense_layer():
  """S_1 = Mish(norm(W (alpha_1 S_0 + beta_1) + b)), by plain matrices."""
  model = of_vectors('structural')
  variables = jax.jit(model.init)(jax.random.key(0), VECTORS)
  params = variables['params']['decoder']
  codes = jax.random.normal(jax.random.key(6), (3, 4, 1))
  stages = model.apply(variables, codes, method='decode_stages')
  networks = params['str_tfm_networks']['networks']
  dense = lambda p, u: u @ p['kernel'][0] + p['bias'][0]
  hidden = activations.mish(dense(networks['hidden_0'], codes[:, 0]))
  beta, logit = jnp.split(dense(networks['out'], hidden), 2, -1)
  x = jnp.exp(logit) * params['start'][0, 0] + beta
  block = jax.tree.map(lambda p: p[0], params['run_1']['block'])
  x = x @ block['conv']['kernel'][0, 0] + block['conv']['bias']
  groups = x.reshape(3, 2, 4)
  mean, var = groups.mean(-1, keepdims=True), groups.var(-1, keepdims=True)
  x = ((groups - mean) / jnp.sqrt(var + 1e-5)).reshape(3, 8)
  expected = activations.mish(x)  # scale 1 and bias 0 at the start
  np.testing.assert_allclose(stages[0][:, 0, 0], expected, atol=1e-5)
