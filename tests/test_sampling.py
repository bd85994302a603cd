import itertools
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae import sampling

N, K, D = 10, 3, 2


@pytest.fixture(scope='module')
def codes():
  # Every number tells its row, its variable and its place.
  rows = jnp.arange(N)[:, None, None] * 100
  return rows + jnp.arange(K)[:, None] * 10 + jnp.arange(D) + 0.0


def test_every_value_comes_from_its_own_column(codes):
  samples = sampling.hybrid(jax.random.key(0), codes, 200)
  assert samples.shape == (200, K, D)
  expected = jnp.arange(K)[:, None] * 10 + jnp.arange(D)
  np.testing.assert_array_equal(samples % 100, jnp.broadcast_to(expected,
                                samples.shape))  # fmt: skip


def test_the_numbers_of_a_variable_move_together(codes):
  rows = sampling.hybrid(jax.random.key(0), codes, 200) // 100
  np.testing.assert_array_equal(rows[..., 0], rows[..., 1])


def test_the_variables_of_a_group_come_from_one_example(codes):
  key = jax.random.key(0)
  rows = sampling.hybrid(key, codes, 200, (0, 1, 0))[..., 0] // 100
  np.testing.assert_array_equal(rows[:, 0], rows[:, 2])
  assert (rows[:, 0] != rows[:, 1]).mean() > 0.8
  alone = sampling.hybrid(key, codes, 200, range(K))
  np.testing.assert_array_equal(alone, sampling.hybrid(key, codes, 200))
  copies = sampling.hybrid(key, codes, 200, [1] * K)
  assert {*copies[:, 0, 0].tolist()} <= {*codes[:, 0, 0].tolist()}
  np.testing.assert_array_equal(copies - copies[:, :1, :1], codes[:1] % 100
                                + jnp.zeros_like(copies))  # fmt: skip


@pytest.mark.parametrize(
  'groups, message',
  [
    ((0, 1), 'groups must be 3 whole numbers, one a variable, got (0, 1)'),
    ((0.0, 1.0, 2.0), 'groups must be 3 whole numbers'),
    ('abc', 'groups must be 3 whole numbers'),
    ((0, 1, 3), 'groups are numbered from 0 to 2, got (0, 1, 3)'),
    ((0, -1, 1), 'groups are numbered from 0 to 2'),
  ],
)
def test_groups_that_do_not_fit_are_refused(codes, groups, message):
  with pytest.raises(ValueError) as error:
    sampling.hybrid(jax.random.key(0), codes, 2, groups)
  assert message in str(error.value)


def test_rows_are_uniform_and_independent_across_variables(codes):
  num = 20_000
  rows = np.asarray(
    sampling.hybrid(jax.random.key(1), codes, num)[..., 0] // 100
  )
  p = 1 / N
  for k in range(K):
    counts = np.bincount(rows[:, k].astype(int), minlength=N)
    assert np.abs(counts - num * p).max() < 5 * np.sqrt(num * p * (1 - p))
  p = 1 / N**2
  for i, j in itertools.combinations(range(K), 2):
    pairs = np.bincount(
      (rows[:, i] * N + rows[:, j]).astype(int), minlength=N**2
    )
    assert np.abs(pairs - num * p).max() < 5 * np.sqrt(num * p * (1 - p))


def test_hybrids_of_dependent_variables_are_uncorrelated():
  u = jax.random.normal(jax.random.key(2), (5000, 1, 1))
  dependent = jnp.concatenate([u, u], 1)
  samples = sampling.hybrid(jax.random.key(3), dependent, 5000)[..., 0]
  assert abs(np.corrcoef(samples.T)[0, 1]) < 5 / np.sqrt(5000)


def test_two_codes_of_three_variables_make_eight_combinations(codes):
  samples = sampling.hybrid(jax.random.key(0), codes[:2], 500)[..., 0] // 100
  seen = {tuple(row) for row in np.asarray(samples).astype(int)}
  assert seen == set(itertools.product([0, 1], repeat=3))


