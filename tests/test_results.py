"""What a run leaves behind has a defined end for any number of test images."""

import types

import jax
import numpy as np
import pytest

from structae import results


@pytest.mark.parametrize('num', [1, 2, 3, 9])
def test_partial_hybrids_of_few_test_codes(num):
  rng = np.random.default_rng(0)
  model = types.SimpleNamespace(
    pool=rng.normal(size=(5, 6, 2)), decode=lambda codes: codes[..., None]
  )
  codes = rng.normal(size=(num, 6, 2)).astype(np.float32)
  rows = results.partial_hybrids(model, codes, jax.random.key(0))[..., 0]
  assert rows.shape[1:] == (8, 6, 2)
  for i, row in enumerate(rows):
    np.testing.assert_array_equal(row[0], codes[i % num])
    changed = (row[1:] != row[0]).any((0, 2))
    assert 0 < changed.sum() < 6  # some of the variables, and not all
