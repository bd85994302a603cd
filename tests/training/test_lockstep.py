"""Several runs step by step: one that fails stops alone."""

from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from structae import devices
from structae.training import checkpoint, lockstep, side_by_side, step
from structae.training import stop as stop_lib

MESH = side_by_side.make_mesh(1, jax.devices()[:1])


def state():
  images = jax.ShapeDtypeStruct((8, 4, 4, 1), jnp.float32)
  return step.init_state(
    jnp.ones(3), optax.sgd(0.0), lambda p, x, k: (p.sum(), {'term': p.sum()}),
    images, devices.data_mesh(),
  )  # fmt: skip


def member(folder, fails=False):
  metrics = mock.Mock(seal={})
  made = checkpoint.Checkpoints(folder)
  return lockstep.Member(str(folder), made, metrics, lambda p: {'extra': 1.0})


def settings(**changes):
  usual = dict(num_steps=4, log_every=2, validate_every=4, save_minutes=0.0)
  return mock.Mock(**(usual | changes))


def count(state, data):
  """An update that only counts; `data` says when the loss is no number."""
  totals = dict(state.totals)
  totals['num_steps'] = totals['num_steps'] + 1
  if int(state.step[0]) == data:
    totals['first_bad'] = jnp.full_like(totals['first_bad'], data)
    totals['loss'] = totals['loss'] * jnp.nan
  return state._replace(step=state.step + 1, totals=totals)


def train(one, bad_step, **changes):
  stopping = stop_lib.Stop()
  stopping.requested = changes.pop('requested', False)
  return lockstep.train(
    [state()], {1: count}, bad_step, MESH, [one], settings(**changes),
    mock.Mock(), stopping,
  )  # fmt: skip


def test_rows_and_checkpoints_are_those_of_a_run(tmp_path):
  one = member(tmp_path / 'checkpoints')
  (end,) = train(one, bad_step=None)
  assert int(end.step) == 4 and not one.failure
  rows = [
    (c.args[0], 'extra' in c.args[1]) for c in one.metrics.write.mock_calls
  ]
  assert rows == [(2, False), (4, True)]
  assert one.checkpoints.steps() == [4, 2]
  (back,) = lockstep.restore([one.checkpoints], [state()])
  np.testing.assert_array_equal(back.step, 4)


def test_a_run_that_is_not_finite_saves_no_more(tmp_path):
  one = member(tmp_path / 'checkpoints')
  train(one, bad_step=2)
  assert 'not finite at step 2' in one.failure
  assert one.checkpoints.steps() == [2]


def test_a_signal_saves_all(tmp_path):
  one = member(tmp_path / 'checkpoints')
  with pytest.raises(stop_lib.Interrupted, match='step 1 of 4, saved'):
    train(one, bad_step=None, requested=True, save_minutes=60)
  assert one.checkpoints.steps() == [1]


def test_runs_go_on_from_the_newest_step_that_all_have(tmp_path):
  each = [checkpoint.Checkpoints(tmp_path / name) for name in 'ab']
  at = lambda n: state()._replace(step=jnp.full((), n, jnp.int32))
  for made, steps in zip(each, [(2, 4), (4, 6)]):
    for n in steps:
      made.save(n, at(n))
    made.wait()
  found = lockstep.restore(each, [state(), state()])
  assert [int(x.step) for x in found] == [4, 4]
  new = checkpoint.Checkpoints(tmp_path / 'c')
  found = lockstep.restore([each[0], new], [state(), state()])
  assert [int(x.step) for x in found] == [0, 0]
