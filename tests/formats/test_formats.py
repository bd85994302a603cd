"""Models in other programs are those of jax."""

import importlib.util
import sys

import jax
import numpy as np
import pytest
from safetensors import numpy as safetensors

from structae import Model, config, parameters
from structae.formats import onnx_file, torch_folder
from tests import test_pretrained

pytestmark = pytest.mark.usefixtures('barely_optimized')

# One of every encoder and decoder, and of every layer that one may have.
MODELS = {
  'sae4': {},
  'adaae3': {'model.activation': 'elu'},
  'vlae2': {},
  'vlae4': {'model.preset': 'released', 'model.width': 8},
  'fvae': {'objective.likelihood': 'gaussian'},
  'sae12': {'model.resampling': 'strided', 'model.num_groups': 2},
  'sae2': {},  # of feature vectors
}

each = pytest.mark.parametrize('name', MODELS)


def make(name):
  """A model of random parameters, and images and codes for it."""
  tokens = 'arm_synth,smoke' if name == 'sae2' else 'smoke'
  settings = test_pretrained.tiny(name, tokens)
  if name in ('sae12', 'vlae4'):
    settings.model.num_blocks = 12
  config.update(settings, MODELS.get(name, {}))
  channels = 15 if name == 'sae2' else 3
  rng = np.random.default_rng(0)
  shapes = parameters.expected(settings, channels)
  flat = {n: rng.normal(0, 0.3, s.shape) for n, s in shapes.items()}
  model = Model(settings, parameters.unflatten(flat))
  codes = rng.normal(size=(3, *model.code_shape)).astype(np.float32)
  return model, rng.random((3, *model.image_shape), np.float32), codes


def check(model, images, codes, encode, decode):
  expected = np.asarray(model.decode_mean(codes))
  assert np.ptp(expected, 0).max() > 0.01  # codes tell images apart
  for num in (3, 1):
    np.testing.assert_allclose(decode(codes[:num]), expected[:num], atol=2e-5)
    np.testing.assert_allclose(
      encode(images[:num]), model.encode(images[:num]), atol=2e-5, rtol=1e-4
    )


@each
def test_onnx(name, tmp_path):
  pytest.importorskip('onnx')
  runtime = pytest.importorskip('onnxruntime')
  model, images, codes = make(name)
  onnx_file.write(tmp_path / 'made', model)
  encoder, decoder = (
    runtime.InferenceSession(tmp_path / 'made' / file)
    for file in (onnx_file.ENCODER, onnx_file.DECODER)
  )
  check(
    model,
    images,
    codes,
    lambda x: encoder.run(None, {'images': x})[0],
    lambda x: decoder.run(None, {'codes': x})[0],
  )


def test_onnx_of_a_stated_batch(tmp_path):
  onnx = pytest.importorskip('onnx')
  model, *_ = make('sae4')
  onnx_file.write(tmp_path / 'made', model, batch=5)
  graph = onnx.load(tmp_path / 'made' / onnx_file.DECODER).graph
  sizes = lambda value: [d.dim_value for d in value.type.tensor_type.shape.dim]
  assert sizes(graph.input[0]) == [5, *model.code_shape]
  assert sizes(graph.output[0]) == [5, *model.image_shape]


@each
def test_torch(name, tmp_path, monkeypatch):
  model, images, codes = make(name)
  folder = torch_folder.write(tmp_path / 'made', model)
  weights = safetensors.load_file(folder / torch_folder.WEIGHTS)
  # What the posterior's variance needs is left out.
  whole = sum(x.size for x in jax.tree.leaves(model.params))
  assert 0.8 * whole < sum(x.size for x in weights.values()) <= whole
  torch = pytest.importorskip('torch')
  path = folder / torch_folder.MODULE
  spec = importlib.util.spec_from_file_location('structae_model', path)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  encoder, decoder = module.load(folder)
  assert not {'structae', 'jax'} & {*path.read_text().split()}
  check(
    model,
    images,
    codes,
    lambda x: encoder(torch.from_numpy(x)).detach(),
    lambda x: decoder(torch.from_numpy(x)).detach(),
  )


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, 'onnx', None)
  with pytest.raises(ImportError, match=r"pip install 'structae\[export\]'"):
    onnx_file.write(tmp_path / 'made', make('sae4')[0])
  assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize('write', [onnx_file.write, torch_folder.write])
def test_a_graph_is_refused(write, tmp_path):
  with pytest.raises(ValueError, match='stablehlo alone'):
    write(tmp_path / 'made', make('graph4')[0])
  assert not [*tmp_path.iterdir()]