def test_a_pool_holds_distinct_codes(codes):
  pool = sampling.pool(jax.random.key(0), codes, 7)
  rows = np.asarray(pool[:, 0, 0] // 100)
  assert len(set(rows)) == 7
  np.testing.assert_array_equal(pool, codes[rows.astype(int)])


def test_a_partial_hybrid_keeps_the_other_variables(codes):
  base = codes[:4] + 1000
  mixed = sampling.partial_hybrid(jax.random.key(0), codes, base, [1])
  np.testing.assert_array_equal(mixed[:, [0, 2]], base[:, [0, 2]])
  assert (mixed[:, 1] < 1000).all()
  one = sampling.partial_hybrid(jax.random.key(0), codes, base[0], [0, 2])
  np.testing.assert_array_equal(one[1], base[0, 1])
  assert (one[jnp.array([0, 2])] < 1000).all()


def test_a_partial_hybrid_of_all_variables_is_a_hybrid(codes):
  key = jax.random.key(5)
  mixed = sampling.partial_hybrid(key, codes, codes[:4], range(K))
  np.testing.assert_array_equal(mixed, sampling.hybrid(key, codes, 4))


def test_the_prior_is_standard_normal():
  draws = sampling.prior(jax.random.key(0), 5000, K, D).reshape(-1, K * D)
  np.testing.assert_allclose(draws.mean(0), 0, atol=5 / np.sqrt(5000))
  np.testing.assert_allclose(np.cov(draws.T), np.eye(K * D), atol=0.1)


def test_interpolation_is_a_straight_line(codes):
  line = sampling.interpolate(codes[0], codes[1], 5)
  np.testing.assert_array_equal(line[0], codes[0])
  np.testing.assert_array_equal(line[-1], codes[1])
  np.testing.assert_allclose(jnp.diff(line, axis=0), 25, rtol=1e-5)


def test_a_traversal_moves_one_number_from_low_to_high(codes):
  low, high = codes.min(0), codes.max(0)
  sweeps = sampling.traverse(codes[3], low, high, 4)
  assert sweeps.shape == (K, D, 4, K, D)
  for k, d in itertools.product(range(K), range(D)):
    sweep = sweeps[k, d]
    np.testing.assert_allclose(
      sweep[:, k, d], np.linspace(low[k, d], high[k, d], 4), rtol=1e-6
    )
    others = np.ones((K, D), bool)
    others[k, d] = False
    np.testing.assert_array_equal(
      sweep[:, others], np.broadcast_to(codes[3][others], (4, K * D - 1))
    )


@pytest.mark.parametrize(
  'call, message',
  [
    (lambda c: sampling.hybrid(jax.random.key(0), c[:, 0], 2), r'\[N, K, D\]'),
    (lambda c: sampling.hybrid(jax.random.key(0), c[:0], 2), 'no example'),
    (lambda c: sampling.pool(jax.random.key(0), c, 11), 'between 1 and .* 10'),
    (
      lambda c: sampling.partial_hybrid(jax.random.key(0), c, c, [3]),
      r'0\.\.2, got \[3\]',
    ),
    (lambda c: sampling.interpolate(c[0], c, 2), 'agree in shape'),
    (lambda c: sampling.hybrid(jax.random.key(0), c, -1), '0 or more, got -1'),
    (lambda c: sampling.prior(jax.random.key(0), -1, 3, 2), '0 or more, got'),
    (lambda c: sampling.hybrid(jax.random.key(0), [[[1]]], 2), 'got list'),
    (lambda c: sampling.pool(jax.random.key(0), None, 1), 'got NoneType'),
    (lambda c: sampling.traverse(c, c, c, 2), r'\[K, D\]'),
  ],
)
def test_bad_input_is_named(codes, call, message):
  with pytest.raises(ValueError, match=message):
    call(codes)


def test_sampling_imports_jax_and_nothing_else_of_ours():
  program = (
    'import sys, structae.sampling; print([m for m in ("flax", "orbax",'
    '"optax", "tensorflow_datasets", "tensorflow", "sklearn", "matplotlib")'
    ' if m in sys.modules])'
  )
  out = subprocess.run(
    [sys.executable, '-c', program], capture_output=True, text=True, check=True
  )
  assert out.stdout.strip() == '[]'


@pytest.mark.parametrize(
  'key', [None, 0, '0', np.zeros(2), jax.random.split(jax.random.key(0))]
)
def test_what_is_no_key_is_named(key):
  codes = jnp.zeros((4, 2, 1))
  for draw in (
    lambda: sampling.hybrid(key, codes, 3),
    lambda: sampling.pool(key, codes, 3),
    lambda: sampling.partial_hybrid(key, codes, codes[0], [0]),
    lambda: sampling.prior(key, 3, 2, 1),
  ):
    with pytest.raises(ValueError, match='expected one PRNG key') as caught:
      draw()
    assert '\n' not in str(caught.value)


def test_keys_of_either_kind_serve_also_when_they_are_traced():
  codes = jnp.arange(8.0).reshape(4, 2, 1)
  draw = lambda key: sampling.hybrid(key, codes, 3)
  for make in (jax.random.key, jax.random.PRNGKey):
    many = jnp.stack([make(0), make(1)])
    np.testing.assert_array_equal(jax.vmap(draw)(many)[1], draw(make(1)))
