"""A saved model is the same model, bit for bit, or is refused in one line."""

import functools
import json
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors import numpy as safetensors

import structae
from structae import config as config_lib
from structae import files, parameters, sampling, saved_model
from structae.config import saved as saved_config

SIZE = 8
# A deep chain, a shared code, a ladder, an hourglass; points and Gaussians.
FAMILIES = {
  'sae4': 'smoke',
  'adaae3': 'smoke',
  'vlae2': 'smoke',
  'ae': 'smoke',
  'fvae': 'smoke',
  'sae2': 'arm_synth,smoke',
}


pytestmark = pytest.mark.usefixtures('barely_optimized')


def tiny(name, tokens='smoke'):
  config = config_lib.get_config(name, tokens)
  values = {
    'model.num_latents': 12 if name != 'sae2' else 4,
    'model.num_blocks': config.model.num_stages or 4,
    'model.width': 4,
    'model.unroll': False,
    'model.num_groups': 1,
    'model.head': (4,),
    'model.start': (),
    'model.str_tfm': (4,),
    'model.inference_rung': (4,),
    'model.generative_rung': (4,),
    'evaluation.batch_size': 4,
    'train.init_from': '/home/somebody/runs/first',
  }
  if config.data.size > 1:
    values |= {'data.size': SIZE, 'data.path': '/home/somebody/pictures'}
  config_lib.update(config, values)
  return config


@functools.cache  # with what it has compiled
def make(name='sae4', tokens='smoke', pool=True):
  """A model of random parameters."""
  config = tiny(name, tokens)
  rng = np.random.default_rng(0)
  channels = 15 if config.data.size == 1 else 3
  shapes = parameters.expected(config, channels)
  flat = {n: rng.normal(0, 0.3, s.shape) for n, s in shapes.items()}
  params = parameters.unflatten(flat) | {'critic': {'layer_0': np.zeros(3)}}
  num_variables = config.model.num_variables
  dim = config.model.num_latents // num_variables
  codes = rng.normal(size=(6, num_variables, dim)) if pool else None
  about = {'name': name, 'step': 2, 'config_hash': 'cafe0123'}
  return structae.Model(config, params, codes, about)


def examples(model, num=4):
  rng = np.random.default_rng(1)
  if len(model.image_shape) == 1:
    return rng.normal(size=(num, *model.image_shape)).astype(np.float32)
  return rng.integers(0, 256, (num, *model.image_shape), np.uint8)


@pytest.fixture(scope='module')
def saved(tmp_path_factory):
  model = make()
  folder = tmp_path_factory.mktemp('models') / 'tiny'
  return structae.save_pretrained(folder, model)


@pytest.fixture
def copy(saved, tmp_path):
  """A copy of the saved folder, to be damaged."""
  folder = tmp_path / 'copy'
  folder.mkdir()
  for path in saved.iterdir():
    (folder / path.name).write_bytes(path.read_bytes())
  return folder


@pytest.mark.parametrize('name, tokens', FAMILIES.items())
def test_a_saved_model_is_the_same_model(name, tokens, tmp_path):
  model = make(name, tokens)
  folder = structae.save_pretrained(tmp_path / 'new' / 'model', model)
  again = structae.load_pretrained(folder)

  assert set(model.params) == set(again.params) == {'encoder', 'decoder'}
  before, after = (
    parameters.flatten(model.params),
    parameters.flatten(again.params),
  )
  assert before.keys() == after.keys()
  for key, array in before.items():
    np.testing.assert_array_equal(array, after[key])
  np.testing.assert_array_equal(model.pool, again.pool)
  images = examples(model)
  a, b = model.posterior(images), again.posterior(images)
  np.testing.assert_array_equal(a.mean, b.mean)
  assert (a.log_var is None) == (model.config.objective.name != 'beta_vae'
                                 and name != 'fvae')  # fmt: skip
  if a.log_var is not None:
    np.testing.assert_array_equal(a.log_var, b.log_var)
  np.testing.assert_array_equal(model.decode(a.mean), again.decode(a.mean))

  # The methods are the module's, of float32 images in [0, 1].
  floats = images if images.dtype != np.uint8 else np.float32(images) / 255
  variables = {'params': again.params}
  direct = again.module.apply(variables, jnp.asarray(floats), method='encode')
  np.testing.assert_allclose(b.mean, direct.mean, rtol=1e-4, atol=1e-5)
  out = again.module.apply(variables, direct.mean, method='decode')
  if len(model.image_shape) == 3:
    out = 255 / (1 + np.exp(-np.float64(out)))
    assert again.decode(a.mean).dtype == jnp.uint8
  np.testing.assert_allclose(again.decode(a.mean), out, atol=0.51, rtol=1e-4)

  text = (folder / 'README.md').read_text()
  whole = text + (folder / 'config.json').read_text()
  assert 'somebody' not in whole and "load_pretrained('model')" in text
  assert f'# {name}, trained on' in text


