import jax
import jax.numpy as jnp
import numpy as np

from structae.nn import stages, str_tfm
from structae.nn.backbone import Backbone

BACKBONE = Backbone(width=8, num_groups=4)


def test_a_chain_is_its_stages_in_turn():
  x = jax.random.normal(jax.random.key(0), (2, 4, 4, 8))
  alpha = jnp.exp(jax.random.normal(jax.random.key(1), (3, 2, 8)))
  beta = jax.random.normal(jax.random.key(2), (3, 2, 8))
  chain = stages.chain(3, True, BACKBONE)
  variables = chain.init(jax.random.key(3), x, (alpha, beta))
  last, all_outputs = chain.apply(variables, x, (alpha, beta))
  expected = x
  for k in range(3):
    params = jax.tree.map(lambda p, k=k: p[k], variables['params'])
    expected, _ = stages.Stage(BACKBONE).apply(
      {'params': params}, expected, (alpha[k], beta[k])
    )
    np.testing.assert_allclose(all_outputs[k], expected, atol=1e-5)
  np.testing.assert_allclose(last, expected, atol=1e-5)


def test_the_affine_map_is_the_same_for_every_pixel():
  x = jax.random.normal(jax.random.key(0), (2, 4, 4, 8))
  alpha, beta = jax.random.normal(jax.random.key(1), (2, 2, 8))
  y = str_tfm.str_tfm(x, alpha, beta)
  for b, i, j in [(0, 0, 0), (1, 3, 2)]:
    expected = alpha[b] * x[b, i, j] + beta[b]
    np.testing.assert_allclose(y[b, i, j], expected, atol=1e-6)


def test_affine_maps_start_near_the_identity():
  u = jnp.linspace(-1, 1, 21)[:, None, None] * jnp.ones((1, 12, 1))
  networks = str_tfm.StrTfmNetworks((64, 64, 64), Backbone(width=64))
  for seed in range(3):
    (alpha, beta), _ = networks.init_with_output(jax.random.key(seed), u)
    assert alpha.shape == beta.shape == (12, 21, 64)
    assert np.abs(alpha - 1).max() < 0.2
    assert np.abs(beta).max() < 0.2
    assert np.abs(beta).max() > 1e-3


def test_each_variable_has_networks_of_its_own():
  u = jnp.zeros((1, 3, 2))
  networks = str_tfm.StrTfmNetworks((8,), Backbone(width=4))
  variables = networks.init(jax.random.key(0), u)
  kernel = variables['params']['networks']['hidden_0']['kernel']
  assert kernel.shape == (3, 2, 8)
  assert len(np.unique(kernel)) == kernel.size
  before = networks.apply(variables, u)
  after = networks.apply(variables, u.at[:, 1].add(1.0))
  for a, b in zip(before, after):
    np.testing.assert_array_equal(a[::2], b[::2])
    assert not np.array_equal(a[1], b[1])
