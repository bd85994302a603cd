"""Whatever is in a file, each of its readers ends in one short line."""

import json
import os
import zipfile

import h5py
import numpy as np
import pytest

from structae import config, files, run, tensor_file
from structae.config import saved as saved_config
from structae.data import archives, catalog, manifest, originals
from structae.evaluation import codes, score_file
from structae.evaluation.images import files as image_files
from structae.evaluation.images import statistics, torch_file
from structae.evaluation.images import weights as inception_weights
from structae.training import rows


def one_line(read, path):
  """The refusal of a file, which is one short line that names it."""
  with pytest.raises(ValueError) as caught:
    read(path)
  line = str(caught.value)
  assert '\n' not in line and line.isprintable() and len(line) < 500
  assert str(path.parent) in line
  return line


def folder_of_images(path):
  data_set = catalog.CATALOG['folder']
  opened = originals.open_original(data_set, {'folder': path}, 8)
  return opened.read(0, opened.num_examples)


def rows_of(path):
  path.write_bytes(path.read_bytes() + b'\n{"step": 1}\n')
  return rows.read(path)


JSON_READERS = {
  'object': files.read_object,
  'settings': saved_config.read,
  'scores': score_file.load,
  'rows': rows_of,
  'manifest': lambda path: manifest.load(path.parent),
  'run': lambda path: run.Run(path.parent).settings,
  'run to go on': lambda path: run.Run(path.parent).check(
    config.get_config('sae12', 'smoke')
  ),
}


@pytest.mark.parametrize('reader', JSON_READERS)
@pytest.mark.parametrize(
  'content',
  [
    b'{"a": ' + b'[' * 100_000,
    b'{"a": ' * 100_000,
    b'[' * 50_000 + b']' * 50_000,
    b'{"a": 1' + b'0' * 400 + b'}',
    b'{"a": [' + b'0,' * 2_100_000 + b'0]}',
    b'\xff\xfe\x00',
    b'null',
    b'',
  ],
  ids=[
    'lists',
    'objects',
    'closed',
    'digits',
    'many',
    'bytes',
    'null',
    'empty',
  ],
)
def test_readers_of_json(tmp_path, reader, content):
  name = {
    'manifest': 'manifest.json',
    'run': 'config.json',
    'run to go on': 'config.json',
  }
  path = tmp_path / name.get(reader, 'a.json')
  path.write_bytes(content)
  one_line(JSON_READERS[reader], path)


@pytest.mark.parametrize('reader', ['settings', 'run to go on'])
def test_settings_that_nest_deeply_are_walked_in_one_line(tmp_path, reader):
  path = tmp_path / 'config.json'
  path.write_bytes(b'{"config": ' + b'{"a": ' * 800 + b'1' + b'}' * 801)
  one_line(JSON_READERS[reader], path)


@pytest.mark.parametrize('value', [[1], '1', True, None, {}, 1e400, 10**30])
def test_a_score_is_a_number(tmp_path, value):
  path = tmp_path / 'scores.json'
  entry = {'value': value, 'floor': value}
  path.write_text(json.dumps({'scores': {'mig': entry}}))
  if value is None:  # of a score that is missing
    assert score_file.load(path)['scores']['mig'] == entry
  else:
    one_line(score_file.load, path)


@pytest.mark.parametrize(
  'more',
  [
    {'chance': 'x'},
    {'mean': [1], 'std': 1, 'seeds': [0, 1]},
    {'seeds': 3},
    {'definition': 4},
    {'missing': ['x']},
    {'group': {}},
    {'better': 1},
    {'range': 'x'},
  ],
)
def test_members_of_a_score_have_their_form(tmp_path, more):
  path = tmp_path / 'scores.json'
  path.write_text(json.dumps({'scores': {'mig': {'value': 0.5, **more}}}))
  assert 'mig' in one_line(score_file.load, path)
  path.write_text(json.dumps({'scores': {'mig': {'value': 0.5}}}))
  assert 'mig' in score_file.table(score_file.load(path))
  path.write_text('{"scorez": {}}')
  one_line(score_file.load, path)


NPZ_READERS = {
  'arrays': files.read_arrays,
  'codes': codes.load,
  'statistics': statistics.load_statistics,
  'weights': inception_weights.load_weights,
  'images': lambda path: list(image_files.stream(path)),
  'folder': folder_of_images,
  'data': lambda path: archives.load_npz(path, 'images', path),
}


def arrays_of_all_readers():
  """An archive that every reader takes for its own, until it is damaged."""
  return {
    'images': np.zeros((4, 8, 8, 3), np.uint8),
    'codes': np.zeros((4, 2)),
    'factors': np.array([[0], [1], [1], [0]]),
    'fingerprint': np.array('{}'),
    'rows': np.zeros((4, 2)),
    'fc.weight': np.zeros(3),
  }


