"""Trains every combination of the values of fields, and compares them.

  structae sweep CONFIG --config.FIELD=A,B,C ... [--jobs=N]
  structae sweep sae12:quick --config.seed=0,1,2 \\
      --config.train.learning_rate=5e-4,1e-3

CONFIG is as for `structae train`, and each run is the one that `structae train`
makes, in the same folder: those that are finished are used as they are, whoever
started them, and those that were stopped go on. So the same command goes on
with a sweep, too. Values stand between commas; of a field that takes several at
once each stands in brackets: --config.model.head=(256,128),(64,). At the end a
table is printed, and comparison.html written; runs that differ in their seed
alone are one row.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from structae import files, markdown, streams
from structae.commands import config_flags, grid, launchers, launching
from structae.commands.jobs import Job, Launcher
from structae.commands.parser import Failed, Parser, run
from structae.run import read_run
from structae.training import stop


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  arguments = sys.argv[1:] if argv is None else argv
  return run(lambda: _main(arguments))


def _main(arguments: Sequence[str]) -> None:
  parser = Parser('structae sweep', __doc__)
  config_flags.add(parser)
  parser.add_argument(
    '--runs', type=Path, default=Path('runs'), metavar='DIR',
    help='where the runs are [runs]',
  )  # fmt: skip
  parser.add_argument(
    '--output', type=Path, metavar='DIR',
    help='for table.md, comparison.html and logs [sweeps/CONFIG-FIELDS]',
  )  # fmt: skip
  launchers.add(parser)
  asked, unknown = parser.parse_known_args(arguments)
  launchers.check(asked)
  jobs = grid.jobs(asked, unknown, asked.runs)
  folder = asked.output or Path('sweeps') / grid.name(asked)
  if asked.dry_run:
    print('\n'.join(_listed(jobs)))
    return
  try:
    _sweep(jobs, asked, folder)
  except stop.Interrupted:
    print('stopped; the same command goes on from there')


def _listed(jobs: Sequence[Job]) -> list[str]:
  """The commands of a sweep, to paste into a shell, with their state."""
  return [f'{launchers.shell(job)}  # {launchers.state(job)}' for job in jobs]


def _sweep(
  jobs: Sequence[Job], asked: argparse.Namespace, folder: Path
) -> None:
  num = sum(not job.is_finished() for job in jobs)
  launcher = launchers.choose(asked, folder, num)
  with launchers.locked(folder, 'sweep'):
    failures = train(jobs, launcher, folder / 'logs')
    finished = [job.folder for job in jobs if job.is_finished()]
    if finished:
      _compare(finished, folder)
  if failures:
    for line in ('failed:', *failures):
      streams.note(line)
    raise Failed(f'not everything could be trained; {len(failures)} failed')


def train(jobs: Sequence[Job], launcher: Launcher, logs: Path) -> list[str]:
  """Runs the jobs that are neither finished nor known to diverge.

  Args:
    jobs: those of the grid.
    launcher: where they run.
    logs: the folder of their logs.

  Returns:
    A line for each that failed or diverged.

  Raises:
    stop.Interrupted: after a signal, when the jobs have ended.
  """
  states = {job: launchers.state(job) for job in jobs}
  diverged = [job for job in jobs if states[job] == 'diverged']
  lines = [f'{x.name}: diverged; remove {x.folder} to try again'
           for x in diverged]  # fmt: skip
  to_do = [job for job in jobs if states[job] in ('to do', 'to resume')]
  progress = launching.Progress(len(jobs) - len(to_do), len(jobs))
  for failure in launching.run(to_do, launcher, logs, progress):
    failure.mark()
    lines.append(str(failure))
  return lines


def _compare(folders: Sequence[Path], output: Path) -> None:
  """Prints and writes what runs have given, side by side."""
  with stop.Stop() as stopping:
    from structae import pages  # imports matplotlib
  stopping.check('stopped before comparing')
  rows = pages.summary([read_run(folder) for folder in folders])
  head, *cells = [[markdown.text(cell) for cell in row] for row in rows]
  files.write_text(output / 'table.md', markdown.table(head, cells))
  print(pages.aligned(rows))
  page = pages.write_comparison(folders, output / 'comparison.html')
  print(f'comparison: {page}')
