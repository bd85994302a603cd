"""Runs in one program: each as if it were alone, to the bit."""

import json
import subprocess
import sys

import pytest

from structae.data import pipeline

# In one process, since XLA:CPU rounds otherwise where there are more devices.
PROGRAM = """
import functools, hashlib, json, sys
import jax
jax.config.update('jax_num_cpu_devices', 4)
import jax.numpy as jnp
import numpy as np
from structae import build, trainer
from structae import config as config_lib
from structae.data import pipeline, sources
from structae.training import side_by_side, step

RATES = 3e-3, 7e-4

def config(seed):
  config = config_lib.get_config('sae12', 'smoke')
  config.model.num_blocks, config.model.width = 4, 8
  config.model.num_variables, config.model.num_latents = 4, 4
  config.data.size, config.train.batch_size = 16, 8
  config.seed, config.train.order = seed, sys.argv[1]
  config.train.learning_rate = RATES[seed]
  return config

images = jnp.asarray(np.random.RandomState(0).randint(
    0, 256, (64, 16, 16, 3)), jnp.uint8)
source = sources.Source('test', (16, 16, 3), 64, (), (), images,
                        lambda arrays, i: arrays[i], None)
part, model = np.arange(64), build.model(config(0), 3)
mesh = side_by_side.make_mesh(2, jax.devices())
rows = [side_by_side.row(mesh, i) for i in (0, 1)]

def digest(state):
  leaves = [np.asarray(x).tobytes() for x in jax.tree.leaves(state)]
  return hashlib.sha256(b''.join(leaves)).hexdigest()

def prepared(i):
  return trainer.prepare(config(i), source, part, model, rows[i])

found = {}
state, updates, batches = prepared(1)
for now in range(5):
  state = updates[1](state, batches.data(now, 1))
found['alone'] = digest(state)
states = [prepared(i).state for i in (0, 1)]
before = [digest(state) for state in states]
like = jax.eval_shape(lambda: states[0])
state = side_by_side.stack(states, mesh)
found['parts'] = [
    before, [digest(x) for x in side_by_side.parts(state, like, mesh)]]
keys = [jax.random.split(jax.random.key(seed), 3)[1:] for seed in (0, 1)]
data = side_by_side.make_data(source, part, jnp.stack(keys), RATES, mesh)
update = side_by_side.make_step(
    like, build.loss(config(0), model, 64),
    functools.partial(build.optimizer, config(0)), source,
    8, mesh, draw=pipeline.DRAWS[sys.argv[1]])
for _ in range(5):
  state = update(state, data)
parts = side_by_side.parts(state, like, mesh)
found['together'] = [digest(x) for x in parts]
found['devices'] = [
    sorted(d.id for d in x.step.sharding.device_set) for x in parts]
print(json.dumps(found))
"""


@pytest.fixture(scope='module', params=pipeline.DRAWS)
def found(request):
  done = subprocess.run(
    [sys.executable, '-c', PROGRAM, request.param],
    capture_output=True,
    text=True,
  )
  assert done.returncode == 0, done.stderr
  return json.loads(done.stdout)


def test_each_run_has_the_bits_that_it_has_alone(found):
  assert found['together'][1] == found['alone'] != found['together'][0]


def test_states_are_stacked_and_parted_without_loss(found):
  before, after = found['parts']
  assert before == after


def test_each_run_keeps_to_its_devices(found):
  assert found['devices'] == [[0, 1], [2, 3]]