@pytest.mark.parametrize(
  'name, kinds',
  [
    ('sae4', ('hybrid', 'hybrid_by_dimension')),
    ('ae', ('hybrid',)),
    ('wae', ('hybrid', 'prior')),
  ],
)
def test_samples_are_those_of_the_pool_and_of_the_prior(name, kinds):
  model = make(name)
  assert model.kinds == kinds
  key = jax.random.key(3)
  codes = model.sample_codes(key, 5)
  np.testing.assert_array_equal(codes, sampling.hybrid(key, model.pool, 5))
  np.testing.assert_array_equal(model.sample(key, 5), model.decode(codes))
  pool = np.asarray(model.pool)
  by_number = np.asarray(model.sample_codes(key, 400, kinds[-1]))
  k, d = model.code_shape
  if kinds[-1] == 'hybrid_by_dimension':
    for i in range(k):
      for j in range(d):
        assert set(by_number[:, i, j]) == set(pool[:, i, j])
    # Numbers of a variable come from different codes.
    assert not any((by_number[0, 0] == row).all() for row in pool[:, 0])
  elif kinds[-1] == 'prior':
    assert abs(by_number.mean()) < 0.1 and abs(by_number.std() - 1) < 0.1
  for kind in {'hybrid_by_dimension', 'prior'} - set(kinds):
    with pytest.raises(ValueError, match=f'no {kind} samples'):
      model.sample(key, 2, kind)


def test_without_a_pool_there_are_no_hybrids(tmp_path):
  model = make(pool=False)
  folder = structae.save_pretrained(tmp_path / 'model', model)
  again = structae.load_pretrained(folder)
  assert again.pool is None and again.kinds == ()
  with pytest.raises(ValueError, match='it has no stored codes'):
    again.sample(jax.random.key(0), 2)
  with pytest.raises(ValueError, match="unknown kind of samples 'hybird'"):
    again.sample(jax.random.key(0), 2, 'hybird')


def test_the_methods_can_be_differentiated_and_compiled():
  model = make()
  codes = model.encode(examples(model, 2))

  @jax.jit
  def brightness(codes):
    return model.decode_mean(codes).sum()

  slope = jax.grad(brightness)(codes)
  assert slope.shape == codes.shape and np.abs(slope).max() > 0
  compiled = jax.jit(model.encode)(jnp.asarray(examples(model, 2)))
  np.testing.assert_allclose(compiled, codes, rtol=1e-5, atol=1e-6)


def test_bad_images_and_codes_are_named():
  model = make()
  images, codes = examples(model), model.pool
  cases = [
    (model.encode, images[0], r'expected a batch \[B, 8, 8, 3\]: give images'),
    (model.encode, images.astype(np.float32), r'run from \d+ to 2\d\d; floats'),
    (model.encode, images.astype(np.int32), 'images are int32, expected uint8'),
    (model.decode, codes[0], r'codes have shape \(4, 3\), expected \[B, 4, 3'),
    (model.decode, codes.reshape(6, 12), r'shape \(6, 12\), expected'),
  ]
  for function, value, message in cases:
    with pytest.raises(ValueError, match=message):
      function(value)
  vectors = make('sae2', 'arm_synth,smoke')
  with pytest.raises(ValueError, match=r'expected \[B, 15\]'):
    vectors.encode(np.zeros((2, 14), np.float32))


def test_what_does_not_fit_is_refused_when_made():
  model = make()
  config, params = model.config, model.params
  with pytest.raises(ValueError, match='encoder.* is missing'):
    structae.Model(config, {'decoder': params['decoder']})
  with pytest.raises(ValueError, match='no parameters of a decoder'):
    structae.Model(config, {})
  with pytest.raises(ValueError, match=r'pool .* expected \[P, 4, 3\]'):
    structae.Model(config, params, np.zeros((5, 4, 2)))
  wide = config.copy_and_resolve_references()
  wide.model.width = 8
  with pytest.raises(ValueError, match=r'has shape .* asks for \('):
    structae.Model(wide, params)


def test_an_existing_folder_is_left_alone(copy):
  before = {p.name: p.read_bytes() for p in copy.iterdir()}
  with pytest.raises(ValueError, match='exists; give a new folder'):
    structae.save_pretrained(copy, make())
  assert before == {p.name: p.read_bytes() for p in copy.iterdir()}
  empty = copy.parent / 'empty'
  empty.mkdir()
  structae.save_pretrained(empty, make())
  assert {p.name for p in empty.iterdir()} == set(before)
  assert [*copy.parent.glob('.*')] == []


def test_a_save_that_fails_leaves_nothing(tmp_path, monkeypatch):
  def fail(*_):
    raise OSError('disk full')

  monkeypatch.setattr(files, 'write_text', fail)
  with pytest.raises(OSError, match='disk full'):
    structae.save_pretrained(tmp_path / 'model', make())
  assert [*tmp_path.iterdir()] == []


def refused(folder):
  with pytest.raises(ValueError) as caught:
    structae.load_pretrained(folder)
  message = str(caught.value)
  assert '\n' not in message
  return message


