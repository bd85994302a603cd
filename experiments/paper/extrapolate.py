"""Which half of a model takes in what training never showed?

  python -m experiments.paper.extrapolate --config=experiments/sae12.py[:TOKEN]
      [--hold_out=shape|camera] [--workdir=DIR] [--config.FIELD=VALUE ...]

Four runs: the base makes 80 % of the updates without the held-out values
(shape: the ball; camera: two extreme angles on either side). From it start
three continuations on all training images, for the other 20 %: of the encoder
alone, of the decoder alone, of both. Then all four reconstruct test images with
the held-out values, which no run has seen.

A continuation takes over the parameters but not Adam's moments, and goes
through the configured learning rate anew: its own warm-up and, at a scale with
a cosine, its own cosine from the same peak.

With --workdir the runs are DIR/base, DIR/encoder, DIR/decoder and DIR/both, and
the result is DIR/extrapolation.json; else all are named by their content, in
runs/. The same command resumes, and prints a finished result again.

Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 3.2, A.3.3.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from experiments import main as one_run
from structae import config as config_lib
from structae import workdir
from structae.commands import config_flags as command
from structae.commands import parser as arguments
from structae.config import ConfigError
from structae.data import splits
from structae.training import stop

BASE_SHARE = 0.8
# What each continuation trains, by the name of its column.
TRAINABLE = {'encoder': 'encoder', 'decoder': 'decoder', 'both': 'all'}
RESULT = 'extrapolation.json'
_OWN = ('data.hold_out', 'train.init_from', 'train.trainable')


class Study(NamedTuple):
  """The runs of a study, and where its result belongs.

  Attributes:
    runs: by column, `none` (the base) first; each has its folder.
    hold_out: the name of what is held out.
    folder: of the result.
  """

  runs: dict[str, command.Command]
  hold_out: str
  folder: Path


def main(argv: Sequence[str]) -> None:
  """Runs the command line."""
  parser = arguments.Parser('extrapolate', None, add_help=False)
  parser.add_argument('--hold_out', choices=splits.EXTRAPOLATION,
                      default='shape')  # fmt: skip
  own, rest = parser.parse_known_args(argv[1:])
  asked = command.parse([argv[0], *rest], __doc__)
  study = plan(asked, own.hold_out)
  check(study)
  for column, asked in study.runs.items():
    folder, steps = asked.workdir, asked.config.train.num_steps
    if workdir.is_complete(folder, asked.config):
      print(f'{column}: finished before: {folder}', flush=True)
      continue
    print(f'{column}: {steps:,} updates, in {folder}', flush=True)
    if not one_run.run(asked):
      return

  from experiments.paper import (
    extrapolation,  # imports jax, which takes seconds
  )

  try:
    extrapolation.conclude(study)
  except stop.Interrupted as wish:
    print(f'{wish}; the same command goes on from there')


def plan(asked: command.Command, hold_out: str) -> Study:
  """The configurations and folders of the four runs.

  Args:
    asked: the configuration of a run of all the updates.
    hold_out: the name of what is held out.

  Raises:
    ConfigError: if the study cannot be made of it.
  """
  total = asked.config.train.num_steps
  num_base = round(BASE_SHARE * total)
  if not 0 < num_base < total:
    raise ConfigError(
      f'train.num_steps is {total}; a study parts it into 80 and 20 %: '
      'take 3 or more'
    )
  for name in _OWN:
    if config_lib.flat(asked.config)[name] != config_lib.FIELDS[name].default:
      raise ConfigError(f'{name} is for the study to set; see --hold_out')
  changes = {'train.num_steps': num_base, 'data.hold_out': hold_out}
  base = _run(asked, 'base', changes)
  runs = {'none': base}
  for column, trainable in TRAINABLE.items():
    changes = {
      'train.num_steps': total - num_base,
      'train.init_from': str(base.workdir),
      'train.trainable': trainable,
    }
    runs[column] = _run(asked, column, changes)
  folder = asked.workdir or base.workdir.with_name(
    f'{base.workdir.name}-extrapolation'
  )
  return Study(runs, hold_out, folder)


def _run(
  asked: command.Command, leaf: str, changes: dict[str, object]
) -> command.Command:
  config = asked.config.copy_and_resolve_references()
  config_lib.update(config, changes)
  config_lib.check(config)
  given = asked.workdir / leaf if asked.workdir else None
  folder = workdir.choose(given, asked.name, config)
  return asked._replace(config=config, workdir=folder)


def check(study: Study) -> None:
  """Refuses folders that cannot be written or hold other runs.

  Raises:
    ConfigError: one line.
  """
  for asked in study.runs.values():
    workdir.check(asked.workdir, asked.config)
  base, *others = study.runs.values()
  path = base.workdir / 'config.json'
  if path.exists() and any(run.workdir.exists() for run in others):
    before = json.loads(path.read_text())['config']['train']['num_steps']
    # A base may grow, but what started from it would still be of the old one.
    if before != base.config.train.num_steps:
      raise ConfigError(
        f'{base.workdir} has made {before} updates and others started from '
        f'it, now it should make {base.config.train.num_steps}: give another '
        '--workdir'
      )


if __name__ == '__main__':
  command.run(main)
