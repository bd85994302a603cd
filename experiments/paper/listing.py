"""What a study would do, as lines to paste into a shell."""

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.paper import choosing
from experiments.paper.launchers import Job
from experiments.paper.planning import Plan


def lines(plan: Plan, asked: argparse.Namespace, folder: Path) -> list[str]:
  """What would be done, in lines for a shell.

  Args:
    plan: the study.
    asked: the command line, see `study.parse`.
    folder: where the study draws.
  """
  jobs = {j.folder: j for j in [*plan.candidates(), *plan.finals()]}
  jobs |= {job.name: job for job in plan.scorings()}
  states = {job: _state(job) for job in jobs.values()}
  counts = ', '.join(
    f'{list(states.values()).count(state)} {state}'
    for state in ('finished', 'diverged', 'to resume', 'to do')
  )
  told = [f'# {asked.name}, {asked.scale}, {asked.data}: {counts}']
  told += [
    f'# left out: {plan.data} has no {part.hold_out} to hold out'
    for part in plan.left_out
  ]
  to_do = [j for j, state in states.items() if state in ('to resume', 'to do')]
  if asked.launcher == 'slurm':
    told += _sbatch(to_do, asked, folder)
  else:
    told += [f'{_shell(job)}  # {state}' for job, state in states.items()]
  for choice in plan.choices():
    field = choice.field.rpartition('.')[2]
    seeds = [
      f'seed {want.seed}{" without " * bool(hold)}{hold}'
      for want in plan.undecided()
      if want.model == choice.model
      for hold in [want.part.hold_out]
    ]
    if seeds:
      listed = ', '.join(seeds)
      told.append(f'# then {choice.model} at the best {field}: {listed}')
  return [*told, f'# then {folder / "index.html"}']


def _state(job: Job) -> str:
  if job.is_finished():
    return 'finished'
  if choosing.diverged(job.folder):
    return 'diverged'
  began = job.kind != 'score' and job.folder.exists()
  return 'to resume' if began else 'to do'


def _shell(job: Job) -> str:
  python = shutil.which('python')
  same = python is not None and os.path.abspath(python) == sys.executable
  return shlex.join(['python' if same else sys.executable, *job.command])


def _sbatch(
  jobs: Sequence[Job], asked: argparse.Namespace, folder: Path
) -> list[str]:
  """The array job of the jobs, as a script for sbatch."""
  if not jobs:
    return []
  limit = f'%{asked.jobs}' if asked.jobs else ''
  options = {
    '--job-name': f'study-{asked.name}',
    '--array': f'0-{len(jobs) - 1}{limit}',
    '--partition': asked.partition,
    '--time': f'{asked.hours}:00:00',
    '--gpus-per-node': asked.gpus,
  }
  given = [f'{k}={v}' for k, v in options.items() if v is not None]
  given += ['--requeue', '--signal=B:TERM@90']  # time enough to save
  return [
    f"sbatch {shlex.join(given)} <<'END'",
    '#!/bin/bash',
    'jobs=(',
    *(f'  {shlex.quote(_shell(job))}' for job in jobs),
    ')',
    'eval "exec ${jobs[$SLURM_ARRAY_TASK_ID]}"',
    'END',
  ]
