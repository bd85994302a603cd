"""Files that many tests of data begin with."""

import pytest

from tests.data import layouts


@pytest.fixture
def shapes(tmp_path):
  """A small 3D-Shapes: its row, and its file."""
  data_set = layouts.small('shapes3d', (3, 2, 2, 2, 4, 3))
  layouts.shapes3d(tmp_path / '3dshapes.h5', data_set)
  return data_set, tmp_path / '3dshapes.h5'