def claims(shape, dtype='|u1'):
  def write(path):
    np.savez(path, **arrays_of_all_readers())
    header = str({'descr': dtype, 'fortran_order': False, 'shape': shape})
    content = b'\x93NUMPY\x01\x00\x76\x00' + header.encode().ljust(117) + b'\n'
    with zipfile.ZipFile(path, 'w') as archive:
      for name in arrays_of_all_readers():
        archive.writestr(f'{name}.npy', content + bytes(64))

  return write


def patched(offset, value):
  """Writes two bytes into the header of every entry, local and central."""

  def write(path):
    np.savez(path, **arrays_of_all_readers())
    content = bytearray(path.read_bytes())
    for mark, shift in ((b'PK\x03\x04', 0), (b'PK\x01\x02', 2)):
      place = content.find(mark)
      while place >= 0:
        start = place + shift + offset
        content[start : start + 2] = value.to_bytes(2, 'little')
        place = content.find(mark, place + 4)
    path.write_bytes(content)

  return write


HOSTILE_ARCHIVES = {
  'encrypted': patched(6, 1),
  'unknown compression': patched(8, 77),
  'cut off': lambda path: path.write_bytes(b'PK\x03\x04' + bytes(100)),
  'text': lambda path: path.write_text('hello'),
  'terabytes': claims((44 * 10**12,)),
  'negative': claims((-4, 8, 8, 3)),
  'objects': claims((8,), '|O'),
}


@pytest.mark.parametrize('reader', NPZ_READERS)
@pytest.mark.parametrize('kind', HOSTILE_ARCHIVES)
def test_readers_of_archives(tmp_path, reader, kind):
  HOSTILE_ARCHIVES[kind](tmp_path / 'a.npz')
  one_line(NPZ_READERS[reader], tmp_path / 'a.npz')


def test_what_unpacks_to_far_more_is_refused(tmp_path):
  path = tmp_path / 'a.npz'
  np.savez_compressed(path, codes=np.zeros((10**4, 2)))
  with open(path, 'rb') as stream:
    with pytest.raises(ValueError, match='bytes would unpack to 160'):
      files.open_zip(stream, 1000)


def test_a_flipped_bit_never_becomes_a_default(tmp_path):
  path = tmp_path / 'a.npz'
  rng = np.random.default_rng(0)
  expected = codes.from_arrays(
    rng.normal(size=(3, 2)),
    np.array([[0], [1], [1]]),
    factor_names=('hue',),
    factor_sizes=(4,),
    indices=np.array([5, 3, 1]),
    meta={'step': 3},
  )
  codes.save(path, expected)
  whole = path.read_bytes()
  directory = whole.index(b'PK\x01\x02')
  # Every byte of the list of entries, and some of the arrays.
  places = [*range(directory, len(whole)), *range(0, directory, 11)]
  for place in places:
    content = bytearray(whole)
    content[place] ^= 1 << rng.integers(8)
    path.write_bytes(content)
    try:
      found = codes.load(path)
    except ValueError as error:
      assert 'a.npz' in str(error) and '\n' not in str(error)
    else:
      for a, b in zip(found, expected):
        np.testing.assert_array_equal(a, b)


def tensors(header, body=bytes(16)):
  text = header if isinstance(header, bytes) else json.dumps(header).encode()
  return len(text).to_bytes(8, 'little') + text + body


@pytest.mark.parametrize(
  'content',
  [
    tensors({'a': {'dtype': 'F32', 'shape': [-1], 'data_offsets': [0, 16]}}),
    tensors({'a': {'dtype': 'F32', 'shape': [4], 'data_offsets': [-16, 0]}}),
    tensors({'a': {'dtype': 'F32', 'shape': [4], 'data_offsets': [16, 0]}}),
    tensors({'a': {'dtype': 'F32', 'shape': [2], 'data_offsets': [0, 8]}}),
    tensors({'a': {'dtype': 'F9', 'shape': [4], 'data_offsets': [0, 16]}}),
    tensors({'a': {'dtype': 'F32', 'shape': [2**60] * 9, 'data_offsets': []}}),
    tensors(
      {n: {'dtype': 'F32', 'shape': [4], 'data_offsets': [0, 16]} for n in 'ab'}
    ),
    tensors(
      b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},'
      b' "a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}}'
    ),
    tensors(b'[' * 100_000),
    tensors(b'[]'),
    b'\xff' * 40,
    b'',
  ],
)
def test_headers_of_tensors_are_believed_in_nothing(tmp_path, content):
  path = tmp_path / 'a.safetensors'
  path.write_bytes(content)
  one_line(tensor_file.read, path)
  one_line(inception_weights.load_weights, path)


