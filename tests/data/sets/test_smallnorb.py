"""small NORB from files in its true layout, whole and damaged."""

import numpy as np
import pytest

from structae.data import manifest
from tests.data import layouts
from tests.data.preparing import refusal, run


@pytest.mark.parametrize('compressed', [False, True])
def test_smallnorb(tmp_path, compressed):
  images, labels = layouts.smallnorb(tmp_path, compressed=compressed)
  data_set = layouts.small('smallnorb', num_examples=20)
  folder, _, actual, factors = run(data_set, tmp_path, tmp_path, size=96)
  np.testing.assert_array_equal(actual, images)
  np.testing.assert_array_equal(factors, labels)
  partition = manifest.load_array(folder, 'partition')
  np.testing.assert_array_equal(partition, [0] * 10 + [2] * 10)
  _, _, smaller, _ = run(data_set, tmp_path, tmp_path)
  assert smaller.shape == (20, 64, 64, 1)
  means = images.mean((1, 2, 3)), smaller.mean((1, 2, 3))
  np.testing.assert_allclose(*means, atol=1.5)


def test_a_matrix_that_is_damaged(tmp_path):
  data_set = layouts.small('smallnorb', num_examples=20)
  layouts.smallnorb(tmp_path)
  path = next(tmp_path.glob('*training-dat.mat.gz'))
  whole = path.read_bytes()
  path.write_bytes(whole[: len(whole) // 2])
  assert 'fetch it again' in refusal(data_set, tmp_path, tmp_path)
  path.write_bytes(b'no gzip at all')
  assert 'damaged' in refusal(data_set, tmp_path, tmp_path)
