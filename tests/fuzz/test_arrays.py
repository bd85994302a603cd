"""Malformed arrays are refused with a ValueError, or answered in numbers."""

import numpy as np
import pytest

from experiments.fuzz import arrays

# What takes long to fit or to compile gets fewer.
NUM = {'infomec': 6, 'dci': 6, 'dci_by_variable': 6, 'probe': 8}


@pytest.mark.parametrize('name', arrays.targets())
def test_malformed_arrays_are_refused_or_answered(name, tmp_path):
  num = NUM.get(name, 12)
  tally = arrays.fuzz(tmp_path, num, 0, [name])
  assert not tally.faults, tally.lines()


def test_a_number_that_is_not_finite_is_seen():
  assert not arrays._is_defined({'a': [1.0, {'b': np.array([np.nan])}]})
  assert arrays._is_defined({'a': [1.0, None, 'b', {'c': np.arange(3)}]})
