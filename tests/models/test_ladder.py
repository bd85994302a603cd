"""The ladder: where its rungs stand, and what each of them can change."""

import jax
import numpy as np
import pytest

from structae.models import autoencoder, encoders, ladder
from structae.nn import blocks
from structae.nn.backbone import Backbone

K, D, SIZE = 4, 2, 16


def vlae(shrink=False, **options):
  backbone = Backbone(num_blocks=4, width=8, num_groups=2, **options)
  return autoencoder.Autoencoder(
    ladder.LadderEncoder(K, D, rung=(8,), backbone=backbone),
    ladder.LadderDecoder(SIZE, K, shrink, (8,), backbone=backbone),
    K,
    gaussian=True,
  )


IMAGES = jax.random.uniform(jax.random.key(0), (2, SIZE, SIZE, 3))


@pytest.fixture(scope='module')
def variables():
  return jax.jit(vlae().init)(jax.random.key(1), IMAGES)


def test_rungs_stand_where_they_were_published():
  assert ladder.inference_rungs(2, 12) == (6, 12)
  assert ladder.inference_rungs(3, 12) == (4, 8, 12)
  assert ladder.inference_rungs(4, 12) == (4, 6, 9, 12)
  assert ladder.inference_rungs(6, 12) == (2, 4, 6, 8, 10, 12)
  assert ladder.inference_rungs(12, 12) == tuple(range(1, 13))
  assert ladder.inference_rungs(16, 16) == tuple(range(1, 17))
  with pytest.raises(ValueError, match='5 rungs do not divide 12'):
    ladder.inference_rungs(5, 12)


def test_the_deepest_rung_is_the_first_variable(variables):
  """The first block's weights alone decide the last variable's changes: what
  happens behind it cannot reach it."""
  encode = jax.jit(lambda v: vlae().apply(v, IMAGES, method='encode'))
  before = encode(variables)
  assert before.mean.shape == before.log_var.shape == (2, K, D)
  for block in range(1, 5):
    changed = jax.tree.map(lambda p: p, variables)
    conv = changed['params']['encoder']['trunk'][f'block_{block}']['conv']
    conv['kernel'] = -conv['kernel']
    after = encode(changed)
    for name in ('mean', 'log_var'):
      moved = (getattr(before, name) != getattr(after, name)).any((0, 2))
      # Variable k is read from block K - k.
      np.testing.assert_array_equal(moved, block <= K - np.arange(K))


def test_a_rung_gives_means_and_then_scales_of_its_own_variable(variables):
  encoder, params = vlae().encoder, variables['params']['encoder']
  maps, pools = IMAGES, encoders.pool_after(SIZE, 4)
  pooled = []
  for i in range(1, 5):
    block = blocks.ConvBlock(
      8, 5 if i == 1 else 3, i in pools, Backbone(num_groups=2)
    )
    maps = block.apply({'params': params['trunk'][f'block_{i}']}, maps)
    pooled.append(maps.max((1, 2)))
  numbers = encoder.apply({'params': params}, IMAGES)
  posterior = vlae().apply(variables, IMAGES, method='encode')
  np.testing.assert_allclose(numbers[:, : K * D].reshape(2, K, D),
                             posterior.mean, rtol=1e-6)  # fmt: skip
  for k in range(K):
    rung = jax.tree.map(lambda p, k=k: p[k], params['rungs'])
    expected = blocks.MLP((8, 2 * D)).apply({'params': rung}, pooled[K - 1 - k])
    np.testing.assert_allclose(posterior.mean[:, k], expected[:, :D], atol=1e-5)
    np.testing.assert_allclose(
      posterior.log_var[:, k], 2 * expected[:, D:], atol=1e-5
    )


@pytest.mark.parametrize('shrink', [False, True])
@pytest.mark.parametrize('strided', [False, True])
def test_a_variable_changes_its_block_and_none_before(shrink, strided):
  model = vlae(shrink, strided=strided)
  variables = jax.jit(model.init)(jax.random.key(1), IMAGES)
  codes = jax.random.normal(jax.random.key(2), (2, K, D))
  stages = jax.jit(lambda u: model.apply(variables, u, method='decode_stages'))
  before = stages(codes)
  assert before[-1].shape == (2, SIZE, SIZE, 3)
  rest = 8 - 2 * shrink
  assert [x.shape[-1] for x in before[:-1]] == [rest] * 3
  for j in range(K):
    after = stages(codes.at[:, j].add(0.5))
    for i in range(K):
      assert np.array_equal(before[i], after[i]) == (i < j), (i, j)
