"""Programs are kept for the next process, and never keep one from running."""

import warnings

import jax
import jax.numpy as jnp
import pytest
from jax.experimental.compilation_cache import compilation_cache as of_jax

from structae import compilation_cache

SETTINGS = (
  'jax_compilation_cache_dir',
  'jax_compilation_cache_max_size',
  'jax_persistent_cache_min_compile_time_secs',
)


@pytest.fixture
def cache(tmp_path, monkeypatch):
  """The user's cache folder; what this process has set is set back."""
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
  monkeypatch.setattr(compilation_cache, 'SECONDS', 0)
  before = {name: jax.config.values[name] for name in SETTINGS}
  jax.config.update('jax_compilation_cache_dir', None)
  of_jax.reset_cache()
  with warnings.catch_warnings():
    warnings.simplefilter('error')
    yield tmp_path / 'cache'
  for name, value in before.items():
    jax.config.update(name, value)
  of_jax.reset_cache()


def compiled():
  """Compiles as a new process would, and runs."""
  jax.clear_caches()
  return int(jax.jit(lambda x: 2 * x + 1)(jnp.arange(3))[2])


def programs(folder):
  return sorted(folder.rglob('*-cache'))


def test_a_program_is_kept_and_taken(cache):
  compilation_cache.enable()
  assert compiled() == 5
  (folder,) = (cache / 'structae' / 'programs').iterdir()
  assert folder.stat().st_mode & 0o777 == 0o700
  kept = programs(cache)
  used = lambda: [path.read_bytes() for path in sorted(folder.glob('*-atime'))]
  assert kept
  before = used()
  assert compiled() == 5
  assert programs(cache) == kept and used() != before


def test_a_damaged_program_is_compiled_anew(cache):
  compilation_cache.enable()
  compiled()
  for damage in (lambda b: b[: len(b) // 2], lambda b: b'', lambda b: b[::-1]):
    for path in programs(cache):
      path.write_bytes(damage(path.read_bytes()))
    assert compiled() == 5


def test_a_disk_that_takes_no_more_is_no_reason_to_fail(cache):
  resource = pytest.importorskip('resource')
  compilation_cache.enable()
  before = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (16, before[1]))
  try:
    result = compiled()
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
  assert result == 5 and all(p.stat().st_size <= 16 for p in programs(cache))
  assert compiled() == 5  # what was cut off is not taken


def test_a_folder_that_cannot_be_is_done_without(cache):
  cache.write_text('a file')
  compilation_cache.enable()
  assert jax.config.values['jax_compilation_cache_dir'] is None
  assert compiled() == 5


def test_a_folder_that_was_chosen_stays(cache, tmp_path):
  jax.config.update('jax_compilation_cache_dir', str(tmp_path / 'own'))
  compilation_cache.enable()
  compiled()
  assert not cache.exists() and programs(tmp_path / 'own') == []
  assert jax.config.values['jax_compilation_cache_dir'] == str(tmp_path / 'own')
