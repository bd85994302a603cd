"""Settings for all tests: they run on the CPU."""

import atexit
import os
import shutil
import tempfile

# Before jax is imported, here or in a process that a test starts.
os.environ.setdefault('JAX_PLATFORMS', 'cpu')
if 'PYTEST_XDIST_WORKER' not in os.environ:
  # One for all processes, which the user's stays apart from.
  programs = tempfile.mkdtemp(prefix='structae-programs-')
  atexit.register(shutil.rmtree, programs, ignore_errors=True)
  os.environ['JAX_COMPILATION_CACHE_DIR'] = programs
  os.environ['JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS'] = '0.3'

import pytest

from structae.commands import all_cores

all_cores.use()  # as commands do, whichever test is the first


@pytest.fixture(scope='module')
def barely_optimized():
  """For what is compiled to run once or twice: compiling takes all the time."""
  import jax

  from structae.data import shapes3d_synth

  shapes3d_synth.tables(32)  # ten times as slow as when optimized; kept
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
