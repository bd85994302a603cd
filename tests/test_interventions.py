"""Variables by their names: set, and recombined with all behind them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae import Model, build, sampling
from structae import config as config_lib

TINY = {
  'data.size': 8,
  'model.num_latents': 8,
  'model.num_blocks': 4,
  'model.width': 4,
  'model.num_groups': 2,
  'model.head': (4,),
  'model.str_tfm': (4,),
}

pytestmark = pytest.mark.usefixtures('barely_optimized')


def make(name, **changes):
  config = config_lib.get_config(name, 'smoke')
  config_lib.update(config, TINY | changes)
  config_lib.check_model(config)
  module = build.model(config, 3)
  params = build.init(config, module, jax.random.key(0), (8, 8, 3))
  codes = jax.random.normal(jax.random.key(1), (6, 4, 2))
  return Model(config, params, np.asarray(codes))


@pytest.fixture(scope='module')
def scene():
  return make('graph4')


def test_variables_have_the_names_of_the_graph(scene):
  assert scene.variable_names == ('room', 'object', 'background', 'colours')
  assert make('sae4').variable_names == ('U1', 'U2', 'U3', 'U4')


def test_what_is_set_is_set_and_the_rest_stays(scene):
  codes = scene.pool
  value = np.array([[0.1, 0.2], [0.3, 0.4]], np.float32)
  changed = scene.intervene(codes[:2], {'object': value, 'U4': 0.5})
  expected = codes[:2].copy()
  expected[:, 1], expected[:, 3] = value, 0.5
  np.testing.assert_array_equal(changed, expected)
  alike = scene.intervene(codes, {'room': [1, 2]})
  np.testing.assert_array_equal(alike[:, 0], np.tile([1, 2], (6, 1)))
  assert scene.decode(changed).shape == (2, 8, 8, 3)


def test_an_intervention_is_heard_by_descendants_alone(scene):
  apply = lambda codes: scene.module.apply(
    {'params': scene.params}, codes, method='decode_stages'
  )
  before = apply(scene.pool)
  after = apply(scene.intervene(scene.pool, {'background': 2.0}))
  behind = scene.descendants('background')
  assert behind == (2, 3)
  for i in range(4):
    assert np.array_equal(before[i], after[i]) == (i not in behind)


def test_descendants_are_recombined_and_others_stay(scene):
  pool = jnp.asarray(scene.pool)
  behind = scene.descendants('object')
  mixed = sampling.partial_hybrid(jax.random.key(2), pool, pool, behind)
  assert behind == (1, 3)
  np.testing.assert_array_equal(mixed[:, [0, 2]], pool[:, [0, 2]])
  for k in behind:
    found = (mixed[:, None, k] == pool[None, :, k]).all(-1)
    assert found.any(1).all() and not found.diagonal().all()


def test_a_chain_and_a_ladder_have_what_is_behind():
  assert make('sae4').descendants('U2') == (1, 2, 3)
  ladder = make('vlae4', **{'model.num_blocks': 4})
  assert ladder.descendants('3') == (2, 3)
  with pytest.raises(ValueError, match='in an adaptive decoder no variable'):
    make('adaae4', **{'model.num_variables': 4}).descendants('U2')


def test_what_is_not_there_is_named(scene):
  with pytest.raises(ValueError, match="'objct' is no variable; did you mean"):
    scene.intervene(scene.pool, {'objct': 0.0})
  with pytest.raises(ValueError, match='there are room, object'):
    scene.descendants('U5')
  with pytest.raises(
    ValueError, match=r'variable 0 has shape \(3,\), expected'
  ):
    scene.intervene(scene.pool, {'room': np.zeros(3)})
  with pytest.raises(ValueError, match=r'must lie in 0..3, got \[4\]'):
    sampling.intervene(jnp.asarray(scene.pool), {4: 0.0})
