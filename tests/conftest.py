"""Settings for all tests: they run on the CPU."""

import os

# Before jax is imported, here or in a process that a test starts.
os.environ.setdefault('JAX_PLATFORMS', 'cpu')
os.environ['JAX_ENABLE_COMPILATION_CACHE'] = '0'  # of the user's, stays as is

import pytest


@pytest.fixture(scope='module')
def barely_optimized():
  """For what is compiled to run once or twice: compiling takes all the time."""
  import jax

  name = 'jax_disable_most_optimizations'
  before = jax.config.read(name)
  jax.config.update(name, True)
  yield
  jax.config.update(name, before)


@pytest.fixture
def make_run(tmp_path):
  """`make_run(name, seed=..., ...)` writes a run and returns its folder."""
  from tests import finished_run

  return lambda name='run', **what: finished_run.make(tmp_path / name, **what)
