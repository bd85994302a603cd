"""The structural autoencoder: its size, its chain, its gradients."""

import re

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest

from structae.models import autoencoder, decoders, encoders
from structae.nn.backbone import Backbone

# A tiny SAE-4 on 16 pixels: 4 blocks of 16 channels.
SIZE, K, D, WIDTH = 16, 4, 2, 16


def sae(unroll=True, dtype=jnp.float32, param_dtype=jnp.float32):
  backbone = Backbone(4, WIDTH, 4, dtype=dtype, param_dtype=param_dtype)
  return autoencoder.Autoencoder(
    encoders.ConvEncoder(K * D, head=(16,), backbone=backbone),
    decoders.StructuralDecoder(
      SIZE, K, str_tfm=(8, 8), unroll=unroll, backbone=backbone
    ),
    K,
  )


@pytest.fixture(scope='module')
def images():
  return jax.random.uniform(jax.random.key(0), (2, SIZE, SIZE, 3))


@pytest.fixture(scope='module')
def variables(images):
  return jax.jit(sae().init)(jax.random.key(1), images)


@pytest.fixture(scope='module')
def codes():
  return jax.random.normal(jax.random.key(2), (2, K, D))


def test_where_maps_are_halved_and_doubled():
  assert encoders.pool_after(64, 12) == (1, 4, 7, 10, 12)
  assert encoders.pool_after(128, 16) == (1, 4, 7, 10, 13, 16)
  assert encoders.pool_after(32, 12) == (1, 4, 7, 10)
  assert decoders.upsample_before(64, 12) == (2, 4, 7, 10, 12)
  assert decoders.upsample_before(128, 16) == (1, 4, 7, 10, 13, 16)
  assert decoders.upsample_before(32, 12) == (4, 7, 10, 12)


def test_too_few_blocks_for_the_size_is_an_error():
  with pytest.raises(ValueError, match='at least 5'):
    encoders.pool_after(64, 4)
  with pytest.raises(ValueError, match='at least 5'):
    decoders.upsample_before(64, 4)


def test_encode_decode_call(images, variables):
  model = sae()
  posterior = model.apply(variables, images, method='encode')
  assert posterior.mean.shape == (2, K, D) and posterior.log_var is None
  logits = model.apply(variables, posterior.mean, method='decode')
  np.testing.assert_allclose(model.apply(variables, images), logits, atol=1e-5)
  bytes_ = jnp.round(images * 255).astype(jnp.uint8)
  np.testing.assert_allclose(
    model.apply(variables, bytes_, method='encode').mean,
    model.apply(variables, bytes_ / 255, method='encode').mean,
    atol=1e-6,
  )


def test_changing_a_variable_changes_its_stage_and_none_before(
  variables, codes
):
  stages = jax.jit(lambda u: sae().apply(variables, u, method='decode_stages'))
  before = stages(codes)
  assert len(before) == K
  for j in range(K):
    after = stages(codes.at[:, j].add(0.5))
    for i in range(K):
      same = np.array_equal(before[i], after[i])
      assert same == (i < j), (i, j)


@pytest.mark.parametrize(
  'num_blocks, num_stages, given, expected',
  [
    (12, 4, (), (1, 4, 7, 10)),
    (12, 5, (), (1, 3, 5, 8, 10)),
    (16, 12, (), (1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15)),
    (12, 3, (2, 3, 7), (1, 3, 6)),
    (4, 4, (1, 1, 1, 1), (1, 2, 3, 4)),
  ],
)
def test_where_stages_begin(num_blocks, num_stages, given, expected):
  starts = decoders.stage_starts(num_blocks, num_stages, given)
  assert starts == expected
  lengths = np.diff([*starts, num_blocks + 1])
  assert lengths.sum() == num_blocks
  assert tuple(lengths) == given if given else np.ptp(lengths) <= 1


@pytest.mark.parametrize('given', [(3, 1), (4,), (4, 0), (2, 3)])
def test_stages_that_do_not_make_the_blocks_are_refused(given):
  with pytest.raises(ValueError, match='blocks'):
    decoders.stage_starts(4, 2, given + (1,) * (given == (3, 1)))


def test_the_last_stage_is_the_image(variables, codes):
  stages = sae().apply(variables, codes, method='decode_stages')
  logits = sae().apply(variables, codes, method='decode')
  np.testing.assert_array_equal(stages[-1], logits)


def test_without_str_tfm_output_kernels_the_code_is_not_heard(variables, codes):
  params = jax.tree.map(lambda p: p, variables['params'])
  out = params['decoder']['str_tfm_networks']['networks']['out']
  out['kernel'] = jnp.zeros_like(out['kernel'])
  decode = lambda u: sae().apply({'params': params}, u, method='decode')
  np.testing.assert_array_equal(decode(codes), decode(-3 * codes))


def test_results_do_not_depend_on_the_unrolling(images, variables):
  outputs = [sae(unroll).apply(variables, images) for unroll in (True, False)]
  np.testing.assert_allclose(*outputs, atol=1e-5)


def test_no_convolution_stands_in_a_loop(images, variables):
  loss = lambda unroll: jax.jit(
    jax.grad(lambda v: sae(unroll).apply(v, images).sum())
  )
  count = lambda unroll: len(
    re.findall(
      r'convolution\(', _loop_bodies(loss(unroll).lower(variables).compile())
    )
  )
  assert count(True) == 0
  assert count(False) > 0  # the search does find them where they are


def _loop_bodies(compiled):
  """The text of all computations that a while loop of the program runs."""
  text = compiled.as_text()
  computations = dict(
    re.findall(r'^%?([\w.\-]+) [^\n]*\{\n(.*?)^\}', text, re.M | re.S)
  )
  names = set(re.findall(r'body=%?([\w.\-]+)', text))
  seen = set()
  while names:
    name = names.pop()
    if name in seen or name not in computations:
      continue
    seen.add(name)
    names |= set(re.findall(r'(?:calls|to_apply|body)=%?([\w.\-]+)',
                            computations[name]))  # fmt: skip
  return '\n'.join(computations[name] for name in seen)


def test_gradients_are_finite_differences():
  with jax.enable_x64(True):
    model = sae(dtype=jnp.float64, param_dtype=jnp.float64)
    images = jax.random.uniform(
      jax.random.key(0), (1, SIZE, SIZE, 3), jnp.float64
    )
    params = jax.jit(model.init)(jax.random.key(1), images)
    flat, unravel = jax.flatten_util.ravel_pytree(params)
    assert flat.dtype == jnp.float64
    f = jax.jit(lambda p: jnp.square(model.apply(unravel(p), images)).mean())
    gradient = jax.jit(jax.grad(f))(flat)
    for seed in range(3):
      direction = jax.random.normal(
        jax.random.key(seed), flat.shape, flat.dtype
      )
      numeric = (f(flat + 1e-7 * direction) - f(flat - 1e-7 * direction)) / 2e-7
      np.testing.assert_allclose(gradient @ direction, numeric, rtol=1e-5)


def test_bfloat16_computes_nearly_the_same(images, variables):
  coarse = sae(dtype=jnp.bfloat16)
  logits = coarse.apply(variables, images)
  assert logits.dtype == jnp.float32
  fine = sae().apply(variables, images)
  assert np.abs(logits - fine).max() < 0.05 * np.abs(fine).max() + 0.02
  kept = jax.eval_shape(coarse.init, jax.random.key(0), images)
  assert {p.dtype for p in jax.tree.leaves(kept)} == {jnp.dtype('float32')}
