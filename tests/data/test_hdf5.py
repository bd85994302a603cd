"""Chunks of HDF5 files."""

import h5py
import numpy as np

from structae.data import hdf5
from tests.data import layouts


def test_chunks_are_read_as_the_library_reads_them(tmp_path):
  images = layouts.random_images((50, 64, 64, 3))
  for options in (
    {'chunks': (16, 24, 8, 2), 'compression': 'gzip'},
    {'chunks': (50, 64, 64, 3), 'compression': 'gzip'},
    {'chunks': (7, 64, 64, 3), 'compression': 'gzip', 'shuffle': True},
    {'chunks': (7, 64, 64, 3)},
    {},
  ):
    with h5py.File(tmp_path / 'x.h5', 'w') as file:
      dataset = file.create_dataset('images', data=images, **options)
      read, block = hdf5.slices(dataset, 'x.h5')
      assert hdf5.is_plain_gzip(dataset) == (
        'compression' in options and 'shuffle' not in options
      )
      for start, stop in ((0, 50), (0, 16), (16, 50), (3, 5), (15, 33)):
        np.testing.assert_array_equal(read(start, stop), images[start:stop])
      assert block % (options['chunks'][0] if 'chunks' in options else 1) == 0
