"""No two purposes of a run draw from one key."""

import itertools

import jax
import numpy as np

from structae import keys


def test_keys_differ_from_each_other_and_from_what_is_folded_into_them():
  found = keys.of_seed(3)
  derived = [
    *found,
    *(jax.random.fold_in(key, i) for key in found for i in range(8)),
  ]
  data = [tuple(np.asarray(jax.random.key_data(key))) for key in derived]
  assert all(a != b for a, b in itertools.combinations(data, 2))


def test_a_new_purpose_leaves_the_others_as_they_are():
  """Training of a seed is the same whatever else draws from it."""
  three = jax.random.split(jax.random.key(3), 3)
  for one, other in zip(keys.of_seed(3)[:3], three):
    np.testing.assert_array_equal(
      jax.random.key_data(one), jax.random.key_data(other)
    )
