"""Every variant's exact number of parameters, as its command makes it."""

import importlib
import math

import jax
import jax.numpy as jnp
import pytest

from structae import build

# Config file, tokens, parameters. Critics are counted apart.
COUNTS = [
  ('ae', '', 1_022_671),
  ('wae', '', 1_022_671),
  ('vae', '', 1_024_219),
  ('bvae', '', 1_024_219),
  ('fvae', '', 1_024_219),
  ('tcvae', '', 1_024_219),
  ('dipvae1', '', 1_024_219),
  ('dipvae2', '', 1_024_219),
  ('avae', '', 1_024_219),
  ('csae12', '', 1_123_663),
  ('lsae12', '', 1_123_663),
  ('lvae', '', 1_024_219),
  ('pairsae12', '', 1_123_663),
  ('adagvae', '', 1_024_219),
  ('ae', 'released', 1_022_671),
  ('vae', 'released', 1_024_219),
  ('sae2', '', 956_623),
  ('sae3', '', 973_327),
  ('sae4', '', 990_031),
  ('sae6', '', 1_023_439),
  ('sae12', '', 1_123_663),
  ('sae2', 'released', 973_007),
  ('sae3', 'released', 997_903),
  ('sae4', 'released', 1_022_799),
  ('sae6', 'released', 1_072_591),
  ('sae12', 'released', 1_221_967),
  ('adaae2', '', 957_391),
  ('adaae3', '', 974_863),
  ('adaae4', '', 992_335),
  ('adaae6', '', 1_027_279),
  ('adaae12', '', 1_132_111),
  ('adaae2', 'released', 973_775),
  ('adaae3', 'released', 999_439),
  ('adaae4', 'released', 1_025_103),
  ('adaae6', 'released', 1_076_431),
  ('adaae12', 'released', 1_230_415),
  ('vlae2', '', 886_779),
  ('vlae3', '', 917_899),
  ('vlae4', '', 949_019),
  ('vlae6', '', 1_011_259),
  ('vlae12', '', 1_189_195),
  ('vlae2', 'released', 869_259),
  ('vlae3', 'released', 887_019),
  ('vlae4', 'released', 904_779),
  ('vlae6', 'released', 940_299),
  ('vlae12', 'released', 1_046_859),
  ('ae', '128px', 5_311_139),
  ('vae', '128px', 5_315_267),
  ('ae', '128px,released', 5_311_139),
  ('vae', '128px,released', 5_315_267),
  ('sae2', '128px', 5_096_611),
  ('sae4', '128px', 5_311_011),
  ('sae8', '', 5_739_811),
  ('sae16', '', 6_597_411),
  ('sae2', '128px,released', 5_096_611),
  ('sae4', '128px,released', 5_311_011),
  ('sae8', 'released', 5_739_811),
  ('sae16', 'released', 6_597_411),
  ('adaae16', '', 6_628_131),
  ('adaae16', 'released', 6_628_131),
  ('vlae16', '', 6_990_115),
  ('vlae16', 'released', 5_881_763),
  ('ae', 'rfd', 19_131_939),
  ('sae16', 'rfd', 21_208_739),
]


def shapes(name, tokens):
  """The config of a variant and the shapes of its parameters."""
  config = importlib.import_module(f'experiments.{name}').get_config(tokens)
  size = config.data.size
  module = build.model(config, 3)
  images = jnp.zeros((1, size, size, 3))
  params = jax.eval_shape(module.init, jax.random.key(0), images)['params']
  return config, params


def count(tree):
  return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize('name, tokens, expected', COUNTS)
def test_parameters_are_as_many_as_published(name, tokens, expected):
  assert count(shapes(name, tokens)[1]) == expected


def test_a_graph_has_a_node_s_blocks_and_a_merge_more_than_the_chain():
  """Four blocks of 64 channels with norms, and 1x1 from 128 to 64."""
  chain, graph = (count(shapes(name, '')[1]) for name in ('sae4', 'graph4'))
  block, merge = 9 * 64 * 64 + 3 * 64, 128 * 64 + 64
  assert graph == chain + 4 * block + merge == 1_146_511


@pytest.mark.parametrize('name, expected', [('sae4', 990_031),
                                            ('adaae4', 992_335)])  # fmt: skip
def test_where_stages_begin_changes_no_count(name, expected):
  config = importlib.import_module(f'experiments.{name}').get_config()
  config.model.stage_blocks = (1, 2, 3, 6)
  assert _count_at_64(config) == expected


def test_stages_that_do_not_divide_the_blocks_are_as_large_as_others():
  """One Str-Tfm network more: 2 -> 64 -> 64 -> 64 -> 128 with biases."""
  config = importlib.import_module('experiments.sae4').get_config()
  counts = []
  for num in (4, 5):
    config.model.num_variables, config.model.num_latents = num, 2 * num
    counts.append(_count_at_64(config))
  network = 2 * 64 + 2 * 64 * 64 + 64 * 128 + 3 * 64 + 128
  head = 128 * 2 + 2  # of the encoder, two numbers more
  assert counts[1] - counts[0] == network + head


@pytest.mark.parametrize('layers, expected', [(6, 5_020_002), (3, 2_017_002)])
def test_parameters_of_the_critic(layers, expected):
  config = importlib.import_module('experiments.fvae').get_config()
  config.objective.critic = (1000,) * layers
  critic = build.critic(config)
  codes = jnp.zeros((1, 12, 1))
  assert (
    count(jax.eval_shape(critic.init, jax.random.key(0), codes)) == expected
  )


def test_the_released_ladder_s_mixed_variants():
  """Full width with the released dense layers, and the other way round."""
  config = importlib.import_module('experiments.vlae12').get_config()
  config.model.inference_rung = (128, 64)
  config.model.generative_rung = (64, 128)
  assert _count_at_64(config) == 1_250_635
  config = importlib.import_module('experiments.vlae12').get_config('released')
  config.model.inference_rung = config.model.generative_rung = (64, 64, 64)
  assert _count_at_64(config) == 985_419


def _count_at_64(config):
  module = build.model(config, 3)
  images = jnp.zeros((1, 64, 64, 3))
  return count(jax.eval_shape(module.init, jax.random.key(0), images))


def test_strides_do_not_change_the_number_of_parameters():
  config, strided = shapes('sae16', 'rfd,rfd_released')
  assert config.model.resampling == 'strided'
  config.model.resampling, config.model.activation = 'pooled', 'mish'
  module = build.model(config, 3)
  images = jnp.zeros((1, 128, 128, 3))
  pooled = jax.eval_shape(module.init, jax.random.key(0), images)['params']
  assert count(strided) == count(pooled)


def test_families_of_data_sets_train_as_published():
  """Images per update, updates, step size."""
  expected = {
    '': (128, 100_000, 5e-4, 64, 12),
    'mpi3d_toy': (128, 100_000, 5e-4, 64, 12),
    'celeba': (32, 200_000, 5e-4, 128, 32),
    'rfd': (32, 200_000, 5e-5, 128, 32),
    'rfd,rfd_released': (64, 200_000, 5e-5, 128, 16),
  }
  for tokens, settings in expected.items():
    config, _ = shapes('ae', tokens)
    train, data = config.train, config.data
    assert settings == (
      train.batch_size, train.num_steps, train.learning_rate, data.size,
      config.model.num_latents,
    ), tokens  # fmt: skip
