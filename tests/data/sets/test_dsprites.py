"""dSprites from files in its true layout."""

import numpy as np
import pytest

from tests.data import layouts
from tests.data.preparing import run


@pytest.mark.parametrize('suffix', ['hdf5', 'npz'])
def test_dsprites(tmp_path, suffix):
  data_set = layouts.small('dsprites', (3, 2, 4, 2, 3))
  name = f'dsprites_ndarray_co1sh3sc6or40x32y32_64x64.{suffix}'
  images, _ = layouts.dsprites(tmp_path / name, data_set)
  _, made, actual, _ = run(data_set, tmp_path, tmp_path)
  np.testing.assert_array_equal(actual, images)
  assert set(np.unique(actual)) == {0, 255}
  assert made.factor_names == ('shape', 'scale', 'orientation', 'x', 'y')
