"""Splits are disjoint, cover everything, and never change."""

import numpy as np
import pytest

from structae.data import catalog, hold_out, reading, splits

NAMES = catalog.CATALOG['shapes3d'].factor_names
SIZES = catalog.CATALOG['shapes3d'].factor_sizes


def factors(indices):
  return reading.grid_factors(indices, SIZES)


@pytest.mark.parametrize('kind', ['random', 'authors', 'official'])
@pytest.mark.parametrize('num', [10, 1001, 17_568])
def test_disjoint_and_covering(kind, num):
  partition = np.random.default_rng(0).integers(0, 3, num)
  parts = splits.split(num, 3, kind, partition)
  together = np.concatenate(parts)
  np.testing.assert_array_equal(np.sort(together), np.arange(num))
  for part in parts:
    assert part.dtype == np.int32 and (np.diff(part) > 0).all()


def test_shares():
  sizes = [len(part) for part in splits.split(480_000)]
  assert sizes == [336_000, 48_000, 96_000]
  sizes = [len(part) for part in splits.split(480_000, kind='authors')]
  assert sizes == [345_600, 38_400, 96_000]


def test_the_test_set_of_the_authors_is_the_end_of_their_permutation():
  order = np.random.RandomState(0).permutation(1000)
  for seed in (0, 1):
    parts = splits.split(1000, seed, 'authors')
    np.testing.assert_array_equal(parts.test, np.sort(order[-200:]))
  other = splits.split(1000, 0, 'authors')
  assert splits.digest(parts.validation) != splits.digest(other.validation)


def test_official_is_the_partition():
  partition = np.array([2, 0, 1, 0, 0])
  parts = splits.split(5, 7, 'official', partition)
  assert [p.tolist() for p in parts] == [[1, 3, 4], [2], [0]]
  without = np.repeat([0, 2], [20, 5])
  train, validation, test = splits.split(25, 7, 'official', without)
  assert test.tolist() == [*range(20, 25)] and len(validation) == 2
  np.testing.assert_array_equal(np.union1d(train, validation), np.arange(20))
  with pytest.raises(ValueError, match='no official split'):
    splits.split(5, 0, 'official')
  with pytest.raises(ValueError, match='expected one of random'):
    splits.split(5, 0, 'theirs')


# Whatever the platform and the release of numpy: these lists are for ever.
@pytest.mark.parametrize(
  'kind, expected',
  [
    ('random', ['d21bb47d653e87be', 'eb5d13e49eb01919', '6c7b6a33ec50ad05']),
    ('authors', ['438d5741e56f7224', 'c17b3c5598ca0abf', '6c7b6a33ec50ad05']),
  ],
)
def test_lists_are_the_same_everywhere(kind, expected):
  parts = splits.split(480_000, 0, kind)
  assert [splits.digest(part)[:16] for part in parts] == expected


def test_digest_ignores_the_type_and_sees_the_order():
  a = np.array([1, 2, 3], np.int32)
  assert splits.digest(a) == splits.digest(a.astype('>i8'))
  assert splits.digest(a) != splits.digest(a[::-1])


@pytest.mark.parametrize('name, share', [('shape', 1 / 4), ('camera', 4 / 15)])
def test_extrapolation_sets(name, share):
  parts = splits.split(480_000)
  held_out = hold_out.parse(name, catalog.CATALOG['shapes3d'].factors)
  kept, novel = splits.hold_out(parts, factors, NAMES, held_out)
  for whole, left, right in zip(parts, kept, novel):
    np.testing.assert_array_equal(np.sort(np.concatenate([left, right])), whole)
  num_novel = sum(map(len, novel))
  assert num_novel == round(480_000 * share)
  everything = np.concatenate(novel)
  if name == 'shape':
    values = catalog.CATALOG['shapes3d'].factors['shape']
    assert {values[i] for i in np.unique(factors(everything)[:, 4])} == {'ball'}
  else:
    angles = np.array(catalog.CATALOG['shapes3d'].factors['orientation'])
    extreme = np.abs(angles[factors(everything)[:, 5]])
    assert extreme.min() > np.abs(angles[factors(kept.train)[:, 5]]).max()


def test_matching_takes_all_named_factors_together():
  rows = factors(np.arange(480_000))
  found = splits.matching(rows, NAMES, {'shape': [0, 3], 'scale': [7]})
  assert found.sum() == 480_000 * 2 // 4 // 8
  with pytest.raises(ValueError, match="Unknown factor 'colour'"):
    splits.matching(rows, NAMES, {'colour': [0]})
