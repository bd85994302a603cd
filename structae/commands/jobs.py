"""Jobs, and where they run: processes of this machine, or an array of SLURM.

A command that is repeated goes on where it was stopped, so a job is no more
than a command and a way to tell whether it is finished.
"""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from structae import extras
from structae.commands.gpus import NONE, Gpus


@dataclasses.dataclass(frozen=True)
class Job:
  """A command of this Python that may be repeated.

  Attributes:
    name: tells it from others, and names its log.
    command: what follows `python`.
    folder: where it leaves its results.
    is_finished: whether there is nothing left to do.
    kind: jobs of a kind take about as long as each other.
  """

  name: str
  command: tuple[str, ...]
  folder: Path
  is_finished: Callable[[], bool]
  kind: str = 'train'


class Running(Protocol):
  """A job under way; `subprocess.Popen` is one."""

  def poll(self) -> int | None:
    """The exit code, or None while it runs."""

  def terminate(self) -> None:
    """Asks it to save and end."""


class Launcher(Protocol):
  """Starts jobs.

  Attributes:
    room: how many are handed over at a time.
    at_once: how many of them run at a time.
  """

  room: int
  at_once: int

  def start(self, jobs: Sequence[Job], logs: Sequence[Path]) -> list[Running]:
    """Starts jobs, whose output goes to the logs."""


def cores() -> list[int]:
  """The cores that this process may use."""
  if hasattr(os, 'sched_getaffinity'):
    return sorted(os.sched_getaffinity(0))
  return list(range(os.cpu_count() or 1))


def shares(cores: Sequence[int], num: int) -> list[set[int]]:
  """Cuts cores into `num` shares of equal size, give or take one.

  Where there are more shares than cores, cores are shared in turn.
  """
  if num >= len(cores):
    return [{cores[i % len(cores)]} for i in range(num)]
  bounds = [i * len(cores) // num for i in range(num + 1)]
  return [set(cores[a:b]) for a, b in zip(bounds, bounds[1:])]


class Local:
  """Processes of this machine, each with its own GPU and share of the cores.

  Training that is kept to one of two cores runs at more than half the speed of
  both, since its threads no longer wait for each other.
  """

  def __init__(self, at_once: int, gpus: Gpus = NONE):
    self.room = self.at_once = at_once
    self._gpus = gpus
    self._slots: list[subprocess.Popen | None] = [None] * at_once
    self._shares: list[set[int]] = []
    if at_once > 1 and hasattr(os, 'sched_setaffinity'):
      self._shares = shares(cores(), at_once)

  def start(self, jobs: Sequence[Job], logs: Sequence[Path]) -> list[Running]:
    """Starts jobs, no more than there is room for."""
    return [self._start(job, log) for job, log in zip(jobs, logs)]

  def _start(self, job: Job, log: Path) -> Running:
    ended = [p is None or p.poll() is not None for p in self._slots]
    slot = ended.index(True)
    # A terminal's Ctrl-C would reach it a second time, which aborts.
    own = os.environ | self._gpus.of_job(slot, self.at_once)
    process = _spawn(job.command, log, start_new_session=True, env=own)
    if self._shares:
      try:
        os.sched_setaffinity(process.pid, self._shares[slot])
      except ProcessLookupError:
        pass  # it has ended already
    self._slots[slot] = process
    return process


def _spawn(command: Sequence[str], log: Path, **how: Any) -> subprocess.Popen:
  log.parent.mkdir(parents=True, exist_ok=True)
  with open(log, 'ab') as output:
    return subprocess.Popen(
      [sys.executable, *command],
      stdin=subprocess.DEVNULL,
      stdout=output,
      stderr=subprocess.STDOUT,
      **how,
    )


class Slurm:
  """Array jobs through submitit, which is an optional dependency.

  submitit keeps its job objects as pickles in a folder of its own and reads
  them in the job; nothing of them is read here. Whether a job is finished is
  known from its results.
  """

  def __init__(
    self,
    at_once: int | None,
    folder: Path,
    parameters: dict[str, Any],
    cluster: str = 'slurm',
  ):
    """Prepares to submit.

    Args:
      at_once: how many jobs may run at a time; None for all.
      folder: where submitit keeps its files.
      parameters: as `submitit.AutoExecutor` takes them.
      cluster: a cluster that submitit knows; `local` serves tests.
    """
    submitit = extras.require('submitit', 'study', '--launcher=slurm')
    self.room, self.at_once = sys.maxsize, at_once or sys.maxsize
    self._executor = submitit.AutoExecutor(str(folder), cluster=cluster)
    if cluster == 'slurm' and at_once:
      parameters = parameters | {'slurm_array_parallelism': at_once}
    self._executor.update_parameters(**parameters)

  def start(self, jobs: Sequence[Job], logs: Sequence[Path]) -> list[Running]:
    """Submits jobs as one array."""
    commands = [Repeated(job.command, log) for job, log in zip(jobs, logs)]
    submitted = self._executor.map_array(Repeated.__call__, commands)
    return [_Submitted(s, job) for s, job in zip(submitted, jobs)]


class _Submitted:
  """A job of SLURM."""

  def __init__(self, submitted: Any, job: Job):
    self._submitted, self._job = submitted, job

  def poll(self) -> int | None:
    if not self._submitted.done():
      return None
    return 0 if self._job.is_finished() else 1

  def terminate(self) -> None:
    self._submitted.cancel(check=False)


class Repeated:
  """A command that a job which was put back into the queue repeats."""

  def __init__(self, command: Sequence[str], log: Path):
    self._command, self._log = tuple(command), log
    self._process: subprocess.Popen | None = None

  def __call__(self) -> int:
    """Runs the command, which ends before this does; returns its exit code."""
    self._process = _spawn(self._command, self._log.absolute())
    try:
      return self._process.wait()
    finally:
      self._end()

  def checkpoint(self) -> Any:
    """Called by submitit before a job is put back; lets the command save."""
    from submitit.helpers import DelayedSubmission

    self._end()
    return DelayedSubmission(Repeated(self._command, self._log))

  def _end(self) -> None:
    if self._process is not None and self._process.poll() is None:
      self._process.terminate()
      self._process.wait()
