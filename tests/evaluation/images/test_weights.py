import hashlib
import json
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save_file

from structae.evaluation.images import inception
from structae.evaluation.images import weights as inception_weights
from tests.evaluation.images import random_inception

_PUBLISHED = {
  'stem.conv.weight': (4, 3, 1, 7),
  'stem.bn.weight': (4,),
  'stem.bn.bias': (4,),
  'stem.bn.running_mean': (4,),
  'stem.bn.running_var': (4,),
  'fc.weight': (5, 4),
  'fc.bias': (5,),
}


@pytest.fixture
def small(monkeypatch):
  """A network of one unit and its published tensors."""
  shapes = {
    'stem.kernel': (1, 7, 3, 4),
    **{f'stem.{leaf}': (4,) for leaf in ('scale', 'bias', 'mean', 'var')},
    'fc.kernel': (4, 5),
    'fc.bias': (5,),
  }
  monkeypatch.setattr(inception, 'parameter_shapes', lambda: shapes)
  return {n: random_inception.tensor(n, s) for n, s in _PUBLISHED.items()}


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
  """A machine that has never seen the weights."""
  cache = tmp_path / 'cache' / inception_weights.FILE_NAME
  monkeypatch.setattr(inception_weights, 'cache_file', lambda: cache)
  monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
  return cache


def _publish(monkeypatch, content):
  """Declares these bytes to be the published file."""
  digest = hashlib.sha256(content).hexdigest()
  monkeypatch.setattr(inception_weights, 'NUM_BYTES', len(content))
  monkeypatch.setattr(inception_weights, 'SHA256', digest)


def _safetensors(path, header, body=b'1234'):
  raw = header if isinstance(header, bytes) else json.dumps(header).encode()
  path.write_bytes(len(raw).to_bytes(8, 'little') + raw + body)


def test_names_and_axes_are_the_published_ones(small, tmp_path):
  np.savez(tmp_path / 'w.npz', **small)
  weights = inception_weights.load_weights(tmp_path / 'w.npz')
  params = weights.variables['params']
  assert params['stem']['kernel'].shape == (1, 7, 3, 4)
  assert (
    params['stem']['kernel'][0, 5, 2, 3]
    == small['stem.conv.weight'][3, 2, 0, 5]
  )
  np.testing.assert_array_equal(
    params['stem']['var'], small['stem.bn.running_var']
  )
  np.testing.assert_array_equal(params['fc']['kernel'], small['fc.weight'].T)
  assert not weights.is_published


def test_the_digest_depends_on_the_numbers_and_not_on_the_format(
  small, tmp_path
):
  np.savez(tmp_path / 'w.npz', **small)
  save_file(small, tmp_path / 'w.safetensors', {'format': 'pt'})
  a = inception_weights.load_weights(tmp_path / 'w.npz')
  b = inception_weights.load_weights(tmp_path / 'w.safetensors')
  assert a.digest == b.digest
  small['fc.bias'][0] += 1e-6
  np.savez(tmp_path / 'w.npz', **small)
  assert inception_weights.load_weights(tmp_path / 'w.npz').digest != a.digest


def test_a_whole_network_is_read_from_published_names(tmp_path):
  tensors = {}
  for name, shape in inception.parameter_shapes().items():
    module, leaf = name.rsplit('.', 1)
    if module == 'fc':
      continue
    if leaf == 'kernel':
      height, width, inputs, outputs = shape
      published = (f'{module}.conv.weight', (outputs, inputs, height, width))
      tensors[published[0]] = np.zeros(published[1], np.float16)
      for norm in ('weight', 'bias', 'running_mean', 'running_var'):
        tensors[f'{module}.bn.{norm}'] = np.ones(outputs, np.float32)
  tensors['fc.weight'] = np.zeros((1008, 2048), np.float16)
  np.savez(tmp_path / 'w.npz', **tensors)
  with pytest.raises(ValueError, match='lacks fc.bias'):
    inception_weights.load_weights(tmp_path / 'w.npz')
  tensors['fc.bias'] = np.zeros(1008, np.float32)
  np.savez(tmp_path / 'w.npz', **tensors)
  params = inception_weights.load_weights(tmp_path / 'w.npz').variables[
    'params'
  ]
  assert len(params) == 17
  assert params['Mixed_7a']['branch7x7x3_2']['kernel'].dtype == np.float32


def test_their_absence_says_what_to_fetch_and_where_to_put_it(nowhere):
  with pytest.raises(FileNotFoundError) as raised:
    inception_weights.load_weights()
  line = str(raised.value)
  assert inception_weights.URL in line and str(nowhere) in line
  assert str(inception_weights.NUM_BYTES) in line and '\n' not in line
  with pytest.raises(FileNotFoundError, match='No Inception weights at'):
    inception_weights.load_weights('elsewhere.npz')


def test_a_download_is_checked_and_kept(nowhere, monkeypatch, tmp_path):
  content = b'the published weights' * 1000
  served = tmp_path / 'served'
  served.write_bytes(content)
  monkeypatch.setattr(inception_weights, 'URL', served.as_uri())
  _publish(monkeypatch, content)
  found = inception_weights.find_weights(download=True)
  assert found == nowhere and found.read_bytes() == content
  served.unlink()  # now it is here
  assert inception_weights.find_weights() == nowhere
  assert list(nowhere.parent.iterdir()) == [nowhere]


