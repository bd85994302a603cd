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
from structae.pretrained.configs import read as read_config

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


def check_start(config: Any) -> None:
  """Refuses a run to start from that is unfinished or of another model.

  Raises:
    ConfigError: one line.
  """
  if not config.train.init_from:
    if config.train.trainable != 'all':
      raise ConfigError(
        f'train.trainable is {config.train.trainable}, so the other half must '
        'come from somewhere: --config.train.init_from=RUN'
      )
    return
  folder = Path(config.train.init_from)
  if not (folder / 'COMPLETE').is_file():
    raise ConfigError(
      f'train.init_from is {folder}, which holds no finished run; train it '
      'first'
    )
  start = read_config(folder)[1]['config']
  lines = [
    line
    for line in config_lib.differences(start, config)
    if line.startswith(('model.', 'data.name', 'data.size', 'objective.name'))
  ]
  if lines:
    raise ConfigError(
      f'train.init_from is {folder}, a run with another model: '
      f'{"; ".join(lines)}'
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


def write_config(
  workdir: Path, name: str, config: Any, digests: dict[str, str]
) -> None:
  """Writes `config.json`: the resolved configuration, with versions.

  Args:
    workdir: the folder of the run.
    name: the name of its config file.
    config: a checked configuration.
    digests: what it is trained on, see `build.digests`.

  Raises:
    ConfigError: if the run in the folder began on other data.
  """
  check_digests(workdir, digests)
  content = {
    'name': name,
    'config': config.to_dict(),
    'config_hash': config_lib.config_hash(config),
    'digests': digests,
    'versions': versions(),
  }
  text = json.dumps(content, indent=1, sort_keys=True)
  files.write_text(workdir / 'config.json', text + '\n')


def check_digests(workdir: Path, digests: dict[str, str]) -> None:
  """Refuses data other than those the run in the folder began with.

  Args:
    workdir: the folder of the run.
    digests: what `build.digests` says now.

  Raises:
    ConfigError: one line that names what differs.
  """
  path = workdir / 'config.json'
  if not path.exists():
    return
  old = json.loads(path.read_text()).get('digests', digests)
  meanings = {
    'data': 'the images or their factors (data.path)',
    'train': 'the numbers of the training images (data.split)',
  }
  different = [
    f'{meanings[name]}: sha256 was {old.get(name)!s:.12}, now {new:.12}'
    for name, new in digests.items()
    if old.get(name) != new
  ]
  if different:
    raise ConfigError(
      f'{workdir} holds a run on other data: {"; ".join(different)}. Give '
      'the former data, or another --workdir'
    )


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


def read_scores(folder: Path) -> dict[str, Any]:
  """What the `scores.json` of a finished run holds.

  Raises:
    ConfigError: if there is none, or it is damaged.
  """
  path = folder / 'scores.json'
  try:
    content = json.loads(path.read_text('utf-8'))
    dict(content['scores'])
    return content
  except FileNotFoundError:
    what = 'is missing'
  except (ValueError, KeyError, TypeError):
    what = 'is damaged'
  raise ConfigError(
    f'{path} {what}; remove {path.with_name("COMPLETE")}, and the command of '
    'the run scores it again'
  )


def table(folder: Path) -> str:
  """The score table of a finished run, for a terminal."""
  return score_file.table(read_scores(folder))
