import json
import warnings

import numpy as np
import pytest

from structae.evaluation import codes as saved
from structae.evaluation import score


def _codes(**changes):
  rng = np.random.default_rng(0)
  values = {
    'codes': rng.normal(size=(7, 3, 2)).astype(np.float32),
    'log_var': rng.normal(size=(7, 3, 2)).astype(np.float32),
    'factors': rng.integers(0, 3, (7, 2)).astype(np.int32),
    'factor_names': ('shape', 'hue'),
    'factor_sizes': (3, 4),
    'indices': np.arange(7)[::-1],
    'meta': {'model': 'sae', 'step': 3},
  }
  return saved.Codes(**{**values, **changes})


def test_what_is_saved_is_loaded(tmp_path):
  expected = _codes()
  saved.save(tmp_path / 'new' / 'a.npz', expected)
  actual = saved.load(tmp_path / 'new' / 'a.npz')
  for name in ('codes', 'log_var', 'factors', 'indices'):
    a, b = getattr(actual, name), getattr(expected, name)
    np.testing.assert_array_equal(a, b)
    assert a.dtype == b.dtype
  assert actual[3:5] == expected[3:5]
  assert actual.meta == expected.meta
  assert [p.name for p in (tmp_path / 'new').iterdir()] == ['a.npz']


def test_arrays_in_memory_become_what_a_file_of_them_is(tmp_path):
  rng = np.random.default_rng(0)
  arrays = {
    'codes': rng.normal(size=(5, 3)),
    'factors': rng.integers(0, 2, (5, 2)),
    'factor_names': ['hue', 'size'],
  }
  np.savez(tmp_path / 'codes.npz', **arrays)
  loaded = saved.load(tmp_path / 'codes.npz')
  made = saved.from_arrays(**arrays)
  for a, b in zip(made, loaded):
    np.testing.assert_array_equal(a, b)
  assert made.codes.shape == (5, 3, 1)
  with pytest.raises(ValueError, match="unknown 'names', expected some of"):
    saved.from_arrays(arrays['codes'], arrays['factors'], names=['a', 'b'])
  with pytest.raises(ValueError, match='4 codes, but 5 rows of factors'):
    saved.from_arrays(arrays['codes'][:4], arrays['factors'])


def test_labels_and_whole_floats_are_factors():
  z, labels = np.zeros((4, 2)), np.array([0, 2, 1, 0])
  for given in (labels, labels.astype(float), labels[:, None]):
    made = saved.from_arrays(z, given).factors
    np.testing.assert_array_equal(made, labels[:, None])
    assert made.dtype == np.int32


def test_text_is_numbered_over_all_parts(tmp_path):
  parts = (['red', 'blue'], ['blue', 'green', 'red'])
  for i, names in enumerate(parts):
    np.savez(tmp_path / f'{i}.npz', codes=np.eye(len(names)), factors=names)
  one, two = saved.load_parts([tmp_path / '0.npz', tmp_path / '1.npz'])
  np.testing.assert_array_equal(one.factors, [[2], [0]])
  np.testing.assert_array_equal(two.factors, [[0], [1], [2]])
  alone = saved.load(tmp_path / '0.npz')
  np.testing.assert_array_equal(alone.factors, [[1], [0]])
  np.savez(tmp_path / '2.npz', codes=np.eye(2), factors=[[1], [0]])
  with pytest.raises(ValueError, match='factors are text; number its values'):
    saved.load_parts([tmp_path / '0.npz', tmp_path / '2.npz'])


def test_variables_keep_their_names(tmp_path):
  names = ('colour', 'size', 'U_1')
  saved.save(tmp_path / 'a.npz', _codes(variable_names=names))
  codes = saved.load(tmp_path / 'a.npz')
  assert codes.variable_names == names
  assert saved.from_arrays(codes.codes).variable_names == ('U_1', 'U_2', 'U_3')
  found = score.score_codes(codes, metrics=['mig', 'mig_by_variable'])
  rows = [f'{name}.{d}' for name in names for d in (1, 2)]
  assert found['matrices']['mutual_information']['rows'] == rows
  with pytest.raises(ValueError, match='variable_names must be 3 strings'):
    saved.from_arrays(codes.codes, variable_names=['colour'])


def test_codes_need_no_factors(tmp_path):
  np.savez(tmp_path / 'a.npz', codes=np.zeros((4, 2)))
  assert saved.load(tmp_path / 'a.npz').factors.shape == (4, 0)


def test_rounding_that_shows_is_warned_of():
  z = np.random.default_rng(0).normal(size=(50, 2))
  with warnings.catch_warnings():
    warnings.simplefilter('error')
    saved.from_arrays(z + 100)
    saved.from_arrays(np.full((4, 2), 0.1))
  with pytest.warns(UserWarning, match='number 0 of variable 1 by up to'):
    saved.from_arrays(z + [0, 1e8])


def test_points_are_drawn_from_all_parts_once_each():
  parts = [_codes(indices=np.arange(7) + 7 * i) for i in range(3)]
  fit, held_out = saved.redrawn(parts)
  assert (len(fit.codes), len(held_out.codes)) == (14, 7)
  drawn = np.concatenate([fit.indices, held_out.indices])
  assert sorted(drawn) == list(range(21))
  whole = np.concatenate([part.log_var for part in parts])
  np.testing.assert_array_equal(fit.log_var, whole[fit.indices])
  assert list(saved.redrawn(parts, seed=1)[0].indices) != list(fit.indices)


