"""From a configuration to data: settings, digests, refusals."""

import json

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from structae import build
from structae import config as config_lib
from structae.commands import config_flags, train
from structae.commands.parser import Parser
from structae.config import ConfigError, scales
from structae.data import catalog, prepare, splits
from structae.run import Run
from tests.data import layouts


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
  monkeypatch.setattr(prepare, 'cache_root', lambda: tmp_path / 'cache')


@pytest.mark.parametrize('scale', ['paper', 'quick', 'smoke'])
@pytest.mark.parametrize('name', [n for n in catalog.CATALOG if n != 'folder'])
def test_a_token_brings_the_settings_of_a_set(name, scale):
  data_set = catalog.CATALOG[name]
  config = config_lib.get_config('sae12', f'{name},{scale}')
  if data_set.preset in ('128px', 'rfd'):
    config.model.num_variables = 16  # twelve do not divide 32 latents
  config_lib.check(config)
  assert config.data.size in data_set.sizes
  wanted = config_lib.PRESETS[data_set.preset] | scales.SCALES[scale]
  if 32 not in data_set.sizes:
    wanted['data.size'] = 1
  fields = config_lib.flat(config)
  for field, value in wanted.items():
    value = list(value) if isinstance(value, tuple) else value
    assert fields[field] == value, field


def test_the_paper_trains_at_the_usual_size():
  sizes = {
    name: config_lib.get_config('sae12', name).data.size
    for name in ('shapes3d', 'mpi3d_real', 'celeba', 'rfd', 'arm_synth')
  }
  assert [*sizes.values()] == [64, 64, 128, 128, 1]


def folder_config(place, *tokens, **fields):
  config = config_lib.get_config('sae12', ','.join(['folder', *tokens]))
  config_lib.update(config, {'data.path': str(place)})
  config_lib.update(config, {f'data.{k}': v for k, v in fields.items()})
  config_lib.check(config)
  return config


def images_file(path, images, factors):
  np.savez(path, images=images, factors=factors)
  return path


def test_digests_tell_images_factors_and_splits_apart(tmp_path):
  images = layouts.random_images((20, 64, 64, 3))
  factors = layouts.grid((4, 5))
  other = images.copy()
  other[7, 3, 2, 1] += 1
  places = {
    'a': images_file(tmp_path / 'a.npz', images, factors),
    'again': images_file(tmp_path / 'again.npz', images, factors),
    'image': images_file(tmp_path / 'image.npz', other, factors),
    'factor': images_file(tmp_path / 'factor.npz', images, factors[::-1]),
  }
  found = {}
  for name, place in places.items():
    config = folder_config(place)
    found[name] = build.digests(config, build.source(config))
  assert found['again'] == found['a']
  assert len({f['data'] for f in found.values()}) == 3
  assert len({f['train'] for f in found.values()}) == 1
  config = folder_config(places['a'], split_seed=1)
  seeded = build.digests(config, build.source(config))
  assert seeded['data'] == found['a']['data']
  assert seeded['train'] != found['a']['train']


def test_a_mapped_original_is_told_by_its_checksum(tmp_path, monkeypatch):
  digests = []
  for seed in (1, 2):
    data_set = layouts.small('mpi3d_toy', (2, 2, 2, 2, 2, 2, 2))
    monkeypatch.setitem(catalog.CATALOG, 'mpi3d_toy', data_set)
    place = tmp_path / str(seed)
    place.mkdir()
    path = place / data_set.files[0].name
    np.savez(path, images=layouts.random_images((128, 64, 64, 3), seed))
    config = config_lib.get_config('sae12', 'mpi3d_toy')
    config_lib.update(config, {'data.path': str(place), 'data.verify': False})
    source = build.source(config)
    assert len(source.digest) == 64
    digests.append(source.digest)
  assert digests[0] != digests[1]


def test_a_run_does_not_go_on_with_other_data(tmp_path):
  config = folder_config(tmp_path)
  run = Run(tmp_path / 'run')
  first = {'data': 'a' * 64, 'train': 'b' * 64}
  run.begin('sae12', config, first)
  before = (run.folder / 'config.json').read_text()
  assert json.loads(before)['digests'] == first
  with pytest.raises(ConfigError) as caught:
    run.begin('sae12', config, first | {'data': 'c' * 64})
  message = str(caught.value)
  assert 'images or their factors' in message and '\n' not in message
  assert 'aaaaaaaaaaaa, now cccccccccccc' in message
  assert 'numbers of the training images' not in message
  with pytest.raises(ConfigError, match='numbers of the training images'):
    run.begin('sae12', config, first | {'train': 'c' * 64})
  assert (run.folder / 'config.json').read_text() == before


def test_a_run_may_move_but_not_change(tmp_path):
  (tmp_path / 'a').mkdir()
  (tmp_path / 'b').mkdir()
  old = folder_config(tmp_path / 'a')
  moved = folder_config(tmp_path / 'b', storage='memmap')
  assert not config_lib.differences(old.to_dict(), moved)
  assert config_lib.config_hash(old) != config_lib.config_hash(moved)
  squashed = folder_config(tmp_path / 'a', crop='squash')
  assert config_lib.differences(old.to_dict(), squashed) == [
    "data.crop was '', now 'squash'"
  ]


@pytest.mark.parametrize(
  'text, values',
  [
    ('shape', {4: {2}}),
    ('camera', {5: {0, 1, 13, 14}}),
    ('floor_hue=0,1;shape=cube', {0: {0, 1}, 4: {0}}),
  ],
)
def test_held_out_values_are_in_no_part(text, values):
  config = config_lib.get_config('sae12')
  config.data.hold_out = text
  source = build.source(config)
  whole = splits.split(source.size)
  for part, all_of_it in zip(build.split(config, source), whole):
    shown = source.factors(all_of_it)
    held = np.all([np.isin(shown[:, i], [*v]) for i, v in values.items()], 0)
    assert held.any()
    np.testing.assert_array_equal(part, all_of_it[~held])


