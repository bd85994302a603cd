"""The folder of a run: whose it is, who works in it, whether it is done."""

import contextlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock

import structae
from structae import config as config_lib
from structae import files
from structae.config import ConfigError
from structae.evaluation import score_file

PACKAGES = ('jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint',
            'numpy')  # fmt: skip


def choose(given: Path | None, name: str, config: Any) -> Path:
  """The folder that was asked for, or `runs/NAME-DATA-SCALE-hash8`."""
  return given or Path('runs') / '-'.join(
    [name, config.data.name, config.scale, config_lib.config_hash(config)]
  )


def check(workdir: Path, config: Any) -> None:
  """Refuses a folder that cannot be written or holds another run.

  Raises:
    ConfigError: one line.
  """
  parent = next(p for p in (workdir, *workdir.absolute().parents) if p.exists())
  if not parent.is_dir():
    raise ConfigError(f'{parent} is a file; give a folder as --workdir')
  if not os.access(parent, os.W_OK | os.X_OK):
    raise ConfigError(f'{parent} cannot be written to; give another --workdir')
  path = workdir / 'config.json'
  if not path.exists():
    return
  try:
    old = json.loads(path.read_text())['config']
    different = config_lib.differences(old, config)
  except (ValueError, KeyError, TypeError, AttributeError) as error:
    raise ConfigError(f'{path} is damaged; give another --workdir') from error
  if different:
    raise ConfigError(
      f'{workdir} holds a run with another configuration: '
      f'{"; ".join(different)}. Give another --workdir'
    )


@contextlib.contextmanager
def locked(workdir: Path) -> Iterator[None]:
  """Makes the folder and keeps others from running in it.

  Raises:
    ConfigError: if a live run is in it.
  """
  try:
    workdir.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(workdir / '.lock', timeout=0)
    with lock:
      yield
  except filelock.Timeout as error:
    raise ConfigError(
      f'{workdir} is in use by a live run; wait for it or give another '
      '--workdir'
    ) from error
  except PermissionError as error:
    raise ConfigError(f'{workdir} cannot be written to: {error}') from error


def write_config(workdir: Path, name: str, config: Any, digest: str) -> None:
  """Writes `config.json`: the resolved configuration, with versions.

  Args:
    workdir: the folder of the run.
    name: the name of the model.
    config: a checked configuration.
    digest: tells the content of the data set.

  Raises:
    ConfigError: if the run in the folder began on other data.
  """
  path = workdir / 'config.json'
  if path.exists():
    before = json.loads(path.read_text()).get('data_digest', digest)
    if before != digest:
      raise ConfigError(
        f'{workdir} holds a run on {config.data.name} with digest '
        f'{before[:16]}, now {digest[:16]}; give another --workdir'
      )
  content = {
    'name': name,
    'data_digest': digest,
    'config': config.to_dict(),
    'config_hash': config_lib.config_hash(config),
    'versions': versions(),
  }
  text = json.dumps(content, indent=1, sort_keys=True)
  files.write_text(path, text + '\n')


def versions() -> dict[str, str]:
  """Versions of Python and of the packages that shape results."""
  found = {name: importlib.metadata.version(name) for name in PACKAGES}
  return {
    'structae': structae.__version__,
    'python': platform.python_version(),
    **found,
  }


def is_complete(workdir: Path, config: Any) -> bool:
  """Whether the run has finished all the steps that are asked for."""
  path = workdir / 'COMPLETE'
  return path.exists() and path.read_text() == _completion(config)


def complete(workdir: Path, config: Any) -> None:
  """Marks the run as finished."""
  files.write_text(workdir / 'COMPLETE', _completion(config))


def _completion(config: Any) -> str:
  return f'{config.train.num_steps} steps\n'


def table(folder: Path) -> str:
  """The score table of a finished run, for a terminal."""
  return score_file.table(json.loads((folder / 'scores.json').read_text()))
