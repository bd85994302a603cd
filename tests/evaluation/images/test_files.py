import zipfile

import numpy as np
import pytest
from PIL import Image

from structae.evaluation.images import files


@pytest.fixture
def array():
  return np.random.default_rng(0).integers(0, 256, (6, 9, 12, 3), np.uint8)


def test_images_are_read_in_order_a_batch_at_a_time(array, tmp_path):
  (tmp_path / 'folder').mkdir()
  for i, image in enumerate(array):
    Image.fromarray(image).save(tmp_path / 'folder' / f'{i}.png')
  np.save(tmp_path / 'a.npy', array)
  np.savez_compressed(tmp_path / 'a.npz', images=array, others=array[:2])
  for name in ('folder', 'a.npy', 'a.npz'):
    parts = list(files.stream(tmp_path / name, 4))
    assert list(map(len, parts)) == [4, 2]
    np.testing.assert_array_equal(np.concatenate(parts), array)


@pytest.mark.parametrize('save', [np.save, np.savez])
def test_grey_images_gain_a_channel(save, array, tmp_path):
  path = tmp_path / ('a.npy' if save is np.save else 'a.npz')
  save(path, array[..., 0])
  (whole,) = files.stream(path)
  np.testing.assert_array_equal(whole, array[..., :1])


def test_batches_of_large_images_are_smaller(array, tmp_path, monkeypatch):
  monkeypatch.setattr(files, '_MOST_BYTES', 2 * array[0].size)
  np.savez(tmp_path / 'a.npz', array)
  assert [len(x) for x in files.stream(tmp_path / 'a.npz')] == [2, 2, 2]
  monkeypatch.setattr(files, '_MOST_BYTES', array[0].size - 1)
  with pytest.raises(ValueError, match=r'shape \(9, 12, 3\) exceeds'):
    next(files.stream(tmp_path / 'a.npz'))


def _npy(shape, dtype='|u1', order=False, version=1):
  header = repr({'descr': dtype, 'fortran_order': order, 'shape': shape})
  header = header.encode().ljust(118 - 1) + b'\n'
  return b'\x93NUMPY%c\0' % version + b'\x76\0' + header + bytes(64)


@pytest.mark.parametrize(
  ('content', 'message'),
  [
    (_npy((1, 2**20, 2**20, 3)), 'exceeds 268435456'),
    (_npy((2**40, 4, 4, 3)), 'ends early'),
    (_npy((-4, 4, 4, 3)), 'has the shape'),
    (_npy((4, 4, 4, 2)), 'must be uint8'),
    (_npy((4, 4, 4), '<f4'), 'must be uint8'),
    (_npy((4, 4, 4), order=True), 'Fortran'),
    (_npy((4, 4, 4), version=9), 'version'),
    (b'x' * 5000, 'file of images'),
    (b'', 'file of images'),
  ],
)
def test_arrays_that_are_no_images_are_one_line(content, message, tmp_path):
  path = tmp_path / 'a.npz'
  with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr('images.npy', content)
  with pytest.raises(ValueError, match=message) as raised:
    list(files.stream(path))
  line = str(raised.value).removeprefix(str(path))
  assert line.startswith(' is not a readable') and len(line) < 260