@pytest.mark.parametrize(
  'text, expected',
  [
    ('hue=1', "'hue' is no factor of the data; there are colour, size"),
    ('colour=3', "'3' is no value of colour; it has 3 (0, 1, 2): give one"),
    ('colour=2;size=1', 'which no image of folder shows; hold out what some'),
    ('size=0', 'split without size=0 leaves none for validation'),
    ('colour=0,1,2', 'every value is held out, and no image is left'),
  ],
)
def test_values_that_only_the_files_name_are_checked_there(
  text, expected, tmp_path
):
  images = np.zeros((10, 8, 8, 3), np.uint8)
  colour, size = np.arange(10) % 3, np.zeros(10)
  size[7] = 1  # whose colour is 1
  np.savez(
    tmp_path / 'a.npz', images=images, factor_names=['colour', 'size'],
    factors=np.stack([colour, size], 1).astype(np.int32),
  )  # fmt: skip
  config = config_lib.get_config('sae12', 'folder,smoke')
  config.data.path, config.data.size = str(tmp_path / 'a.npz'), 8
  config.data.hold_out = text
  config_lib.check(config)
  with pytest.raises(ConfigError) as caught:
    build.split(config, build.source(config))
  assert expected in str(caught.value) and '\n' not in str(caught.value)


def refusal(tmp_path, *args):
  run = tmp_path / 'run'
  parser = Parser('test')
  parser.add_argument('--workdir')
  config_flags.add(parser)
  asked, _ = config_flags.read(parser, [*args, f'--workdir={run}'])
  with pytest.raises(ConfigError) as caught:
    train.train(asked)
  assert not run.exists() and '\n' not in str(caught.value)
  return str(caught.value)


def test_missing_files_are_named(tmp_path):
  config = '--config=experiments/sae12.py:shapes3d,smoke'
  message = refusal(tmp_path, config, f'--config.data.path={tmp_path}')
  assert '3dshapes.h5' in message and 'shapes3d_synth needs no files' in message


def test_unreadable_pictures_are_named(tmp_path):
  layouts.pictures(tmp_path / 'mine', 4)
  (tmp_path / 'mine' / 'half.png').write_bytes(b'\x89PNG')
  config = '--config=experiments/sae12.py:folder,smoke'
  message = refusal(tmp_path, config, f'--config.data.path={tmp_path / "mine"}')
  assert 'half.png' in message


def test_too_few_pictures_are_refused(tmp_path):
  place = f'--config.data.path={tmp_path}'
  for i in range(12):
    if i == 2:
      message = refusal(
        tmp_path, '--config=experiments/sae12.py:folder,smoke', place
      )
      assert '2 images' in message and 'none for validation' in message
    Image.new('RGB', (40, 40)).save(tmp_path / f'{i}.png')
  message = refusal(
    tmp_path, '--config=experiments/tcvae.py:folder,smoke', place
  )
  assert 'train.batch_size is 16; beta_tcvae' in message


def products(jaxpr):
  """The precision of every convolution and product, gradients included."""
  for equation in jaxpr.eqns:
    if equation.primitive.name in ('dot_general', 'conv_general_dilated'):
      precision = equation.params['precision']
      pair = precision if isinstance(precision, tuple) else (precision,)
      yield from pair
    for inner in jax.extend.core.jaxprs_in_params(equation.params):
      yield from products(inner)


@pytest.mark.parametrize(
  'name, asked', [('sae4', 'tf32'), ('vlae4', 'float32'), ('fvae', 'tf32')]
)
def test_every_product_has_the_precision_of_the_config(name, asked):
  config = config_lib.get_config(name, 'smoke')
  config.model.precision = asked
  module = build.model(config, 3)
  batch = (build.images_per_update(config), 32, 32, 3)
  images = jax.ShapeDtypeStruct(batch, 'uint8')
  key = jax.random.key(0)
  params = jax.eval_shape(lambda: module.init(key, jnp.zeros((1, *batch[1:]))))
  params = params['params']
  if name == 'fvae':
    codes = jnp.zeros((1, config.model.num_latents, 1))
    found = jax.eval_shape(lambda: build.critic(config).init(key, codes))
    params = {**params, 'critic': found['params']}
  loss = build.loss(config, module, 100)
  made = jax.make_jaxpr(jax.grad(loss, has_aux=True))(params, images, key)
  wanted = jax.lax.Precision(build.PRECISIONS[asked])
  assert set(products(made.jaxpr)) == {wanted}


@pytest.mark.parametrize('name', ['sae4', 'vlae4'])
def test_codes_of_bfloat16_are_float32(name):
  config = config_lib.get_config(name, 'smoke')
  config.model.dtype = 'bfloat16'
  config.model.num_blocks = 4
  module = build.model(config, 3)
  images = jax.random.uniform(jax.random.key(0), (4, 32, 32, 3))
  params = build.init(config, module, jax.random.key(1), images.shape[1:])
  encode, _ = build.functions(module)
  codes = jax.jit(lambda p, x: encode(p, x).mean)(params, images)
  assert codes.dtype == jnp.float32
  coarse = codes.astype(jnp.bfloat16).astype(jnp.float32)
  assert (codes != coarse).mean() > 0.9
  assert {x.dtype for x in jax.tree.leaves(params)} == {codes.dtype}
