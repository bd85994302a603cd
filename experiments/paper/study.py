"""Trains what a figure of the paper needs, and draws it.

  python -m experiments.paper.study NAME [--scale=quick] [--seeds=5] [--jobs=N]

Runs that are finished are used as they are, whoever started them; those that
were stopped go on. So the same command goes on with a study, too. Where a
learning rate is chosen, the runs that choose it come first.
"""

import argparse
import contextlib
import difflib
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import filelock

from experiments.paper import choosing, launching, listing, studies
from experiments.paper.launchers import Job, Launcher, Local, Slurm
from experiments.paper.planning import Plan
from structae import files
from structae.commands import config_flags as command
from structae.commands import parser as arguments
from structae.config import ConfigError
from structae.config import scales as common
from structae.data import catalog
from structae.training import stop

LAUNCHERS = ('local', 'slurm')
_SLURM = ('partition', 'hours', 'gpus')
_HOURS = 24  # submitit's own limit is five minutes


def main(argv: Sequence[str]) -> None:
  """Runs the command line."""
  asked = parse(argv[1:])
  study = studies.STUDIES[asked.name]
  plan = Plan(study, asked.scale, asked.data, asked.seeds, asked.runs)
  folder = asked.output / f'{asked.name}-{asked.data}-{asked.scale}'
  try:
    if asked.dry_run:
      print('\n'.join(listing.lines(plan, asked, folder)))
      return
    where = launcher(asked, folder)
    with _locked(folder):
      run(plan, asked.name, study.shows, where, folder)
  except stop.Interrupted:
    print('stopped; the same command goes on from there')
  except (ConfigError, BrokenPipeError):
    raise
  except (OSError, ValueError) as error:  # a run's folder that is broken
    raise arguments.Failed(str(error)) from error


def run(
  plan: Plan, name: str, shows: str, launcher: Launcher, folder: Path
) -> None:
  """Trains, then draws what there is.

  Args:
    plan: the study.
    name: its name.
    shows: what it shows, in a sentence.
    launcher: where its jobs run.
    folder: where it draws.

  Raises:
    Failed: if a job or a figure failed, when all else is done.
    stop.Interrupted: after a signal, when the jobs have ended.
  """
  failures = train(plan, launcher, folder / 'logs')
  print('drawing', flush=True)
  from experiments.paper import study_pages  # imports matplotlib and jax

  failures += study_pages.write(plan, name, shows, folder)
  print(f'study: {folder / "index.html"}')
  if failures:
    print('\n'.join(['failed:', *failures]), file=sys.stderr)
    raise arguments.Failed(
      f'not everything could be made; {len(failures)} failed'
    )


def parse(argv: Sequence[str]) -> argparse.Namespace:
  """Reads the command line.

  Args:
    argv: the arguments, without the program's name.

  Returns:
    What was asked for, checked.

  Raises:
    ConfigError: one line that names the mistake and what is allowed.
    SystemExit: after a flag that cannot be read, or `--help`.
  """
  listed = '\n'.join(
    textwrap.fill(
      study.shows,
      width=78,
      initial_indent=f'  {name:16}',
      subsequent_indent=' ' * 18,
    )
    for name, study in studies.STUDIES.items()
  )
  parser = arguments.Parser(
    'python -m experiments.paper.study',
    __doc__,
    epilog=f'studies (figures of https://arxiv.org/abs/2006.07796):\n{listed}',
  )
  add, number = parser.add_argument, arguments.at_least(1)
  add('name', metavar='NAME', help='a study, listed below')
  add('--scale', default='quick', help='smoke, quick (default) or paper')
  add('--seeds', type=number, default=5, metavar='N',
      help='seeds 0 to N-1; default 5')  # fmt: skip
  add('--data', help="a data set; the study's own by default")
  add('--launcher', default='local', help='local (default) or slurm')
  add('--jobs', type=number, metavar='N',
      help='how many at once; default 1, slurm: all')  # fmt: skip
  add('--dry_run', action='store_true', help='print the commands, run nothing')
  add('--runs', default='runs', type=Path, help='where the runs are; runs')
  add('--output', default='studies', type=Path, help='for figures; studies')
  slurm = parser.add_argument_group('with --launcher=slurm')
  add = slurm.add_argument
  add('--partition', help='the partition')
  add('--hours', type=number, metavar='N',
      help=f'the time limit of a job; {_HOURS}')  # fmt: skip
  add('--gpus', type=number, metavar='N', help='GPUs of a job')
  asked = parser.parse_args(argv)
  _one_of('study', asked.name, studies.STUDIES)
  _one_of('scale', asked.scale, common.SCALES)
  _one_of('launcher', asked.launcher, LAUNCHERS)
  asked.data = asked.data or studies.STUDIES[asked.name].data
  named = [d.name for d in catalog.CATALOG.values() if not d.needs_path]
  _one_of('data set', asked.data, named)
  for name in _SLURM:
    if getattr(asked, name) is not None and asked.launcher != 'slurm':
      raise ConfigError(f'--{name} is for --launcher=slurm')
  asked.hours = asked.hours or _HOURS
  return asked


