"""Images are written whole, or go on where they stopped."""

import errno
import hashlib
import shutil

import pytest

from structae.data import manifest, prepare, writing
from tests.data.preparing import UNCHECKED, refusal


def test_full_disk(shapes, tmp_path, monkeypatch):
  data_set, path = shapes
  monkeypatch.setattr(
    writing.shutil, 'disk_usage', lambda _: shutil._ntuple_diskusage(9, 8, 1)
  )
  assert 'GB are free' in refusal(data_set, path, tmp_path)
  monkeypatch.undo()

  def full(*_):
    raise OSError(errno.ENOSPC, 'No space left on device')

  monkeypatch.setattr(writing, '_flush', full)
  assert 'disk is full' in refusal(data_set, path, tmp_path)


def test_an_interrupted_preparation_goes_on(shapes, tmp_path, monkeypatch):
  data_set, path = shapes
  whole = prepare.prepare(data_set, path, UNCHECKED, tmp_path / 'cache')
  expected = (whole / 'images.npy').read_bytes()
  shutil.rmtree(whole)
  monkeypatch.setattr(writing, '_SECONDS_BETWEEN_NOTES', 0)
  blocks = []
  good = writing._good
  monkeypatch.setattr(
    'structae.data.hdf5._BLOCK', 32
  )  # nine blocks instead of one

  def stop_at_third(opened, start, block):
    blocks.append(start)
    if len(blocks) == 3:
      raise KeyboardInterrupt
    return good(opened, start, block)

  monkeypatch.setattr(writing, '_good', stop_at_third)
  with pytest.raises(KeyboardInterrupt):
    prepare.prepare(data_set, path, UNCHECKED, tmp_path / 'cache')
  partial = next((tmp_path / 'cache').glob('*.partial'))
  # What was written after the last note is not trusted.
  with open(partial / 'images.npy', 'ab') as file:
    file.write(b'half an image')
  again = prepare.prepare(data_set, path, UNCHECKED, tmp_path / 'cache')
  assert again == whole and blocks[3] == 64
  assert (again / 'images.npy').read_bytes() == expected
  made = manifest.load(again)
  pixels = manifest.map_images(again, made).tobytes()
  assert made.images_sha256 == hashlib.sha256(pixels).hexdigest()
  assert not partial.exists()
