"""Batches are pure functions of key and step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.data import pipeline


def test_subsets_are_parts_of_parts():
  part = np.arange(100, 200)
  some = pipeline.subset(part, 10, seed=0)
  assert len(set(some)) == 10 and set(some) <= set(part)
  assert pipeline.subset(part, 0, seed=0) is part
  assert pipeline.subset(part, 1000, seed=0) is part


def test_a_batch_is_a_function_of_key_and_step():
  part = jnp.arange(50) * 3
  draw = jax.jit(lambda key, step: pipeline.batch_indices(key, step, part, 16))
  a, b = jax.random.key(0), jax.random.key(1)
  np.testing.assert_array_equal(draw(a, 7), draw(a, 7))
  assert not np.array_equal(draw(a, 7), draw(a, 8))
  assert not np.array_equal(draw(a, 7), draw(b, 7))
  assert set(np.asarray(draw(a, 7))) <= set(np.asarray(part))


def test_every_image_is_drawn_equally_often():
  part, steps = jnp.arange(20), jnp.arange(1000)
  draws = jax.vmap(
    lambda s: pipeline.batch_indices(jax.random.key(0), s, part, 20)
  )(steps)
  counts = np.bincount(np.asarray(draws).ravel(), minlength=20)
  assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


@pytest.mark.parametrize('num', [1, 4, 6, 13])
def test_batches_join_to_what_a_single_call_gives(num):
  inputs = np.arange(num * 2).reshape(num, 2)
  calls = []

  def function(rows):
    calls.append(rows.shape)
    return {'double': 2 * rows, 'sum': rows.sum(1)}

  joined = pipeline.map_batches(function, inputs, 4)
  np.testing.assert_array_equal(joined['double'], 2 * inputs)
  np.testing.assert_array_equal(joined['sum'], inputs.sum(1))
  assert set(calls) == {(4, 2)}
