"""RFD from files in its true layout, whole and damaged."""

import io
import tarfile

import numpy as np
import pytest

from structae.data import manifest, prepare
from tests.data import layouts
from tests.data.preparing import UNCHECKED, refusal, run


def test_rfd_pairs_pictures_and_labels_by_number(tmp_path):
  images, labels = layouts.rfd(tmp_path)
  data_set = layouts.small('rfd')
  _, made, actual, factors = run(data_set, tmp_path, tmp_path)
  np.testing.assert_array_equal(actual, images)
  np.testing.assert_array_equal(factors, labels)
  assert data_set.constant_factors == ('shape', 'size')
  assert made.factor_sizes == (1, 8, 1, 30, 30, 30, 30, 30, 10)


@pytest.mark.parametrize(
  'name, prefix, colours',
  [
    ('rfd', 'finger', 8),
    ('rfd_heldout', 'finger_heldout_colors', 4),
    ('rfd_real', 'finger_real', 8),
  ],
)
def test_rfd_inside_its_archive(tmp_path, name, prefix, colours):
  parts = {
    'rfd': layouts.rfd(tmp_path / 'in', 'finger', 10),
    'rfd_heldout': layouts.rfd(tmp_path / 'in', 'finger_heldout_colors', 11, 4),
    'rfd_real': layouts.rfd(tmp_path / 'in', 'finger_real', 12),
  }
  path = layouts.rfd_archive(tmp_path / 'in')
  _, made, actual, factors = run(layouts.small(name), path, tmp_path)
  np.testing.assert_array_equal(actual, parts[name][0])
  np.testing.assert_array_equal(factors, parts[name][1])
  assert made.factor_sizes[1] == colours


def test_tar_that_is_cut_off_or_does_not_match(tmp_path):
  data_set = layouts.small('rfd')
  images, labels = layouts.rfd(tmp_path)
  path = tmp_path / 'finger' / 'finger_images.tar'
  whole = path.read_bytes()
  path.write_bytes(whole[: len(whole) // 2 + 100])
  assert 'finger_images.tar' in refusal(data_set, tmp_path, tmp_path)
  layouts.rfd(tmp_path, labels=labels[:-1])
  assert 'expected 23' in refusal(data_set, tmp_path, tmp_path)
  labels = labels.copy()
  labels[0, 1] = 8
  layouts.rfd(tmp_path, labels=labels)
  assert "'color' runs from 0 to 8" in refusal(data_set, tmp_path, tmp_path)
  layouts.rfd(tmp_path, labels=labels + 0.5)
  assert 'whole numbers' in refusal(data_set, tmp_path, tmp_path)


def test_archives_write_nothing_outside(tmp_path):
  data_set = layouts.small('rfd')
  layouts.rfd(tmp_path, num=2)
  path = tmp_path / 'finger' / 'finger_images.tar'
  with tarfile.open(path, 'w') as archive:
    for i, name in enumerate(('../../0.png', '/1.png')):
      data = layouts.png(layouts.random_images((1, 128, 128, 3), i)[0])
      info = tarfile.TarInfo(name)
      info.size = len(data)
      archive.addfile(info, io.BytesIO(data))
    link = tarfile.TarInfo('2.png')
    link.type, link.linkname = tarfile.SYMTYPE, '/etc/passwd'
    archive.addfile(link)
  before = {p for p in tmp_path.rglob('*')}
  folder = prepare.prepare(data_set, tmp_path, UNCHECKED, tmp_path / 'cache')
  assert manifest.load(folder).num_examples == 2
  fresh = {p for p in tmp_path.rglob('*')} - before
  assert all(tmp_path / 'cache' in (p, *p.parents) for p in fresh)


def test_labels_that_hide_a_pickle_are_not_loaded(tmp_path):
  layouts.rfd(tmp_path, labels=np.array([[None] * 9] * 24, object))
  assert 'labels' in refusal(layouts.small('rfd'), tmp_path, tmp_path)