def test_samples_have_the_moments_of_their_posterior():
  num = 4000
  means = np.broadcast_to([[1.0], [-2.0]], (num, 2, 1)).astype(np.float32)
  log_var = np.broadcast_to(np.log([[4.0], [0.01]]), (num, 2, 1))
  codes = saved.from_arrays(means, log_var=log_var)
  drawn = saved.sampled(codes)
  assert drawn.log_var is None
  np.testing.assert_allclose(drawn.codes.mean(0), [[1], [-2]], atol=0.15)
  np.testing.assert_allclose(drawn.codes.std(0), [[2], [0.1]], rtol=0.06)


def test_a_failed_save_leaves_the_old_file(tmp_path):
  saved.save(tmp_path / 'a.npz', _codes())
  before = (tmp_path / 'a.npz').read_bytes()
  with pytest.raises(ValueError, match='log_var has shape'):
    saved.save(tmp_path / 'a.npz', _codes(log_var=np.zeros((7, 3, 1))))
  with pytest.raises(TypeError):
    saved.save(tmp_path / 'a.npz', _codes(meta={'bad': object()}))
  assert (tmp_path / 'a.npz').read_bytes() == before
  assert len(list(tmp_path.iterdir())) == 1


def test_a_foreign_file_needs_two_keys(tmp_path):
  z = np.arange(8.0).reshape(4, 2)
  np.savez(tmp_path / 'a.npz', codes=z, factors=np.array([[0], [4], [1], [0]]))
  loaded = saved.load(tmp_path / 'a.npz')
  np.testing.assert_array_equal(loaded.codes, z[:, :, None])
  assert loaded.factor_names == ('factor_0',)
  assert loaded.factor_sizes == (5,)
  assert loaded.indices.tolist() == [0, 1, 2, 3]
  assert loaded.log_var is None and loaded.meta == {}


_GOOD = {'codes': np.zeros((4, 2)), 'factors': np.array([[0], [1], [1], [0]])}


@pytest.mark.parametrize(
  'changes, message',
  [
    ({'codes': None}, r'no codes in the archive, found factors'),
    (
      {'codes': np.array([1, 'a', None, 2], object)},
      r'codes is an array of Py',
    ),
    ({'codes': np.zeros(4)}, r'codes must be .* got shape \(4,\)'),
    ({'codes': np.zeros((4, 0))}, r'codes is empty'),
    ({'codes': np.full((4, 2), np.nan)}, r'codes has 8 values that are not f'),
    ({'codes': np.full((4, 2), 1e300)}, r'codes exceeds the range of float32'),
    (
      {'codes': np.zeros((4, 2), complex)},
      r'codes must be real numbers, got c',
    ),
    ({'codes': np.zeros((5, 2))}, r'5 codes, but 4 rows of factors'),
    ({'factors': np.full((4, 1), 0.5)}, r'factors must be int.* 0.5 at \[0, 0'),
    ({'factors': np.array([[0], [-3], [0], [0]])}, r'got -3 at \[1, 0\]'),
    (
      {'factors': np.zeros((4, 1, 1), int)},
      r'factors must be \[N, F\], got shape \(4, 1, 1\)',
    ),
    (
      {'factors': np.array([[0], [2**63], [0], [0]], np.uint64)},
      r'factors must be below 2\*\*63',
    ),
    (
      {'factors': np.array([[0], [2**31], [0], [0]])},
      r'factors must be below 2\*\*31, got 2147483648',
    ),
    ({'log_var': np.zeros((4, 3))}, r'log_var has shape \(4, 3, 1\)'),
    ({'factor_names': np.array(['a', 'b'])}, r'factor_names must be 1 strings'),
    (
      {'factor_sizes': np.array([1])},
      r'factor 0 has the value 1, its size is 1',
    ),
    ({'indices': np.zeros(3, int)}, r'indices must be 4 integers'),
    (
      {'indices': np.full(4, 2**64 - 1, np.uint64)},
      r'indices must be below 2\*\*63',
    ),
    ({'meta': np.array('{')}, r'meta must be one JSON string'),
    ({'meta': np.array(json.dumps([1]))}, r'meta must be a JSON object'),
  ],
)
def test_a_wrong_file_is_named_with_key_and_number(tmp_path, changes, message):
  arrays = {k: v for k, v in {**_GOOD, **changes}.items() if v is not None}
  np.savez(tmp_path / 'bad.npz', **arrays)
  with pytest.raises(ValueError, match=message) as error:
    saved.load(tmp_path / 'bad.npz')
  assert 'bad.npz' in str(error.value) and '\n' not in str(error.value)


def test_what_is_no_archive_is_refused(tmp_path):
  (tmp_path / 'text.npz').write_text('hello')
  np.save(tmp_path / 'one.npy', np.zeros(3))
  saved.save(tmp_path / 'a.npz', _codes())
  whole = (tmp_path / 'a.npz').read_bytes()
  (tmp_path / 'half.npz').write_bytes(whole[: len(whole) // 2])
  flipped = bytearray(whole)
  flipped[200] ^= 255
  (tmp_path / 'flipped.npz').write_bytes(bytes(flipped))
  np.savez_compressed(tmp_path / 'deflated.npz', **_GOOD)
  deflated = bytearray((tmp_path / 'deflated.npz').read_bytes())
  deflated[60:80] = bytes(20)
  (tmp_path / 'deflated.npz').write_bytes(bytes(deflated))
  names = 'text.npz one.npy half.npz flipped.npz deflated.npz'
  for name in names.split():
    with pytest.raises(ValueError, match=name):
      saved.load(tmp_path / name)
  with pytest.raises(FileNotFoundError, match='none.npz'):
    saved.load(tmp_path / 'none.npz')
