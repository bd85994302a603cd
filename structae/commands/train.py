"""Trains a model, saves its codes, scores and draws it.

  structae train CONFIG [--workdir=DIR] [--config.FIELD=VALUE ...]

CONFIG is a model and tokens, such as sae12:quick or vae:mpi3d_toy,quick; a
Python file of your own, mine.py:quick; or the folder of a run, which is made
again. A token is a data set (shapes3d_synth, ...); a scale: smoke (seconds),
quick (minutes on two CPU cores), paper (the default); a size (64px, 128px),
which brings the paper's settings for it; or a preset: released (the widths of
the authors' code, and its KL or MMD, which are not the correct ones) or
rfd_released (its settings for RFD). The same command resumes a run that was
stopped, and prints the scores of a finished one again.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from structae.commands import config_flags
from structae.commands.config_flags import Command
from structae.commands.parser import Failed, Parser, run
from structae.run import CannotSave, Run, check_start
from structae.training import stop


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
  arguments = sys.argv[1:] if argv is None else argv

  def start() -> None:
    command, flags = config_flags.read(parser, arguments)
    train(command, keep_programs=not flags.no_compilation_cache)

  return run(start)


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
  config = asked.config
  place = Run.choose(asked.workdir, asked.name, config)
  place.check(config)
  check_start(config)
  if place.folder.exists():
    with place.locked():
      if place.is_complete(config):
        print(f'finished before: {place.folder}')
        print(place.table())
        return True

  print(f'{asked.given} in {place.folder}', flush=True)  # within half a second
  # It takes seconds to import jax, in which a signal would be lost or crash.
  with stop.Stop() as stopping:
    from structae import compilation_cache, trainer
    from structae.training import step
  if stopping.requested:
    raise KeyboardInterrupt
  if keep_programs:
    compilation_cache.enable()

  hint = f'Minutes, for a first look: {asked.with_token("quick")}'
  try:
    trainer.make(
      place, asked.name, config, hint if config.scale == 'paper' else ''
    )
  except stop.Interrupted as stopped:
    print(f'{stopped}; the same command goes on from there')
    return False
  except step.NotFinite as error:
    raise Failed(
      f'{error} (train.learning_rate); the last good state is kept'
    ) from error
  except CannotSave as error:
    raise Failed(str(error)) from error
  print(f'report: {place.folder / "report.html"}')
  return True
