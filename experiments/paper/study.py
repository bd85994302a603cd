"""Trains what a figure of the paper needs, and draws it.

  python -m experiments.paper.study NAME [--scale=quick] [--seeds=5] [--jobs=N]
      [--config.FIELD=VALUE ...]

Runs that are finished are used as they are, whoever started them; those that
were stopped go on. So the same command goes on with a study, too. Where a
learning rate is chosen, the runs that choose it come first. A field is changed
for every run of the study, such as --config.train.num_steps=20000; values that
are tried at a smaller scale are tried there briefly, and without it. What was
found stands in the study's folder, every number of it in record.json.
"""

import argparse
import math
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from experiments.paper import studies
from experiments.paper.planning import Plan
from structae import streams
from structae.commands import config_flags, launchers, launching
from structae.commands import parser as arguments
from structae.commands.jobs import Job, Launcher
from structae.config import ConfigError
from structae.config.scales import SCALES
from structae.data import catalog
from structae.run import Run
from structae.training import stop


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  return arguments.run(lambda: _main(parse(argv)))


def _main(asked: argparse.Namespace) -> None:
  study = studies.STUDIES[asked.name]
  plan = Plan(
    study,
    asked.scale,
    asked.data,
    asked.seeds,
    asked.runs,
    config_flags.fields(asked),
    asked.level,
  )
  title = '-'.join([asked.name, asked.data, asked.scale, *plan.changed])
  folder = asked.output / title
  try:
    if asked.dry_run:
      print('\n'.join([f'# {title}', *listed(plan)]))
      print(f'# then {folder / "index.html"}')
      return
    launcher = launchers.choose(asked, folder, _num_to_do(plan))
    with launchers.locked(folder, 'study'):
      shows = ' '.join([study.shows, *(f'{x}.' for x in plan.changed)])
      run(plan, asked.name, shows, launcher, folder)
  except stop.Interrupted:
    print('stopped; the same command goes on from there')
  except (ConfigError, BrokenPipeError):
    raise
  except (OSError, ValueError) as error:  # a run's folder that is broken
    raise arguments.Failed(str(error)) from error


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
  """Reads the command line.

  Args:
    argv: the arguments; those of the process if None.

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
  add('--scale', default='quick', help='smoke, quick (default), hour or paper')
  add('--seeds', type=number, default=5, metavar='N',
      help='seeds 0 to N-1; default 5')  # fmt: skip
  add('--data', help="a data set; the study's own by default")
  add('--runs', default='runs', type=Path, help='where the runs are; runs')
  add('--output', default='studies', type=Path, help='for figures; studies')
  add('--level', type=float, metavar='NATS',
      help='of a study at matched reconstruction: the validation loss; that of '
      'the worst model')  # fmt: skip
  launchers.add(parser)
  config_flags.add_fields(parser)
  asked, unknown = parser.parse_known_args(argv)
  config_flags.check_known(unknown)
  launchers.one_of('study', asked.name, studies.STUDIES)
  launchers.one_of('scale', asked.scale, SCALES)
  launchers.check(asked)
  if asked.level is not None and not math.isfinite(asked.level):
    raise ConfigError(f'--level is {asked.level}; expected nats per image')
  if asked.level is not None and not studies.STUDIES[asked.name].is_matched:
    raise ConfigError(f'--level is for a study that matches; {asked.name} none')
  asked.data = asked.data or studies.STUDIES[asked.name].data
  named = [d.name for d in catalog.CATALOG.values() if not d.needs_path]
  launchers.one_of('data set', asked.data, named)
  return asked


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
  with stop.Stop() as stopping:
    from experiments.paper import pages  # imports matplotlib and jax
  stopping.check('stopped before drawing')
  failures += pages.write(plan, name, shows, folder)
  print(f'study: {folder / "index.html"}')
  if failures:
    for line in ('failed:', *failures):
      streams.note(line)
    raise arguments.Failed(
      f'not everything could be made; {len(failures)} failed'
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
  tried = {job.folder: job for job in plan.candidates()}
  jobs = tried | {job.folder: job for job in plan.finals()}
  done = sum(job.is_finished() for job in jobs.values())
  progress = launching.Progress(done, len(jobs) + len(plan.undecided()))
  failed: dict[Path, launching.Failure] = {}
  after = (plan.scorings, plan.matchings)
  for stage in (plan.candidates, plan.finals, *after):
    to_do = [
      job
      for job in stage()
      if launchers.state(job) not in ('finished', 'diverged')
      and job.folder not in failed
    ]
    if stage in after:
      progress.total += len(to_do)
    later = len(plan.undecided()) if stage == plan.candidates else 0
    for failure in launching.run(to_do, launcher, logs, progress, later):
      failed[failure.job.folder] = failure
      failure.mark()
  return [
    *(str(x) for x in failed.values() if not _diverged(x.job)),
    *(
      f'{job.name}: diverged; remove {job.folder} to try again'
      for job in plan.finals()
      if _diverged(job) and job.folder not in tried
    ),
    *plan.hopeless(),
  ]


def _diverged(job: Job) -> bool:
  return Run(job.folder).has_diverged


def listed(plan: Plan) -> list[str]:
  """What a study would do: commands to paste into a shell, with their state."""
  jobs = {j.folder: j for j in [*plan.candidates(), *plan.finals()]}
  after = [*plan.scorings(), *plan.matchings()]
  states = {j: launchers.state(j) for j in [*jobs.values(), *after]}
  counts = ', '.join(
    f'{list(states.values()).count(state)} {state}'
    for state in ('finished', 'diverged', 'to resume', 'to do')
  )
  lines = [f'# {counts}']
  lines += [
    f'# left out: {plan.data} has no {part.hold_out} to hold out'
    for part in plan.left_out
  ]
  lines += [
    f'{launchers.shell(job)}  # {state}' for job, state in states.items()
  ]
  for choice in plan.choices():
    field = choice.field.rpartition('.')[2]
    seeds = [
      f'seed {want.seed}{" without " * bool(hold)}{hold}'
      for want in plan.undecided()
      if want.model == choice.model
      for hold in [want.part.hold_out]
    ]
    if seeds:
      which = ', '.join(seeds)
      lines.append(f'# then {choice.model} at the best {field}: {which}')
  return lines


def _num_to_do(plan: Plan) -> int:
  """The most jobs that can run at once: those of the largest stage."""
  stages = (
    plan.candidates(), plan.finals(), plan.scorings(), plan.matchings()
  )  # fmt: skip
  known = (sum(not job.is_finished() for job in jobs) for jobs in stages)
  return max(*known, len(plan.undecided()))


if __name__ == '__main__':
  sys.exit(main())
