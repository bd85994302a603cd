"""Variants train, are saved, restored and sampled: tiny."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae import Model, build, devices, results, trainer
from structae import config as config_lib
from structae.config import VARIANTS, checks
from structae.data import sources
from structae.training import checkpoint

SIZE, NUM = 8, 32
SIZES = (2, 2, 2, 2, 2, 1)  # of the grid of factors
TERMS = {
  'sae': set(),
  'adaae': set(),
  'ae': set(),
  'graph': set(),
  'vlae': {'kl'},
  'vae': {'kl'},
  'bvae': {'kl'},
  'wae': {'mmd'},
  'fvae': {'kl', 'total_correlation', 'critic'},
  'dipvae': {'kl', 'covariance', 'variance'},
  'avae': {'kl', 'capacity'},
  'csae': {'consistency'},
  'lsae': {'labels'},
  'pairsae': set(),
  'adagvae': {'kl'},
  'lvae': {'kl', 'labels'},
  'tcvae': {'mutual_information', 'total_correlation', 'dimension_kl'},
}

# Of a family the least and the greatest at 64 px: those between, and those for
# 128 px, differ in a number alone, and `test_counts` builds them.
BETWEEN = {
  f'{kind}{num}'
  for kind in ('sae', 'adaae', 'vlae')
  for num in (3, 4, 6, 8, 16)
}
TRAINED = [name for name in VARIANTS if name not in BETWEEN]

pytestmark = pytest.mark.usefixtures('barely_optimized')


@pytest.fixture(scope='module')
def source():
  rng = np.random.RandomState(0)
  images = jnp.asarray(rng.randint(0, 256, (NUM, SIZE, SIZE, 3)), jnp.uint8)
  return sources.Source(
    'random', (SIZE, SIZE, 3), NUM, tuple('abcdef'), SIZES, images,
    sources.take, lambda i: np.stack(np.unravel_index(i, SIZES), 1),
  )  # fmt: skip


def tiny(name):
  config = config_lib.get_config(name, 'smoke')
  # As few blocks as the stages and the two halvings allow.
  stages = config.model.num_stages or (
    config.model.num_variables if config.model.decoder != 'hourglass' else 1
  )
  values = {
    'data.size': SIZE,
    'model.num_blocks': stages * -(-2 // stages),
    'model.width': 4,
    'model.unroll': False,
    'model.num_groups': 1,
    'model.head': (4,),
    'model.start': (4,),
    'model.str_tfm': (4,),
    'model.inference_rung': (4,),
    'model.generative_rung': (4,),
    'objective.critic': (4,),
    'train.batch_size': 4,
    'train.num_steps': 2,
    'evaluation.batch_size': 4,
    'evaluation.num_samples': 4,
  }
  config_lib.update(config, values)
  if config.model.num_blocks > 4 and config.model.encoder == 'convolutional':
    # Others encode by convolutions; here the chain of the decoder is the point.
    config.model.encoder = 'mlp'
  return config


@pytest.mark.parametrize('name', TRAINED)
def test_a_variant_trains_is_restored_and_sampled(name, source, tmp_path):
  config = tiny(name)
  checks.check_model(config.model, SIZE)
  checks.check_objective(config)
  module, mesh = build.model(config, 3), devices.data_mesh()
  part = np.arange(NUM)
  state, updates, batches = trainer.prepare(config, source, part, module, mesh)
  before = jax.device_get(state.params)
  for now in range(2):
    state = updates[1](state, batches.data(now, 1))
  kind = name.rstrip('0123456789')
  assert set(state.totals) - {'num_steps', 'first_bad'} == (
    {'loss', 'reconstruction'} | TERMS[kind]
  )
  assert all(np.isfinite(v) for v in jax.tree.leaves(state.totals))
  moved = jax.tree.map(
    lambda a, b: (a != b).any(), before, jax.device_get(state.params)
  )
  assert np.mean(jax.tree.leaves(moved)) > 0.9

  saved = checkpoint.Checkpoints(tmp_path)
  saved.save(2, state)
  saved.wait()
  restored, _ = saved.restore(checkpoint.abstract(state))
  assert jax.tree.structure(restored) == jax.tree.structure(state)
  for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(restored)):
    np.testing.assert_array_equal(a, b)

  model = Model(config, restored.params)
  codes = results.encode_split(model, source, 'train', np.arange(8))
  num_variables = config.model.num_variables
  dim = config.model.num_latents // num_variables
  assert codes.codes.shape == (8, num_variables, dim)
  variational = config.objective.name in config_lib.VARIATIONAL
  assert (codes.log_var is not None) == variational
  model, samples = results.draw(model, codes.codes, jax.random.key(0))
  kinds = ['hybrid'] + ['hybrid_by_dimension'] * (dim > 1)
  kinds += ['prior'] * (config.objective.name in config_lib.WITH_PRIOR)
  assert list(samples) == list(model.kinds) == kinds
  for images in samples.values():
    assert images.shape == (4, SIZE, SIZE, 3) and images.dtype == np.uint8