def test_pipes_are_not_waited_for(tmp_path):
  for name, read in (
    ('a.json', files.read_object),
    ('a.npz', files.read_arrays),
    ('a.safetensors', tensor_file.read),
    ('a.pth', torch_file.read_torch),
  ):
    os.mkfifo(tmp_path / name)
    assert 'plain file' in one_line(read, tmp_path / name)


def h5(path, write):
  with h5py.File(path, 'w') as file:
    write(file)
  return path


def a_group(file):
  file.create_group('images')


def a_loop(file):
  file['images'] = h5py.SoftLink('/images')


def elsewhere(file):
  file['images'] = h5py.ExternalLink('secret.h5', '/images')


def bytes_of_another_file(file):
  file.create_dataset(
    'images',
    (1, 8, 8, 3),
    'u1',
    external=[('secret.bin', 0, h5py.h5f.UNLIMITED)],
  )


def a_virtual_one(file):
  layout = h5py.VirtualLayout((1, 8, 8, 3), 'u1')
  layout[:] = h5py.VirtualSource('secret.h5', 'images', (1, 8, 8, 3), 'u1')
  file.create_virtual_dataset('images', layout)


def huge_pictures(file):
  file.create_dataset('images', (1, 2**20, 2**20), 'u1', chunks=(1, 64, 64))


def huge_factors(file):
  file['images'] = np.zeros((2, 8, 8), np.uint8)
  file.create_dataset('factors', (2, 2**40), 'i4', chunks=(1, 64))


def numbers_as_names(file):
  file['images'] = np.zeros((2, 8, 8), np.uint8)
  file['factors'], file['factor_names'] = np.zeros((2, 1), int), [3]


def a_group_of_factors(file):
  file['images'] = np.zeros((2, 8, 8), np.uint8)
  file.create_group('factors')


@pytest.mark.parametrize(
  'write',
  [
    a_group,
    a_loop,
    elsewhere,
    bytes_of_another_file,
    a_virtual_one,
    huge_pictures,
    huge_factors,
    numbers_as_names,
    a_group_of_factors,
    lambda file: None,
  ],
)
def test_hdf5_files_hold_what_they_give(tmp_path, write):
  (tmp_path / 'secret.bin').write_bytes(b'secret' * 100)
  h5(
    tmp_path / 'secret.h5',
    lambda f: f.create_dataset('images', data=np.ones((1, 8, 8, 3), 'u1')),
  )
  one_line(folder_of_images, h5(tmp_path / 'a.h5', write))


def test_strings_of_hdf5_that_never_end_are_refused(tmp_path):
  """Their library would read them for ever, deaf to Ctrl-C."""

  def write(file):
    file['images'] = np.zeros((2, 8, 8), np.uint8)
    file['factors'] = np.zeros((2, 2), int)
    file.create_dataset('factor_names', data=['hue', 'scale'])

  path = h5(tmp_path / 'a.h5', write)
  content = bytearray(path.read_bytes())
  place = content.index(b'GCOL') + 16  # the first string of the list
  content[place : place + 64] = bytes(64)
  path.write_bytes(content)
  assert "'factor_names' is damaged" in one_line(folder_of_images, path)


@pytest.mark.parametrize('place', [674, 705, 1127])
def test_a_damaged_list_of_names_in_hdf5_is_one_line(tmp_path, place):
  path = h5(tmp_path / 'a.h5', a_group_of_factors)
  content = bytearray(path.read_bytes())
  content[place : place + 40] = b'\xe8' * 40
  path.write_bytes(content)
  one_line(folder_of_images, path)


@pytest.mark.parametrize('digests', [None, {}])
def test_a_run_without_digests_began_on_any_data(tmp_path, digests):
  (tmp_path / 'config.json').write_text(json.dumps({'digests': digests}))
  run.Run(tmp_path).check_digests({'data': 'cafe'})


def test_digests_are_an_object(tmp_path):
  (tmp_path / 'config.json').write_text('{"digests": [1]}')
  one_line(
    lambda path: run.Run(path.parent).check_digests({'data': 'cafe'}),
    tmp_path / 'config.json',
  )


@pytest.mark.parametrize('start, stop', [(2, 20), (10, 16), (18, 20)])
def test_an_archive_does_not_lose_its_list_or_its_seal(tmp_path, start, stop):
  """Zeros in its end record: counts, size and place of its list, comment."""
  path = tmp_path / 'a.npz'
  files.write_arrays(path, {'a': np.arange(3), 'b': np.ones(2)})
  content = bytearray(path.read_bytes())
  end = content.rindex(b'PK\x05\x06')
  content[end + 2 + start : end + 2 + stop] = bytes(stop - start)
  path.write_bytes(content)
  with pytest.raises(ValueError, match='a.npz'):
    files.read_arrays(path)