@pytest.mark.parametrize('change', ['cut', 'longer', 'flipped'])
def test_a_wrong_download_is_not_kept(change, nowhere, monkeypatch, tmp_path):
  content = b'the published weights' * 1000
  _publish(monkeypatch, content)
  served = tmp_path / 'served'
  served.write_bytes(
    {
      'cut': content[:-1],
      'longer': content + b'!' * 9,
      'flipped': b'T' + content[1:],
    }[change]
  )
  monkeypatch.setattr(inception_weights, 'URL', served.as_uri())
  with pytest.raises(ValueError, match='bytes, not|SHA-256'):
    inception_weights.find_weights(download=True)
  assert not nowhere.exists()
  assert not list(nowhere.parent.iterdir())


def test_an_unreachable_address_is_an_absence(nowhere, monkeypatch, tmp_path):
  monkeypatch.setattr(inception_weights, 'URL', (tmp_path / 'no').as_uri())
  with pytest.raises(FileNotFoundError, match='could not be fetched'):
    inception_weights.find_weights(download=True)


def test_the_file_of_another_tool_is_found(nowhere, monkeypatch, tmp_path):
  content = b'the published weights'
  _publish(monkeypatch, content)
  folder = tmp_path / 'torch' / 'hub' / 'checkpoints'
  folder.mkdir(parents=True)
  file = folder / inception_weights.FILE_NAME
  file.write_bytes(content)
  assert inception_weights.find_weights() == file
  file.write_bytes(content[::-1])
  with pytest.raises(ValueError, match='SHA-256'):
    inception_weights.find_weights()


def test_a_published_name_with_other_content_is_refused(tmp_path):
  file = tmp_path / f'weights-{inception_weights.SHA256[:8]}.pth'
  file.write_bytes(b'half a file')
  with pytest.raises(ValueError, match='11 bytes, not 95628359'):
    inception_weights.load_weights(file)


def test_foreign_and_damaged_files_are_one_clear_line(small, tmp_path):
  load = inception_weights.load_weights
  (tmp_path / 'w.h5').touch()
  with pytest.raises(ValueError, match='.npz or .safetensors'):
    load(tmp_path / 'w.h5')
  (tmp_path / 'w.npz').write_bytes(b'noise')
  with pytest.raises(ValueError, match='not a readable .npz'):
    load(tmp_path / 'w.npz')
  np.savez(tmp_path / 'o.npz', **{'fc.bias': np.array([{}])})
  with pytest.raises(ValueError, match='not a readable .npz'):
    load(tmp_path / 'o.npz')
  save_file(small, tmp_path / 'w.safetensors')
  whole = (tmp_path / 'w.safetensors').read_bytes()
  (tmp_path / 'w.safetensors').write_bytes(whole[:-8])
  with pytest.raises(ValueError, match='not a readable .safetensors'):
    load(tmp_path / 'w.safetensors')
  for name, array, message in (
    ('fc.bias', np.zeros(6, np.float32), r'fc.bias has shape \(6,\)'),
    ('fc.bias', np.full(5, np.nan, np.float32), 'fc.bias is not finite'),
    ('fc.bias', np.zeros(5, np.int64), 'fc.bias is int64, not floats'),
  ):
    np.savez(tmp_path / 'x.npz', **{**small, name: array})
    with pytest.raises(ValueError, match=message):
      load(tmp_path / 'x.npz')


def _entry(start, end, shape=(1,), dtype='F32'):
  return {'dtype': dtype, 'shape': shape, 'data_offsets': [start, end]}


@pytest.mark.parametrize(
  'header',
  [
    b'noise',
    b'[]',
    b'[' * 10**6,
    b'{"a":1}',
    {'a': _entry(-4, 0)},
    {'a': _entry(0, 8)},
    {'a': _entry(0, 4, [-1])},
    {'a': _entry(0, 4, [2**62])},
    {'a': _entry(0, 4, [2], 'F31')},
    {'a': _entry(0, 4), 'b': _entry(0, 4)},
    b'{"a":%b,"a":%b}' % (2 * (json.dumps(_entry(0, 4)).encode(),)),
  ],
)
def test_headers_that_do_not_fit_their_file_are_refused(header, tmp_path):
  _safetensors(tmp_path / 'w.safetensors', header)
  with pytest.raises(ValueError, match='not a readable .safetensors') as raised:
    inception_weights.load_weights(tmp_path / 'w.safetensors')
  assert len(str(raised.value)) < 200 + len(str(tmp_path))


def test_files_and_headers_of_impossible_size_are_not_read(tmp_path):
  path = tmp_path / 'w.safetensors'
  for noise in (b'', b'\xff' * 99, (2**30).to_bytes(8, 'little')):
    path.write_bytes(noise)
    with pytest.raises(ValueError, match='header exceeds|damaged'):
      inception_weights.load_weights(path)
  for ending in ('.safetensors', '.npz', '.pth'):
    path = path.with_suffix(ending)
    with path.open('wb') as file:
      file.truncate(10**10)  # a hole, that takes no space
    with pytest.raises(ValueError, match='exceeds 300000000 bytes'):
      inception_weights.load_weights(path)


def test_an_archive_that_unpacks_to_far_more_is_not_read(tmp_path):
  path = tmp_path / 'w.npz'
  np.savez(path, **{'fc.bias': np.zeros(5, np.float32)})
  with zipfile.ZipFile(path, 'a') as archive:
    archive.getinfo('fc.bias.npy').file_size = 2**31
    archive.writestr('more', b'')
  with pytest.raises(ValueError, match='would unpack to 2147'):
    inception_weights.load_weights(path)
