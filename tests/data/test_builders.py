"""Our builders and our readers make the same set, without TensorFlow."""

import sys

import numpy as np
import pytest

from structae.data.data_set import Tfds
from tests.data import layouts
from tests.data.preparing import run

tfds = pytest.importorskip('tensorflow_datasets')
pytest.importorskip('array_record')


@pytest.fixture(autouse=True)
def without_tensorflow():
  """Fails a test that imports TensorFlow, where it is installed at all."""
  before = 'tensorflow' in sys.modules
  yield
  assert before or 'tensorflow' not in sys.modules


def build(kind, data_set, manual_dir, data_dir):
  from structae.data import builders

  name = data_set.tfds.name.split('/')[-1]
  builder = getattr(builders, kind)(
    config=builders.Config(name=name, data_set=data_set, verify=False),
    data_dir=data_dir,
    file_format='array_record',
  )
  builder.download_and_prepare(
    download_config=tfds.download.DownloadConfig(manual_dir=manual_dir)
  )
  return builder


def write_mpi3d(place):
  data_set = layouts.small(
    'mpi3d_toy', (2, 3, 2, 1, 3, 2, 2), tfds=Tfds('mpi3d/part')
  )
  images, factors = layouts.mpi3d(place / 'mpi3d_toy.npz', data_set)
  return 'Mpi3d', data_set, images, factors


def write_rfd(place):
  images, factors = layouts.rfd(place)
  return 'Rfd', layouts.small('rfd', tfds=Tfds('rfd/part')), images, factors


def write_cars3d(place):
  data_set = layouts.small('cars3d', (4, 24, 2), tfds=Tfds('cars3d/part'))
  images, factors = layouts.cars3d(place / 'nips2015-analogy-data.tar.gz', 2)
  return 'Cars3d', data_set, images, factors


@pytest.mark.parametrize('write', [write_mpi3d, write_rfd, write_cars3d])
def test_built_and_directly_read_are_the_same(tmp_path, write):
  kind, data_set, images, factors = write(tmp_path)
  builder = build(kind, data_set, tmp_path, tmp_path / 'tfds')
  source = builder.as_data_source('train')
  names = [f'label_{name}' for name in data_set.factor_names]
  for row, record in enumerate(source):
    np.testing.assert_array_equal(record['image'], images[row])
    assert [record[name] for name in names] == factors[row].tolist()
  size = images.shape[1]
  _, made, direct, labels = run(data_set, tmp_path, tmp_path, size=size)
  place = tmp_path / 'tfds'
  _, copy, built, again = run(data_set, place, tmp_path, size=size)
  np.testing.assert_array_equal(direct, built)
  assert made.images_sha256 in ('', copy.images_sha256)
  if labels is not None:
    np.testing.assert_array_equal(labels, again)
  assert builder.info.citation == data_set.citation
  assert len(builder.as_data_source('train[:50%]')) == len(images) // 2


def test_missing_files_are_named_by_the_builder(tmp_path):
  data_set = layouts.small(
    'mpi3d_toy', (1, 1, 1, 1, 1, 1, 2), tfds=Tfds('mpi3d/part')
  )
  with pytest.raises(ValueError, match='mpi3d_toy.npz'):
    build('Mpi3d', data_set, tmp_path, tmp_path / 'tfds')
