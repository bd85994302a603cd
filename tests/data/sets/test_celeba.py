"""CelebA from files in its true layout, whole and damaged."""

import zipfile

import numpy as np
import pytest

from structae.data import manifest, pictures, prepare
from tests.data import layouts
from tests.data.preparing import UNCHECKED, refusal, run

QUOTA = b'<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title>'


@pytest.mark.parametrize('form', ['txt', 'csv'])
def test_celeba(tmp_path, form):
  images, attributes, partition, identity = layouts.celeba(tmp_path, form=form)
  data_set = layouts.small('celeba', num_examples=12)
  folder, _, actual, factors = run(data_set, tmp_path, tmp_path)
  np.testing.assert_array_equal(actual, images[:, 45:173, 25:153])
  np.testing.assert_array_equal(factors, attributes)
  np.testing.assert_array_equal(
    manifest.load_array(folder, 'partition'), partition
  )
  np.testing.assert_array_equal(
    manifest.load_array(folder, 'identity'), identity
  )
  np.save(folder / 'identity.npy', identity + 1)
  with pytest.raises(ValueError, match='identity.npy: missing or damaged'):
    manifest.load_array(folder, 'identity')
  _, _, cropped, _ = run(data_set, tmp_path, tmp_path, crop=160, size=128)
  expected = pictures.resize(images[:, 29:189, 9:169], 128)
  np.testing.assert_array_equal(cropped, expected)


def test_quota_page_in_place_of_a_file(tmp_path):
  data_set = layouts.small('celeba', num_examples=12)
  layouts.celeba(tmp_path)
  (tmp_path / 'list_attr_celeba.txt').write_bytes(QUOTA)
  assert 'web page' in refusal(data_set, tmp_path, tmp_path)
  layouts.celeba(tmp_path)
  (tmp_path / 'img_align_celeba.zip').write_bytes(QUOTA)
  assert 'web page' in refusal(data_set, tmp_path, tmp_path)
  assert 'web page' in refusal(data_set, tmp_path, tmp_path, prepare.Options())


def test_truncated_zip_and_tables_that_disagree(tmp_path):
  data_set = layouts.small('celeba', num_examples=12)
  layouts.celeba(tmp_path)
  path = tmp_path / 'img_align_celeba.zip'
  path.write_bytes(path.read_bytes()[:-200])
  assert 'cut off' in refusal(data_set, tmp_path, tmp_path)
  layouts.celeba(tmp_path)
  with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr('img_align_celeba/000001.jpg', b'')
  assert '11 pictures are missing' in refusal(data_set, tmp_path, tmp_path)
  layouts.celeba(tmp_path)
  attributes = tmp_path / 'list_attr_celeba.txt'
  lines = attributes.read_text().splitlines()
  attributes.write_text('\n'.join(lines[:-1]))
  assert 'announces 12 rows' in refusal(data_set, tmp_path, tmp_path)
  attributes.write_text('\n'.join([*lines[:-1], lines[-1][:-4]]))
  assert 'list_attr' in refusal(data_set, tmp_path, tmp_path)


def test_unreadable_pictures_are_listed_or_skipped(tmp_path):
  data_set = layouts.small('celeba', num_examples=12)
  images, attributes, *_ = layouts.celeba(tmp_path, corrupt=(3, 7))
  message = refusal(data_set, tmp_path, tmp_path)
  assert '2 unreadable' in message and '--skip-corrupt' in message
  folder = prepare.prepare(
    data_set,
    tmp_path,
    prepare.Options(verify=False, skip_corrupt=True),
    tmp_path / 'cache',
  )
  made = manifest.load(folder)
  kept = [0, 1, 2, 4, 5, 6, 8, 9, 10, 11]
  assert made.num_examples == 10 and len(made.skipped) == 2
  actual = manifest.map_images(folder, made)
  np.testing.assert_array_equal(actual, images[kept, 45:173, 25:153])
  # All of them are still refused, and what was prepared stays.
  assert '2 unreadable' in refusal(data_set, tmp_path, tmp_path)
  with pytest.raises(ValueError, match='pictures left out.*skip-corrupt'):
    prepare.prepare(data_set, None, UNCHECKED, tmp_path / 'cache')
  assert manifest.load(folder) == made
  np.testing.assert_array_equal(
    manifest.load_array(folder, 'factors'), attributes[kept]
  )
