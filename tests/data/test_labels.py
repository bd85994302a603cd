"""Which examples are labelled, and which are partners."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.data import labels, pairs, sources

SIZES = (4, 1, 3, 5)
NUM = 60
GRID = np.stack(np.unravel_index(np.arange(NUM), SIZES), 1).astype(np.int32)
# An image is its own number.
SOURCE = sources.Source(
  'numbers', (1,), NUM, ('a', 'b', 'c', 'd'), SIZES,
  jnp.arange(NUM)[:, None], lambda arrays, indices: arrays[indices],
  lambda indices: GRID[indices],
)  # fmt: skip
PART = np.sort(np.random.RandomState(0).permutation(NUM)[:42])
INDICES = jnp.asarray(np.random.RandomState(1).choice(PART, 64))


def test_labelled_examples_are_training_examples_with_their_own_factors():
  known = labels.choose(PART, 0.25, seed=0)
  assert len(known) == 10 and {*known} <= {*PART}
  source = labels.with_labels(SOURCE, known)
  batch = source.images(source.arrays, INDICES)
  np.testing.assert_array_equal(batch.images[:, 0], INDICES)
  rows = np.asarray(batch.labelled[:, 0])
  assert {*rows.tolist()} == {*known.tolist()}
  np.testing.assert_array_equal(batch.factors, GRID[rows])


def test_more_labels_contain_fewer():
  chosen = [{*labels.choose(PART, f, 3)} for f in (1e-6, 0.1, 0.5, 1.0)]
  assert [len(some) for some in chosen] == [1, 4, 21, 42]
  assert all(a <= b for a, b in zip(chosen, chosen[1:]))


@pytest.mark.parametrize('num_changed', [1, 2, 3])
def test_partners_differ_in_as_many_factors_as_are_asked_for(num_changed):
  first = jnp.arange(NUM)
  seen = set()
  for seed in range(20):
    second = pairs.partners(jax.random.key(seed), first, SIZES, num_changed)
    differs = GRID[np.asarray(second)] != GRID
    assert (differs.sum(1) == num_changed).all() and not differs[:, 1].any()
    seen |= {*zip(range(NUM), np.asarray(second).tolist())}
  if num_changed == 1:  # every neighbour is drawn, most of them
    assert len(seen) > 0.8 * NUM * (3 + 2 + 4)


def test_batches_are_pairs_of_training_examples():
  source = pairs.with_pairs(SOURCE, PART, 1, seed=0)
  batch = np.asarray(source.images(source.arrays, INDICES))[:, 0]
  first, second = batch[::2], batch[1::2]
  np.testing.assert_array_equal(first, INDICES[::2])
  assert {*second.tolist()} <= {*PART.tolist()}
  changed = (GRID[first] != GRID[second]).sum(1)
  assert set(changed) <= {0, 1} and changed.mean() > 0.9
  again = np.asarray(source.images(source.arrays, INDICES))[:, 0]
  np.testing.assert_array_equal(batch, again)


def test_what_stays_on_the_host_is_refused():
  away = dataclasses.replace(SOURCE, arrays=None, storage='memmap')
  with pytest.raises(ValueError, match='numbers is memmap'):
    labels.with_labels(away, PART)
  with pytest.raises(ValueError, match='numbers is memmap'):
    pairs.with_pairs(away, PART, 1, 0)
