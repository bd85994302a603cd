"""Each image once an epoch: by brute force, and by counting orders."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.data import epochs

KEY = jax.random.key(0)


def drawn(num_steps, part, batch_size, key=KEY):
  """What the first steps see, one after the other."""
  draw = jax.jit(
    jax.vmap(lambda step: epochs.batch_indices(key, step, part, batch_size))
  )
  return np.asarray(draw(jnp.arange(num_steps)))


@pytest.mark.parametrize(
  'num, batch_size', [(1, 3), (2, 1), (5, 12), (7, 7), (10, 4), (1009, 96)]
)
def test_every_image_is_seen_once_an_epoch(num, batch_size):
  part = jnp.arange(num) * 3 + 1
  seen = drawn(-(-5 * num // batch_size), part, batch_size).ravel()
  of_epochs = seen[: 5 * num].reshape(5, num)
  for order in of_epochs:
    np.testing.assert_array_equal(np.sort(order), part)
  if num > 5:
    assert len({tuple(order) for order in of_epochs}) == 5


def test_a_batch_is_a_function_of_key_and_step_alone():
  part = jnp.arange(50)
  seen = drawn(20, part, 8)
  for step in (19, 3):  # another program, another order of steps
    alone = epochs.batch_indices(KEY, jnp.int32(step), part, 8)
    np.testing.assert_array_equal(alone, seen[step])
  assert not np.array_equal(drawn(20, part, 8, jax.random.key(1)), seen)


@pytest.mark.parametrize(
  'step, num, batch_size',
  [(2**31 - 1, 999_983, 4096), (2**31 - 5, 2**31 - 1, 8), (7, 3, 10),
   (12_345_678, 336_000, 100)],
)  # fmt: skip
def test_places_are_exact_where_32_bits_overflow(step, num, batch_size):
  found = epochs.places_of(jnp.int32(step), num, batch_size)
  expected = [divmod(step * batch_size + i, num) for i in range(batch_size)]
  np.testing.assert_array_equal(np.stack(found, 1), expected)


def orders(num, how_many):
  """That many orders of so many places, `[how_many, num]`."""
  seeds = jax.random.bits(KEY, (how_many, 2))
  places = jnp.arange(num, dtype=jnp.uint32)
  one = lambda seed: epochs.shuffled(
    jnp.broadcast_to(seed, (num, 2)), places, num
  )
  return np.asarray(jax.jit(jax.vmap(one))(seeds))


def surprise(counts, expected):
  """The chi-squared statistic in standard deviations from its mean."""
  freedom = len(counts) - 1
  statistic = ((counts - expected) ** 2 / expected).sum()
  return (statistic - freedom) / math.sqrt(2 * freedom)


def test_all_orders_of_five_are_equally_frequent():
  found = [*map(tuple, orders(5, 12_000).tolist())]
  counts = np.array([found.count(p) for p in itertools.permutations(range(5))])
  assert counts.sum() == 12_000 and abs(surprise(counts, 100)) < 4


def test_neighbours_land_anywhere():
  num, how_many = 12, 2000
  found = orders(num, how_many)
  pairs = np.stack([found[:, :-1].ravel(), found[:, 1:].ravel()])
  counts = np.zeros((num, num))
  np.add.at(counts, tuple(pairs), 1)
  apart = counts[~np.eye(num, dtype=bool)]
  assert counts.trace() == 0
  assert abs(surprise(apart, how_many / num)) < 4
