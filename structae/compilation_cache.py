"""Compiled programs, kept for the next process.

jax keeps them in a folder and takes its own failures for a program that is not
there: a damaged one is compiled again, one that cannot be written is left out.
"""

import hashlib
import os
import platform
import warnings
from pathlib import Path

import jax
import platformdirs

from structae import files

BYTES = 2**30  # beyond which those that were used longest ago go
SECONDS = 0.5  # to compile; less is not worth a file
_SYSTEM = Path('/proc/cpuinfo')


def enable() -> None:
  """Keeps programs in the user's cache folder from now on.

  A folder that was chosen already, as by JAX_COMPILATION_CACHE_DIR, stays;
  JAX_ENABLE_COMPILATION_CACHE=0 keeps nothing. Where the folder takes no files,
  nothing is kept.
  """
  if jax.config.jax_compilation_cache_dir is not None:  # type: ignore[attr-defined]
    return
  folder = _folder()
  try:
    # Programs are run as they are read: nobody else may write here.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_own = not hasattr(os, 'getuid') or folder.stat().st_uid == os.getuid()
  except OSError:
    return
  if not is_own or files.refusal(folder):
    return
  jax.config.update('jax_compilation_cache_dir', str(folder))
  jax.config.update('jax_compilation_cache_max_size', BYTES)
  jax.config.update('jax_persistent_cache_min_compile_time_secs', SECONDS)
  warnings.filterwarnings('ignore', '.*persistent compilation cache')


def _folder() -> Path:
  """One for each kind of processor: a home folder may serve many machines."""
  kind = hashlib.sha256(_processor().encode()).hexdigest()[:8]
  return platformdirs.user_cache_path('structae') / 'programs' / kind


def _processor() -> str:
  """What tells processors apart whose programs may differ."""
  try:
    lines = _SYSTEM.read_text('utf-8', 'replace').splitlines()
  except OSError:
    return platform.platform()
  told = ('model name', 'flags', 'Features', 'CPU part')
  return '\n'.join(sorted({x for x in lines if x.startswith(told)}))
