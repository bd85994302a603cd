"""The update: plain Adam, whatever the devices and however it is called."""

import json
import subprocess
import sys
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from structae import devices
from structae.training import checkpoint, loop, step, stop, writers

TARGET = jnp.array([1.0, -2.0, 3.0])


def quadratic(params, images, key):
  del key
  value = jnp.square(params - TARGET).sum() + 0 * images.sum()
  return value, {'reconstruction': value}


def batch(data, now):
  return data * (1.0 + now)


def start(optimizer, loss=quadratic):
  images = jax.ShapeDtypeStruct((8, 4, 4, 1), jnp.float32)
  return step.init_state(
    jnp.zeros(3), optimizer, loss, images, devices.data_mesh()
  )


def make(optimizer, num=1, loss=quadratic):
  return step.make_step(
    loss, optimizer, batch, jax.random.key(0), devices.data_mesh(), num
  )


DATA = jnp.ones((8, 4, 4, 1))


def test_an_update_is_adam_s():
  update = make(optax.adam(0.1))
  state = start(optax.adam(0.1))
  for _ in range(3):
    state = update(state, DATA)
  # Kingma and Ba, algorithm 1, in double precision.
  params, m, v = np.zeros(3), np.zeros(3), np.zeros(3)
  for t in range(1, 4):
    g = 2 * (params - np.asarray(TARGET, np.float64))
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    params = params - 0.1 * m_hat / (np.sqrt(v_hat) + 1e-8)
  np.testing.assert_allclose(state.params, params, rtol=1e-5)
  assert state.step == 3


def test_many_steps_per_call_are_the_same_steps():
  one, many = make(optax.adam(0.1)), make(optax.adam(0.1), 5)
  a = b = None
  a, b = start(optax.adam(0.1)), start(optax.adam(0.1))
  for _ in range(5):
    a = one(a, DATA)
  b = many(b, DATA)
  for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b)):
    np.testing.assert_allclose(x, y, rtol=1e-6)


def test_totals_sum_the_terms_and_count_the_steps():
  state = make(optax.sgd(0.0), 4)(start(optax.sgd(0.0)), DATA)
  expected = 4 * float(jnp.square(TARGET).sum())
  np.testing.assert_allclose(state.totals['loss'], expected)
  assert state.totals['num_steps'] == 4
  state, means = step.take_means(state)
  np.testing.assert_allclose(means['loss'], expected / 4, rtol=1e-6)
  assert not any(state.totals[k] for k in ('loss', 'num_steps'))


def test_an_update_is_compiled_once_whatever_was_done_to_the_state():
  update = make(optax.adam(0.1))
  state = start(optax.adam(0.1))
  for _ in range(3):
    state, _ = step.take_means(update(state, DATA))
  assert update._cache_size() == 1


def breaks(params, images, key):
  """A loss that is no number at step 2."""
  value = jnp.where(images[0, 0, 0, 0] == 3.0, jnp.nan, 1.0) + 0 * params.sum()
  return value, {'reconstruction': value}


def test_the_first_bad_step_is_remembered():
  state = start(optax.sgd(0.0), breaks)
  update = make(optax.sgd(0.0), loss=breaks)
  for _ in range(4):
    state = update(state, DATA)
  with pytest.raises(step.NotFinite, match='reconstruction.* at step 2;'):
    step.take_means(state)


def test_a_state_that_is_not_finite_is_not_saved(tmp_path):
  """Not even when the run is asked to stop between two rows."""
  update = make(optax.sgd(0.0), loss=breaks)
  stopping = stop.Stop()

  def stop_at_4(state, data):
    stopping.requested = state.step >= 3
    return update(state, data)

  show = mock.Mock()
  with pytest.raises(step.NotFinite):
    loop.train(
      start(optax.sgd(0.0), breaks),
      {1: stop_at_4},
      mock.Mock(**{'data.return_value': DATA}),
      checkpoints=checkpoint.Checkpoints(tmp_path / 'checkpoints'),
      open_metrics=lambda now: writers.Metrics(tmp_path, now, 1),
      settings=mock.Mock(num_steps=9, log_every=9, save_minutes=60),
      validate=lambda params: {},
      show=show,
      stopping=stopping,
    )
  assert not list((tmp_path / 'checkpoints').glob('*[0-9]*'))


EIGHT_DEVICES = """
import sys, json, jax
num = int(sys.argv[1])
jax.config.update('jax_num_cpu_devices', num)
jax.config.update('jax_disable_most_optimizations', True)  # compiles faster
import jax.numpy as jnp
from structae import build, devices, trainer
from structae import config as config_lib
from structae.data import pipeline, sources
from structae.training import step
import numpy as np
config = config_lib.get_config('sae12', 'smoke')
config.model.num_blocks, config.model.width = 4, 16
config.model.num_variables, config.model.num_latents = 4, 4
config.data.size, config.train.batch_size = 16, 16
config.train.num_steps = 10
model = build.model(config, 3)
mesh = devices.data_mesh()
assert mesh.size == num
images = jnp.asarray(np.random.RandomState(0).randint(
    0, 256, (64, 16, 16, 3)), jnp.uint8)
source = sources.Source('test', (16, 16, 3), 64, (), (), images,
                        lambda arrays, i: arrays[i], None)
state, update, batches = trainer.prepare(
    config, source, np.arange(64), model, mesh)
data = batches.data(0, 1)
key = jax.random.split(jax.random.key(0), 3)[1]
losses = []
for _ in range(10):
  before = float(state.totals['loss'])
  state = update[1](state, data)
  losses.append(float(state.totals['loss']) - before)
drawn = [pipeline.batch_indices(key, n, data[1], 16).tolist() for n in (0, 9)]
start = state.params['decoder']['start']
print(json.dumps([losses, drawn, len(start.sharding.device_set)]))
"""


def test_eight_devices_see_the_same_batches_and_losses():
  outputs = []
  for num in ('1', '8'):
    run = subprocess.run(
      [sys.executable, '-c', EIGHT_DEVICES, num],
      capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    outputs.append(json.loads(run.stdout))
  (one, drawn_one, _), (eight, drawn_eight, num_devices) = outputs
  assert num_devices == 8
  assert drawn_one == drawn_eight
  np.testing.assert_allclose(eight[0], one[0], rtol=1e-6)
  np.testing.assert_allclose(eight, one, rtol=1e-4)
