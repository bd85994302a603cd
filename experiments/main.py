"""Trains a model, saves its codes, scores and draws it.

  python -m experiments.main --config=experiments/sae12.py[:TOKEN,...]
      [--workdir=DIR] [--config.FIELD=VALUE ...]

A token is a data set (shapes3d_synth, ...); a scale: smoke (seconds), quick
(minutes on two CPU cores), paper (the default); a size (64px, 128px), which
brings the paper's settings for it; or a preset: released, rfd_released (the
widths of the authors' code, for 3D-Shapes and RFD). The same command resumes a
run that was stopped, and prints the scores of a finished one again.
"""

from collections.abc import Sequence

from structae import workdir
from structae.commands import config_flags as command
from structae.training import stop


def main(argv: Sequence[str]) -> None:
  """Runs the command line."""
  run(command.parse(argv, __doc__))


def run(asked: command.Command) -> bool:
  """Makes a run, goes on with it, or shows one that is finished.

  Args:
    asked: the checked configuration and where the run belongs.

  Returns:
    Whether the run is finished; if not, it was asked to stop.

  Raises:
    ConfigError: if the run cannot be made as asked.
    Failed: if the loss is no longer a number.
  """
  config = asked.config
  folder = workdir.choose(asked.workdir, asked.name, config)
  workdir.check(folder, config)
  workdir.check_start(config)
  if folder.exists():
    with workdir.locked(folder):
      if workdir.is_complete(folder, config):
        print(f'finished before: {folder}')
        print(workdir.table(folder))
        return True

  # It takes seconds to import jax, in which a signal would be lost or crash.
  with stop.Stop() as stopping:
    from structae import build
    from structae import trainer as training
  if stopping.requested:
    raise KeyboardInterrupt

  training.check_devices(config)
  try:
    source = training.open_data(config)
    digests = build.digests(config, source)
    with workdir.locked(folder):
      workdir.write_config(folder, asked.name, config, digests)
      training.run(config, asked.path, folder, source)
      workdir.complete(folder, config)
  except stop.Interrupted as wish:
    print(f'{wish}; the same command goes on from there')
    return False
  print(f'report: {folder / "report.html"}')
  return True


if __name__ == '__main__':
  command.run(main)
