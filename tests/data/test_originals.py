"""Original files are found, and are the published ones."""

import dataclasses
import hashlib
import shutil

from structae.data import catalog, manifest, prepare
from structae.data import data_set as rows
from tests.data.preparing import refusal


def test_missing_files_are_named_with_all_that_is_known(tmp_path):
  message = refusal(catalog.CATALOG['shapes3d'], tmp_path, tmp_path)
  for part in (
    '3dshapes.h5',
    '267,573,662 bytes',
    'sha256 0a0f6ed98baff276',
    'https://storage.googleapis.com/3d-shapes/3dshapes.h5',
    str(tmp_path),
    '--from=DIR',
    'shapes3d_synth needs no files',
  ):
    assert part in message
  message = refusal(catalog.CATALOG['celeba'], tmp_path, tmp_path)
  assert 'img_align_celeba.zip' in message and 'list_attr' in message
  assert 'identity' not in message
  for data_set in catalog.CATALOG.values():
    if data_set.files:
      assert len(refusal(data_set, tmp_path, tmp_path)) < 900
  message = refusal(catalog.CATALOG['smallnorb'], tmp_path, tmp_path)
  assert 'and 4 more, see structae data info smallnorb' in message


def test_size_is_checked_before_any_checksum(shapes, tmp_path):
  data_set, _ = shapes
  message = refusal(data_set, tmp_path, tmp_path, prepare.Options())
  assert 'expected 267,573,662' in message


def published(data_set, path, **changes):
  content = path.read_bytes()
  entry = {
    'name': path.name,
    'urls': ('https://example.org',),
    'num_bytes': len(content),
    'sha256': hashlib.sha256(content).hexdigest(),
    'md5': hashlib.md5(content).hexdigest(),
  }
  return dataclasses.replace(data_set, files=(rows.File(**entry | changes),))


def test_right_checksum_passes_and_wrong_one_is_refused(shapes, tmp_path):
  data_set, path = shapes
  data_set = published(data_set, path)
  folder = prepare.prepare(
    data_set, path, prepare.Options(), tmp_path / 'cache'
  )
  source = manifest.load(folder).sources[0]
  assert source['sha256'] == hashlib.sha256(path.read_bytes()).hexdigest()
  shutil.rmtree(tmp_path / 'cache')
  for kind in ('sha256', 'md5'):
    wrong = published(data_set, path, **{kind: 'f' * 32})
    message = refusal(wrong, path, tmp_path, prepare.Options())
    assert kind in message and 'f' * 32 in message


def test_a_replaced_file_only_warns(shapes, tmp_path, capsys):
  data_set, path = shapes
  data_set = published(data_set, path, md5='f' * 32, strict=False)
  prepare.prepare(data_set, path, prepare.Options(), tmp_path / 'cache')
  assert 'Warning' in capsys.readouterr().err
