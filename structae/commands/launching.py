"""Runs jobs until all have ended, and prints how far they are."""

import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from structae.commands.jobs import Job, Launcher, Running
from structae.run import Run
from structae.training import stop

POLL_SECONDS = 0.2


class Failure(NamedTuple):
  """A job that ended without being finished.

  Attributes:
    job: the job.
    reason: the error that it printed, or the last line of its log.
    log: its log.
  """

  job: Job
  reason: str
  log: Path

  def mark(self) -> None:
    """Notes in the folder of a run that it has diverged, if it has."""
    if 'is not finite at step' in self.reason:
      Run(self.job.folder).mark_diverged(self.reason)

  def __str__(self) -> str:
    """One line."""
    return f'{self.job.name}: {self.reason} (log: {self.log})'


class Progress:
  """A line as each job starts and ends, with the time that is left."""

  def __init__(self, done: int, total: int, log: Callable[[str], None] = print):
    """Starts to count.

    Args:
      done: jobs that are finished before any starts.
      total: all jobs, these among them.
      log: prints a line.
    """
    self.done, self.total, self.log = done, total, log
    self._seconds: dict[str, list[float]] = {}

  def write(self, event: str, text: str) -> None:
    """Prints a line."""
    width = len(str(self.total))
    self.log(f'[{self.done:{width}}/{self.total}] {event:8} {text}')
    sys.stdout.flush()

  def finished(
    self,
    job: Job,
    seconds: float,
    left: Sequence[tuple[str, float]],
    at_once: int,
  ) -> None:
    """Counts a job, and prints when the others will be finished.

    Args:
      job: the job.
      seconds: how long it took.
      left: of each job to do its kind, and for how long it has been under way.
      at_once: how many run at a time.
    """
    self.done += 1
    self._seconds.setdefault(job.kind, []).append(seconds)
    means = {kind: sum(x) / len(x) for kind, x in self._seconds.items()}
    work = sum(max(means[k] - spent, 0) for k, spent in left if k in means)
    text = f'{job.name} in {_clock(seconds)}'
    if work:
      text += f'; about {_clock(work / min(at_once, len(left)))} to go'
    self.write('finished', text)


def run(
  jobs: Sequence[Job],
  launcher: Launcher,
  logs: Path,
  progress: Progress,
  later: int = 0,
) -> list[Failure]:
  """Runs jobs; those that fail do not keep the others from running.

  SIGTERM and Ctrl-C are passed on, so that the jobs save and end; this waits
  for them.

  Args:
    jobs: what to run, in this order.
    launcher: where.
    logs: the folder of their logs, `NAME.log`.
    progress: prints how far they are.
    later: trainings that will follow these, for the time that is left.

  Returns:
    The jobs that failed.

  Raises:
    stop.Interrupted: after a signal, when all have ended.
  """
  waiting = list(jobs)
  running: dict[Running, _Start] = {}
  failures: list[Failure] = []
  with stop.Stop() as stopping:
    try:
      while (waiting or running) and not stopping.requested:
        _fill(waiting, running, launcher, logs, progress)
        time.sleep(POLL_SECONDS)
        for handle in [h for h in running if h.poll() is not None]:
          start = running.pop(handle)
          failure = _failure(start, handle)
          if failure is None:
            left = [('train', 0.0)] * later + _left(waiting, running)
            seconds = time.monotonic() - start.clock
            progress.finished(start.job, seconds, left, launcher.at_once)
          elif not stopping.requested:
            failures.append(failure)
            progress.write('FAILED', str(failure))
      if running:
        progress.log(f'stopping: {len(running)} jobs save and end')
        _terminate(running)
        while any(handle.poll() is None for handle in running):
          time.sleep(POLL_SECONDS)
    finally:
      _terminate(running)  # a second signal has ended the wait
    stopping.check('stopped')
  return failures


class _Start(NamedTuple):
  job: Job
  log: Path
  offset: int  # of the log, where what it writes begins
  clock: float


def _fill(
  waiting: list[Job],
  running: dict[Running, _Start],
  launcher: Launcher,
  logs: Path,
  progress: Progress,
) -> None:
  """Starts as many of the waiting jobs as there is room for."""
  batch = waiting[: launcher.room - len(running)]
  if not batch:
    return
  del waiting[: len(batch)]
  paths = [logs / f'{job.name}.log' for job in batch]
  offsets = [p.stat().st_size if p.exists() else 0 for p in paths]
  handles = launcher.start(batch, paths)
  for handle, job, log, offset in zip(handles, batch, paths, offsets):
    running[handle] = _Start(job, log, offset, time.monotonic())
    progress.write('started', f'{job.name}, log: {log}')


def _left(
  waiting: Sequence[Job], running: dict[Running, _Start]
) -> list[tuple[str, float]]:
  """Of each job to do its kind, and for how long it has been under way."""
  now = time.monotonic()
  under_way = [(x.job.kind, now - x.clock) for x in running.values()]
  return [(job.kind, 0.0) for job in waiting] + under_way


def _terminate(running: dict[Running, _Start]) -> None:
  for handle in running:
    handle.terminate()


def _failure(start: _Start, handle: Running) -> Failure | None:
  code = handle.poll()
  if not code and start.job.is_finished():
    return None
  ended = f'exit code {code}' if code else 'ended without being finished'
  reason = _last_error(start.log, start.offset)
  return Failure(start.job, reason or ended, start.log)


def _last_error(log: Path, offset: int) -> str:
  """The last line of an error in a log, or else the last line."""
  if not log.exists():
    return ''
  with open(log, 'rb') as file:
    file.seek(offset)
    lines = file.read().decode('utf-8', 'replace').strip().splitlines()
  errors = [line for line in lines if line.startswith('error: ')]
  return (errors or lines or [''])[-1].removeprefix('error: ').strip()


def _clock(seconds: float) -> str:
  return str(timedelta(seconds=round(seconds)))
