"""Runs jobs until all have ended, and tells how far they are."""

import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from experiments.paper.launchers import Job, Launcher, Running
from structae.training import stop

POLL_SECONDS = 0.2


class Failure(NamedTuple):
  """A job that ended without being finished.

  Attributes:
    job: the job.
    reason: what it said of the error, or the last line that it wrote.
    log: its log.
  """

  job: Job
  reason: str
  log: Path


class Progress:
  """A line as each job starts and ends, with the time that is left."""

  def __init__(self, done: int, total: int, say: Callable[[str], None] = print):
    """Starts to count.

    Args:
      done: jobs that are finished before any starts.
      total: all jobs, these among them.
      say: prints a line.
    """
    self.done, self.total, self.say = done, total, say
    self._seconds: dict[str, list[float]] = {}

  def started(self, job: Job, log: Path) -> None:
    """Tells that a job has started."""
    self._tell('started', f'{job.name}, log: {log}')

  def ended(self, job: Job, seconds: float, failure: Failure | None) -> None:
    """Notes that a job has ended, and tells if it failed."""
    if failure is None:
      self.done += 1
      self._seconds.setdefault(job.kind, []).append(seconds)
    else:
      self._tell('FAILED', f'{job.name}: {failure.reason} (log: {failure.log})')

  def finished(
    self, job: Job, seconds: float, left: dict[str, float], at_once: int
  ) -> None:
    """Tells that a job is finished, and when the others will be.

    Args:
      job: the job.
      seconds: how long it took.
      left: jobs to do by kind, those under way counted in part.
      at_once: how many run at a time.
    """
    text = f'{job.name} in {_clock(seconds)}'
    known = {k: n for k, n in left.items() if k in self._seconds}
    work = sum(n * self.mean(k) for k, n in known.items())
    if work:
      text += f'; about {_clock(work / at_once)} to go'
    self._tell('finished', text)

  def mean(self, kind: str) -> float:
    """Mean seconds of the jobs of a kind, or 0 while there are none."""
    known = self._seconds.get(kind, [])
    return sum(known) / len(known) if known else 0.0

  def _tell(self, event: str, text: str) -> None:
    width = len(str(self.total))
    self.say(f'[{self.done:{width}}/{self.total}] {event:8} {text}')
    sys.stdout.flush()


def run(
  jobs: Sequence[Job],
  launcher: Launcher,
  logs: Path,
  progress: Progress,
  later: int = 0,
) -> list[Failure]:
  """Runs jobs; those that fail do not keep the others from running.

  SIGTERM and Ctrl-C are passed on, so that the jobs save and end; the wait for
  them is part of this.

  Args:
    jobs: what to run, in this order.
    launcher: where.
    logs: the folder of their logs, `NAME.log`.
    progress: is told of each.
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
    told = False
    try:
      while running or (waiting and not stopping.requested):
        if not stopping.requested:
          _fill(waiting, running, launcher, logs, progress)
        elif not told:
          told = True
          progress.say(f'stopping: {len(running)} jobs save and end')
          _stop(running)
        time.sleep(POLL_SECONDS)
        for handle in [h for h in running if h.poll() is not None]:
          start = running.pop(handle)
          if stopping.requested and not start.job.is_finished():
            continue
          failure = _failure(start, handle)
          seconds = time.monotonic() - start.clock
          progress.ended(start.job, seconds, failure)
          if failure is not None:
            failures.append(failure)
            continue
          left = _left(waiting, running, later, progress)
          to_do = len(waiting) + len(running) + later
          at_once = max(min(launcher.at_once, to_do), 1)
          progress.finished(start.job, seconds, left, at_once)
    finally:
      _stop(running)  # a second signal has ended the loop
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
  room = len(waiting)
  if launcher.slots is not None:
    room = min(room, launcher.slots - len(running))
  if not room:
    return
  batch = [waiting.pop(0) for _ in range(room)]
  paths = [logs / f'{job.name}.log' for job in batch]
  offsets = [p.stat().st_size if p.exists() else 0 for p in paths]
  for handle, job, log, offset in zip(
    launcher.start(batch, paths), batch, paths, offsets
  ):
    running[handle] = _Start(job, log, offset, time.monotonic())
    progress.started(job, log)


def _stop(running: dict[Running, _Start]) -> None:
  for handle in running:
    handle.stop()


def _failure(start: _Start, handle: Running) -> Failure | None:
  code = handle.poll()
  if not code and start.job.is_finished():
    return None
  reason = _complaint(start.log, start.offset)
  if not code:
    reason = reason or 'ended without being finished'
  return Failure(start.job, reason or f'exit code {code}', start.log)


def _complaint(log: Path, offset: int) -> str:
  """The last line of an error in a log, or else the last line."""
  if not log.exists():
    return ''
  with open(log, 'rb') as file:
    file.seek(offset)
    lines = file.read().decode('utf-8', 'replace').strip().splitlines()
  errors = [line for line in lines if line.startswith('error: ')]
  return (errors or lines or [''])[-1].removeprefix('error: ').strip()


def _left(
  waiting: Sequence[Job],
  running: dict[Running, _Start],
  later: int,
  progress: Progress,
) -> dict[str, float]:
  """Jobs still to do by kind; of those under way, the part that is left."""
  left: dict[str, float] = {'train': float(later)}
  for job in waiting:
    left[job.kind] = left.get(job.kind, 0) + 1
  for start in running.values():
    mean = progress.mean(start.job.kind)
    part = (time.monotonic() - start.clock) / mean if mean else 0
    left[start.job.kind] = left.get(start.job.kind, 0) + max(1 - part, 0)
  return left


def _clock(seconds: float) -> str:
  return str(timedelta(seconds=round(seconds)))
