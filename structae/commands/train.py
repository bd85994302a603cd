"""Trains a model, saves its codes, scores and draws it.

  structae train CONFIG [--workdir=DIR] [--config.FIELD=VALUE ...]

CONFIG is a model and tokens, such as sae12:quick or vae:mpi3d_toy,quick; a
Python file of your own, mine.py:quick; or the folder of a run, which is made
again. A token is a data set (shapes3d_synth, ...); a scale: smoke (seconds),
quick and hour (minutes, or an hour, of two CPU cores), paper (the default); a
size (64px, 128px), which brings the paper's settings for it; or a preset:
released (the widths of the authors' code, and its KL or MMD, which are not the
correct ones) or rfd_released (its settings for RFD). The same command resumes a
run that was stopped, and prints the scores of a finished one again.

Several processes train together: where SLURM, Open MPI or a TPU pod start them,
with --processes=N on this machine, or each with --coordinator=HOST:PORT
--num_processes=N --process_id=I; see docs/distributed.md.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structae
from structae import config as config_lib
from structae import streams
from structae.commands import config_flags, joining
from structae.commands.config_flags import Command
from structae.commands.parser import Failed, Parser, run
from structae.config.identity import MOVABLE
from structae.run import CannotSave, Run, check_start
from structae.training import hooks, stop


class Diverged(Failed):
  """The loss is no longer a number."""


def main(
  argv: Sequence[str] | None = None, name: str = 'structae train'
) -> int:
  """Runs the command; returns its exit code."""
  parser = Parser(name, __doc__)
  parser.add_argument(
    '--workdir', type=Path, metavar='DIR', help='the folder of the run'
  )
  parser.add_argument(
    '--no-compilation-cache',
    action='store_true',
    help="compile all anew; else programs are kept in the user's cache folder",
  )
  config_flags.add(parser)
  joining.add(parser)
  arguments = sys.argv[1:] if argv is None else argv
  return run(lambda: _main(parser, arguments))


def _main(parser: Parser, arguments: Sequence[str]) -> None:
  flags, unknown = parser.parse_known_args(arguments)
  place = joining.place(flags, os.environ)
  read = lambda: config_flags.command(flags, unknown)
  if flags.processes:
    from structae.commands import spawning

    _of_one_run(read())  # a mistake is answered once, and at once
    sys.exit(spawning.run(flags.processes, arguments, os.environ))
  if place:
    from structae.commands import together

    sys.exit(together.run(place, lambda: _train_together(read)))
  train(read(), keep_programs=not flags.no_compilation_cache)


def train(asked: Command, keep_programs: bool = False) -> bool:
  """Makes a run, goes on with it, or prints the scores of a finished one.

  Args:
    asked: the checked configuration and where the run belongs.
    keep_programs: whether compiled programs are kept for the next process.

  Returns:
    Whether the run is finished; if not, it was asked to stop.

  Raises:
    ConfigError: if the run cannot be made as asked.
    Failed: if the loss is no longer a number, or the folder takes no more.
  """
  left = [one for one in _seeds(asked) if not _is_finished(one)]
  if not left:
    return True
  first = f'{asked.given} in {_place(asked).folder}'
  print(streams.fitted(first), flush=True)  # at once
  # It takes seconds to import jax, in which a signal would be lost or crash.
  with stop.Stop() as stopping:
    from structae import compilation_cache, trainer  # noqa: F401
  if stopping.requested:
    raise KeyboardInterrupt
  if keep_programs:
    compilation_cache.enable()
  return _make(left, asked.config.train.num_runs)


def _train_together(read: Callable[[], Command]) -> None:
  """As `train`, in each of several processes that have joined."""
  from structae import processes

  asked = processes.agree(lambda: _of_one_run(read()))
  processes.same(_facts(asked))
  if processes.lead(lambda: _is_finished(asked)):
    return
  try:
    _make([asked], num_runs=1)
  except Diverged as error:  # which all of them see
    raise processes.Told(str(error), 1) from error


def _of_one_run(asked: Command) -> Command:
  num = asked.config.train.num_runs
  if num > 1:
    raise config_lib.ConfigError(
      f'train.num_runs is {num}, which takes a single process; leave it '
      'out, or start one process'
    )
  return asked


def _facts(asked: Command) -> dict[str, Any]:
  """What must be alike in all processes."""
  import jax

  fields = config_lib.flat(asked.config)
  alike = {k: v for k, v in fields.items() if k not in MOVABLE}
  versions = {'structae': structae.__version__, 'jax': jax.__version__}
  return versions | alike


def _is_finished(asked: Command) -> bool:
  """Refuses what cannot be made; prints the scores of a finished run."""
  place = _place(asked)
  place.check(asked.config)
  check_start(asked.config)
  hooks.load(asked.config.train.hook)  # a mistake is answered before jax loads
  if place.folder.exists():
    with place.locked():
      if place.is_complete(asked.config):
        print(streams.fitted(f'finished before: {place.folder}'))
        print(place.table())
        return True
  return False


def _place(asked: Command) -> Run:
  return Run.choose(asked.workdir, asked.name, asked.config)


def _seeds(asked: Command) -> list[Command]:
  """What was asked for, or one like it for each of `train.num_runs` seeds."""
  train, first = asked.config.train, asked.config.seed
  if train.num_runs == 1:
    return [asked]
  alone = []
  for seed in train.seeds or range(first, first + train.num_runs):
    config = asked.config.copy_and_resolve_references()
    one = {'seed': seed, 'train.num_runs': 1, 'train.seeds': ()}
    config_lib.update(config, one)
    folder = asked.workdir and asked.workdir / f'seed-{seed}'
    alone.append(asked._replace(config=config, workdir=folder))
  return alone


def _make(left: Sequence[Command], num_runs: int) -> bool:
  from structae import seeds, trainer
  from structae.training import step

  asked = left[0]
  config, place = asked.config, _place(asked)
  quick = asked.at_scale('quick') if config.scale == 'paper' else ''
  hint = f'Minutes, for a first look: structae train {quick}' * bool(quick)
  try:
    if num_runs > 1:
      runs, configs = [_place(x) for x in left], [x.config for x in left]
      seeds.make(runs, asked.name, configs, num_runs)
      return True
    trainer.make(place, asked.name, config, hint)
  except stop.Interrupted as stopped:
    print(streams.fitted(f'{stopped}; the same command goes on from there'))
    return False
  except step.NotFinite as error:
    raise Diverged(
      f'{error} (train.learning_rate); the last good state is kept'
    ) from error
  except CannotSave as error:
    raise Failed(str(error)) from error
  print(streams.fitted(f'report: {place.folder / "report.html"}'))
  return True
