"""What the stock builders prepare is read as the original files are."""

import io
import sys
import zipfile

import numpy as np
import pytest

from structae.data import manifest
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


def stock(name, directory, features, splits):
  """Writes records of the stock builder's features, in a shuffled order."""

  class Stock(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    VERSION = tfds.core.Version('2.0.0')

    def _info(self):
      return tfds.core.DatasetInfo(
        builder=self, features=tfds.features.FeaturesDict(features)
      )

    def _split_generators(self, dl_manager):
      return {split: iter(rows) for split, rows in splits.items()}

    def _generate_examples(self):
      raise NotImplementedError

  Stock.name = name
  builder = Stock(data_dir=directory, file_format='array_record')
  builder.download_and_prepare()
  return builder


def label(num):
  return tfds.features.ClassLabel(num_classes=num)


def number():
  return tfds.features.Tensor(shape=(), dtype=np.float32)


def test_what_the_stock_builder_of_shapes3d_prepares(tmp_path):
  data_set = layouts.small('shapes3d', (2, 3, 2, 2, 4, 3))
  images, factors = layouts.shapes3d(tmp_path / '3dshapes.h5', data_set)
  names = data_set.factor_names
  features = {'image': tfds.features.Image(shape=(64, 64, 3))}
  features |= {f'label_{n}': label(s)
               for n, s in zip(names, data_set.factor_sizes)}  # fmt: skip
  features |= {f'value_{n}': number() for n in names}
  rows = [
    (
      row,
      {'image': io.BytesIO(layouts.png(image))}
      | {f'label_{n}': v for n, v in zip(names, values.tolist())}
      | dict.fromkeys((f'value_{n}' for n in names), 0.0),
    )
    for row, (image, values) in enumerate(zip(images, factors))
  ]
  builder = stock('shapes3d', tmp_path / 'tfds', features, {'train': rows})
  first = next(iter(builder.as_data_source('train')))['image']
  assert (first != images[0]).any()  # its order is another one
  _, made, actual, _ = run(data_set, tmp_path / 'tfds', tmp_path)
  np.testing.assert_array_equal(actual, images)
  assert made.grid
  _, _, direct, _ = run(data_set, tmp_path, tmp_path)
  np.testing.assert_array_equal(actual, direct)


def test_what_the_stock_builder_of_dsprites_prepares(tmp_path):
  data_set = layouts.small('dsprites', (3, 2, 3, 2, 2))
  path = tmp_path / 'dsprites_ndarray_co1sh3sc6or40x32y32_64x64.hdf5'
  images, factors = layouts.dsprites(path, data_set)
  names = ('shape', 'scale', 'orientation', 'x_position', 'y_position')
  features = {'image': tfds.features.Image(shape=(64, 64, 1))}
  features |= {f'label_{n}': label(s)
               for n, s in zip(names, data_set.factor_sizes)}  # fmt: skip
  rows = [
    (
      row,
      {'image': io.BytesIO(layouts.png(image // 255))}
      | {f'label_{n}': v for n, v in zip(names, values.tolist())},
    )
    for row, (image, values) in enumerate(zip(images, factors))
  ]
  stock('dsprites', tmp_path / 'tfds', features, {'train': rows})
  _, _, actual, _ = run(data_set, tmp_path / 'tfds', tmp_path)
  np.testing.assert_array_equal(actual, images)


def test_what_the_stock_builder_of_celeba_prepares(tmp_path):
  images, attributes, partition, identity = layouts.celeba(tmp_path)
  data_set = layouts.small('celeba', num_examples=12)
  features = {
    'image': tfds.features.Image(shape=(218, 178, 3), encoding_format='jpeg'),
    'attributes': dict.fromkeys(data_set.factor_names, np.bool_),
    'landmarks': {'lefteye_x': np.int64},
    'identity': {'Identity_No': np.int64},
  }
  encoded = _members(tmp_path / 'img_align_celeba.zip')
  splits = {}
  for number_, split in enumerate(('train', 'validation', 'test')):
    splits[split] = [
      (
        f'{i:06}.jpg',
        {
          'image': io.BytesIO(encoded[i]),
          'attributes': dict(
            zip(data_set.factor_names, attributes[i].astype(bool).tolist())
          ),
          'landmarks': {'lefteye_x': 1},
          'identity': {'Identity_No': int(identity[i])},
        },
      )
      for i in np.flatnonzero(partition == number_)
    ]
  stock('celeb_a', tmp_path / 'tfds', features, splits)
  folder, _, actual, factors = run(data_set, tmp_path / 'tfds', tmp_path)
  # Its order is another one; identities tell which picture is which.
  found = manifest.load_array(folder, 'identity')
  order = [int(np.flatnonzero(identity == i)[0]) for i in found]
  assert sorted(order) == list(range(12))
  np.testing.assert_array_equal(actual, images[order, 45:173, 25:153])
  np.testing.assert_array_equal(factors, attributes[order])
  np.testing.assert_array_equal(
    manifest.load_array(folder, 'partition'), partition[order]
  )


def _members(path):
  with zipfile.ZipFile(path) as archive:
    names = sorted(n for n in archive.namelist() if n.endswith('.jpg'))
    return [archive.read(name) for name in names]


def test_another_set_or_form_is_refused(tmp_path):
  features = {'image': tfds.features.Image(shape=(64, 64, 3)), 'x': np.int64}
  picture = layouts.png(np.zeros((64, 64, 3), np.uint8))
  rows = [(0, {'image': io.BytesIO(picture), 'x': 1})]
  stock('shapes3d', tmp_path / 'tfds', features, {'train': rows})
  data_set = layouts.small('shapes3d', (1, 1, 1, 1, 1, 1))
  with pytest.raises(ValueError, match='no label_floor_hue'):
    run(data_set, tmp_path / 'tfds', tmp_path)
  info = next((tmp_path / 'tfds').rglob('dataset_info.json'))
  info.write_text('{')
  with pytest.raises(ValueError, match='not readable'):
    run(data_set, tmp_path / 'tfds', tmp_path)