@pytest.mark.parametrize('place', [0, 9, 300, -1])
def test_a_flipped_bit_is_found(copy, place):
  path = copy / 'model.safetensors'
  content = bytearray(path.read_bytes())
  content[place] ^= 1
  path.write_bytes(content)
  assert 'another sha256' in refused(copy)


def test_settings_are_those_that_were_written(copy):
  path = copy / 'config.json'
  whole = path.read_bytes()
  expected = json.loads(whole)
  random = np.random.default_rng(0)
  for place in random.choice(len(whole), 200, replace=False):
    content = bytearray(whole)
    content[place] ^= 1 << random.integers(8)
    path.write_bytes(content)
    try:
      _, found = saved_config.read(path)
      saved_model.read(copy, found)
    except ValueError as error:
      assert str(path.parent) in str(error) and '\n' not in str(error)
    else:
      assert found == expected  # a space became another space


def rewrite(folder, tensors=None, **changes):
  """Changes a folder as a careless hand would, checksums kept right."""
  path = folder / 'model.safetensors'
  if tensors is not None:
    path.write_bytes(safetensors.save(tensors))
  content = json.loads((folder / 'config.json').read_text())
  size = path.stat().st_size
  weights = {'file': path.name, 'bytes': size, 'sha256': files.sha256(path)}
  content |= {'weights': weights} | changes
  (folder / 'config.json').write_text(json.dumps(content))


def test_damage_is_one_line(copy, tmp_path):
  assert 'is no folder' in refused(tmp_path / 'nowhere')
  assert 'it has no config.json' in refused(tmp_path)
  weights = copy / 'model.safetensors'
  whole = weights.read_bytes()
  weights.write_bytes(whole[:-10])
  assert 'it is cut off' in refused(copy)
  weights.write_bytes(b'\xff' * 40)
  rewrite(copy)
  assert 'is not a readable .safetensors file' in refused(copy)
  weights.unlink()
  assert 'model.safetensors is missing' in refused(copy)
  weights.write_bytes(whole)
  rewrite(copy)
  structae.load_pretrained(copy)
  rewrite(copy, format_version=2)
  assert 'format version 2, newer than the 1' in refused(copy)
  rewrite(copy, format_version=1, format='others')
  assert "unknown format 'others'" in refused(copy)
  rewrite(copy, format='structae-pretrained', weights={})
  assert 'no name, size and sha256' in refused(copy)
  (copy / 'config.json').write_text('{"config": 3}')
  assert 'config.json is damaged' in refused(copy)
  (copy / 'config.json').write_text('weights')
  assert 'config.json is damaged' in refused(copy)


def test_other_weights_are_named(copy):
  held = safetensors.load_file(copy / 'model.safetensors')
  rewrite(copy, {'fc.weight': np.zeros((2, 2), np.float32)})
  assert 'holds fc.weight, no parameter of' in refused(copy)
  nested = {'decoder.out': np.zeros(2), 'decoder.out.kernel': np.zeros(2)}
  rewrite(copy, nested)
  assert 'decoder.out.kernel lies inside another' in refused(copy)
  rewrite(copy, held | {'decoder.extra': np.zeros(2, np.float32)})
  assert 'builds no parameter decoder.extra' in refused(copy)
  name = 'decoder.out.kernel'
  rewrite(copy, {k: v for k, v in held.items() if k != name})
  assert f'the parameter {name} (3, 3, 4, 3) is missing' in refused(copy)
  rewrite(copy, held | {name: held[name][:, :, :2]})
  assert (
    f'{name} has shape (3, 3, 2, 3), the configuration asks for (3, 3, 4, 3)'
    in refused(copy)
  )
  rewrite(copy, held | {name: held[name].astype(np.int32)})
  assert f'the parameter {name} is int32' in refused(copy)


def test_settings_of_no_use_are_named(copy):
  content = json.loads((copy / 'config.json').read_text())
  config = content['config']
  # Without their metadata: those of a folder that has no seal.
  held = safetensors.load_file(copy / 'model.safetensors')
  for changes, message in (
    ({'colour': 3}, 'a field that is unknown here: model.colour'),
    ({'width': 'wide'}, "model.width is 'wide'; expected"),
    ({'num_variables': 5}, 'does not divide'),
    ({'num_blocks': 996_000}, 'num_blocks is 996000; expected 1024 at most'),
  ):
    settings = {**config, 'model': {**config['model'], **changes}}
    rewrite(copy, held, config=settings)
    assert message in refused(copy)


def test_importing_the_package_stays_light():
  program = (
    'import sys, structae; assert "load_pretrained" in dir(structae); '
    'print([m for m in ("jax", "flax", "orbax", "numpy", "safetensors",'
    ' "tensorflow_datasets", "tensorflow") if m in sys.modules])'
  )
  out = subprocess.run(
    [sys.executable, '-c', program], capture_output=True, text=True, check=True
  )
  assert out.stdout.strip() == '[]'
  with pytest.raises(AttributeError, match='load_trained'):
    _ = structae.load_trained