def _one_of(kind: str, value: str, allowed: Iterable[str]) -> None:
  names = list(allowed)
  if value not in names:
    close = difflib.get_close_matches(value, names, 1)
    hint = f'did you mean {close[0]}? ' if close else ''
    raise ConfigError(
      f'{value!r} is no {kind}; {hint}there are {", ".join(names)}'
    )


def train(plan: Plan, launcher: Launcher, logs: Path) -> list[str]:
  """Runs the stages of a plan, skipping what is finished.

  Args:
    plan: the plan.
    launcher: where its jobs run.
    logs: the folder of their logs.

  Returns:
    A line for each job that failed. A value that is tried may diverge: it is
    then not chosen, and the study has not failed.

  Raises:
    stop.Interrupted: after a signal, when the jobs have ended.
  """
  tried = plan.candidates()
  jobs = [*{job.folder: job for job in [*tried, *plan.finals()]}.values()]
  undecided = len(plan.undecided())
  done = sum(job.is_finished() for job in jobs)
  progress = launching.Progress(done, len(jobs) + undecided)
  failed: dict[Path, launching.Failure] = {}
  for stage in (plan.candidates, plan.finals, plan.scorings):
    jobs = [
      job
      for job in stage()
      if not (
        job.is_finished()
        or choosing.diverged(job.folder)
        or job.folder in failed
      )
    ]
    if stage == plan.scorings:
      progress.total += len(jobs)
    later = len(plan.undecided()) if stage == plan.candidates else 0
    for failure in launching.run(jobs, launcher, logs, progress, later):
      failed[failure.job.folder] = failure
      if 'is not finite at step' in failure.reason:
        path = failure.job.folder / choosing.DIVERGED
        files.write_text(path, failure.reason + '\n')
  return _failures(plan, tried, failed)


def _failures(
  plan: Plan, tried: Sequence[Job], failed: dict[Path, launching.Failure]
) -> list[str]:
  folders = {job.folder for job in tried}
  lines = [
    f'{job.name}: {failure.reason} (log: {failure.log})'
    for job, failure in ((f.job, f) for f in failed.values())
    if not choosing.diverged(job.folder)
  ]
  lines += [
    f'{job.name}: diverged; remove {job.folder} to try again'
    for job in plan.finals()
    if choosing.diverged(job.folder) and job.folder not in folders
  ]
  return lines + plan.hopeless()


def launcher(asked: argparse.Namespace, folder: Path) -> Launcher:
  """Where the jobs run.

  Args:
    asked: the command line, see `parse`.
    folder: where the study draws.

  Raises:
    ConfigError: if there is no SLURM, or what it takes is not installed.
  """
  if asked.launcher == 'local':
    return Local(asked.jobs or 1)
  parameters: dict[str, Any] = {'timeout_min': 60 * asked.hours}
  if asked.partition:
    parameters['slurm_partition'] = asked.partition
  if asked.gpus:
    parameters['gpus_per_node'] = asked.gpus
  try:
    return Slurm(asked.jobs, folder / 'logs' / 'submitit', parameters)
  except ImportError as error:
    raise ConfigError(
      "--launcher=slurm needs submitit: pip install -e '.[study]'; or paste "
      'what --dry_run prints'
    ) from error
  except RuntimeError as error:
    raise ConfigError(f'--launcher=slurm: {error}') from error


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
  try:
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / '.lock', timeout=0):
      yield
  except filelock.Timeout as error:
    raise ConfigError(f'{folder} is in use by a live study') from error
  except OSError as error:
    raise ConfigError(
      f'{folder} cannot be written: {error.strerror}'
    ) from error


if __name__ == '__main__':
  command.run(main)
