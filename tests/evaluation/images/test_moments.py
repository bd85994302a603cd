import numpy as np
import pytest

from structae.evaluation.images import moments


def test_a_stream_equals_numpy_on_all_rows():
  rows = np.random.default_rng(0).normal(size=(97, 5)) @ np.diag(
    [1, 2, 3, 4, 5]
  )
  batches = np.split(rows, [1, 2, 30, 31, 90])
  actual = moments.stream_moments(batches)
  assert actual.num_rows == 97
  np.testing.assert_allclose(actual.mean, rows.mean(0), rtol=1e-13)
  np.testing.assert_allclose(
    actual.covariance, np.cov(rows, rowvar=False), rtol=1e-12
  )


def test_merging_does_not_depend_on_the_order():
  rng = np.random.default_rng(1)
  parts = [moments.moments(rng.normal(i, 1, (7 + i, 4))) for i in range(3)]
  a, b, c = parts
  left = moments.merge(moments.merge(a, b), c)
  right = moments.merge(a, moments.merge(c, b))
  for x, y in zip(left, right):
    np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-12)


def test_a_large_mean_does_not_eat_the_variance():
  rows = np.random.default_rng(2).normal(size=(4000, 3))
  far = moments.stream_moments(np.split(rows + 1e8, 40))
  near = moments.stream_moments(np.split(rows, 40))
  # At 1e8 the rows themselves are rounded to 1e-8.
  np.testing.assert_allclose(far.covariance, near.covariance, atol=1e-6)


def test_float32_rows_are_summed_in_float64():
  rows = np.full((2**14, 2), 0.1, np.float32)
  actual = moments.stream_moments([rows[:5000], rows[5000:]])
  np.testing.assert_allclose(actual.mean, float(np.float32(0.1)), rtol=1e-14)
  np.testing.assert_allclose(actual.scatter, 0, atol=1e-18)


@pytest.mark.parametrize(
  ('rows', 'message'),
  [
    (np.zeros(3), r'\[N, D\]'),
    (np.zeros((0, 3)), r'\[N, D\]'),
    (np.array([['a']]), 'real numbers'),
    (np.array([[1.0, np.nan], [0, 0]]), '1 of 2 rows'),
  ],
)
def test_what_is_no_finite_matrix_is_refused(rows, message):
  with pytest.raises(ValueError, match=message):
    moments.moments(rows)


def test_an_empty_stream_and_a_single_row_are_refused():
  with pytest.raises(ValueError, match='empty'):
    moments.stream_moments([])
  with pytest.raises(ValueError, match='2 rows, got 1'):
    _ = moments.moments(np.zeros((1, 2))).covariance
  with pytest.raises(ValueError, match='2 and 3 dimensions'):
    moments.stream_moments([np.zeros((1, 2)), np.zeros((1, 3))])
