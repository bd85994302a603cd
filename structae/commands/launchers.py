"""The flags that say where jobs run; shared by all who run jobs.

Imports no jax, so that a mistake is answered at once.
"""

import argparse
import contextlib
import difflib
import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import filelock

from structae.commands import gpus
from structae.commands.jobs import Job, Launcher, Local, Slurm, cores
from structae.commands.parser import Parser, at_least
from structae.config import ConfigError
from structae.run import Run

NAMES = ('local', 'slurm')
_OF_SLURM = ('partition', 'hours', 'gpus')
_HOURS = 24  # submitit's own limit is five minutes


def add(parser: Parser) -> None:
  """Adds the flags."""
  add, number = parser.add_argument, at_least(1)
  add('--launcher', default='local', help='local (default) or slurm')
  add('--jobs', type=number, metavar='N',
      help='how many at once; one a GPU or core, slurm: all')  # fmt: skip
  add('--dry_run', action='store_true', help='print the commands, run nothing')
  add = parser.add_argument_group('with --launcher=slurm').add_argument
  add('--partition', help='the partition')
  add('--hours', type=number, metavar='N',
      help=f'the time limit of a job; {_HOURS}')  # fmt: skip
  add('--gpus', type=at_least(0), metavar='N',
      help='GPUs of a job; default 1')  # fmt: skip


def check(asked: argparse.Namespace) -> None:
  """Refuses flags that do not go together.

  Raises:
    ConfigError: one line.
  """
  one_of('launcher', asked.launcher, NAMES)
  for name in _OF_SLURM:
    if getattr(asked, name) is not None and asked.launcher != 'slurm':
      raise ConfigError(f'--{name} is for --launcher=slurm')


def one_of(kind: str, value: str, allowed: Iterable[str]) -> None:
  """Refuses a name that is none of those allowed.

  Raises:
    ConfigError: one line that names them, and the nearest.
  """
  names = list(allowed)
  if value not in names:
    close = difflib.get_close_matches(value, names, 1)
    hint = f'did you mean {close[0]}? ' if close else ''
    raise ConfigError(
      f'{value!r} is no {kind}; {hint}there are {", ".join(names)}'
    )


def choose(asked: argparse.Namespace, folder: Path, num_jobs: int) -> Launcher:
  """Where the jobs run.

  Args:
    asked: the flags of `add`.
    folder: where submitit keeps its files.
    num_jobs: how many there are: a job that would have a core to itself has
      several where there are fewer jobs than cores.

  Raises:
    ConfigError: if there is no SLURM, or what it takes is not installed.
  """
  if asked.launcher == 'local':
    found = gpus.find()
    at_once = len(found.ids) or len(cores())
    return Local(asked.jobs or min(at_once, max(num_jobs, 1)), found)
  parameters: dict[str, Any] = {'timeout_min': 60 * (asked.hours or _HOURS)}
  if asked.partition:
    parameters['slurm_partition'] = asked.partition
  num_gpus = 1 if asked.gpus is None else asked.gpus
  if num_gpus:
    parameters['gpus_per_node'] = num_gpus
  try:
    return Slurm(asked.jobs, folder / 'logs' / 'submitit', parameters)
  except RuntimeError as error:
    raise ConfigError(f'--launcher=slurm: {error}') from error


def state(job: Job) -> str:
  """How far a job is, in a word or two."""
  if job.is_finished():
    return 'finished'
  if Run(job.folder).has_diverged:
    return 'diverged'
  began = job.kind != 'score' and job.folder.exists()
  return 'to resume' if began else 'to do'


def shell(job: Job) -> str:
  """The command of a job, to paste into a shell."""
  python = shutil.which('python')
  same = python is not None and os.path.abspath(python) == sys.executable
  return shlex.join(['python' if same else sys.executable, *job.command])


@contextlib.contextmanager
def locked(folder: Path, kind: str) -> Iterator[None]:
  """Makes the folder of several jobs and keeps others from working in it.

  Args:
    folder: the folder.
    kind: what works in it, for the message.

  Raises:
    ConfigError: if it is in use, or cannot be written.
  """
  try:
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / '.lock', timeout=0):
      yield
  except filelock.Timeout as error:
    raise ConfigError(f'{folder} is in use by a live {kind}') from error
  except OSError as error:
    raise ConfigError(
      f'{folder} cannot be written: {error.strerror}'
    ) from error
