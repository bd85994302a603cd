"""Which half of a model takes in what training never showed?

  python -m experiments.paper.extrapolate CONFIG [--hold_out=WHAT]
      [--workdir=DIR] [--config.FIELD=VALUE ...]

CONFIG is a model and tokens, such as sae12:quick; see `structae train --help`.

Four runs: the base makes 80 % of the updates without the held-out values, which
are `shape` (the ball), `camera` (two extreme angles on either side) or any of
the data set's: 'floor_hue=0,1;shape=cube' is the cubes on floors of two hues
(see `structae.data.hold_out`). From it start three continuations on all
training images, for the other 20 %: of the encoder alone, of the decoder alone,
of both. Then all four reconstruct test images with the held-out values, which
no run has seen.

A continuation takes over the parameters but not Adam's moments, and goes
through the configured learning rate anew: its own warm-up and, at a scale with
a cosine, its own cosine from the same peak.

With --workdir the runs are DIR/base, DIR/encoder, DIR/decoder and DIR/both, and
the result is DIR/extrapolation.json; else all are named by their content, in
runs/. The same command resumes, and prints a finished result again.

Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 3.2, A.3.3.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import ml_collections
import numpy as np

from structae import config as config_lib
from structae import files
from structae.commands import config_flags, train
from structae.commands.config_flags import Command
from structae.commands.parser import Parser, run
from structae.config import ConfigError
from structae.run import Run
from structae.training import stop

BASE_SHARE = 0.8
# What each continuation trains, by the name of its column.
TRAINABLE = {'encoder': 'encoder', 'decoder': 'decoder', 'both': 'all'}
RESULT = 'extrapolation.json'
PICTURES = (
  'extrapolation.npz'  # images with the held-out values, and each run's
)
_OWN = ('data.hold_out', 'train.init_from', 'train.trainable')


class Study(NamedTuple):
  """The runs of a study, and where its result belongs.

  Attributes:
    config: of a run of all the updates on everything.
    commands: of the runs by column, `none` (the base) first.
    runs: their folders.
    folder: of the result.
  """

  config: ml_collections.ConfigDict
  commands: dict[str, Command]
  runs: dict[str, Run]
  folder: Path


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = Parser('python -m experiments.paper.extrapolate', __doc__)
  parser.add_argument(
    '--workdir', type=Path, metavar='DIR', help='the folder of the four runs'
  )
  parser.add_argument(
    '--hold_out',
    default='shape',
    metavar='WHAT',
    help='what the base is trained without; shape',
  )
  config_flags.add(parser)
  return run(lambda: _run(parser, sys.argv[1:] if argv is None else argv))


def _run(parser: Parser, argv: Sequence[str]) -> None:
  command, asked = config_flags.read(parser, argv)
  study = plan(command, asked.hold_out)
  check(study)
  for column, one in study.commands.items():
    config, place = one.config, study.runs[column]
    if place.is_complete(config):
      print(f'{column}: finished before: {place.folder}', flush=True)
      continue
    num_steps = config.train.num_steps
    print(f'{column}: {num_steps:,} updates, in {place.folder}', flush=True)
    if not train.train(one):
      return
  try:
    conclude(study)
  except stop.Interrupted as stopped:
    print(f'{stopped}; the same command goes on from there')


def plan(asked: Command, hold_out: str) -> Study:
  """The configurations and folders of the four runs.

  Args:
    asked: the configuration of a run of all the updates.
    hold_out: what is held out, see `structae.data.hold_out`.

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
  if hold_out == 'none':
    raise ConfigError(
      '--hold_out is none; a study needs something to hold out: shape, or '
      'FACTOR=VALUE'
    )
  commands, runs = {}, {}
  changes = {'train.num_steps': num_base, 'data.hold_out': hold_out}
  commands['none'], runs['none'] = _changed(asked, 'base', changes)
  base = runs['none'].folder
  for column, trainable in TRAINABLE.items():
    changes = {
      'train.num_steps': total - num_base,
      'train.init_from': str(base),
      'train.trainable': trainable,
    }
    commands[column], runs[column] = _changed(asked, column, changes)
  folder = asked.workdir or base.with_name(f'{base.name}-extrapolation')
  config = asked.config.copy_and_resolve_references()
  config_lib.update(config, config_lib.written_out(config))
  return Study(config, commands, runs, folder)


def _changed(
  asked: Command, leaf: str, changes: dict[str, Any]
) -> tuple[Command, Run]:
  """A run with some fields changed: its command and its folder."""
  config = asked.config.copy_and_resolve_references()
  config_lib.update(config, changes)
  config_lib.check(config)
  config_lib.update(config, config_lib.written_out(config))
  given = asked.workdir / leaf if asked.workdir else None
  place = Run.choose(given, asked.name, config)
  return asked._replace(config=config, workdir=place.folder), place


def check(study: Study) -> None:
  """Refuses folders that cannot be written or hold other runs.

  Raises:
    ConfigError: one line.
  """
  for column, one in study.commands.items():
    study.runs[column].check(one.config)
  base, *others = study.runs.values()
  began = (base.folder / 'config.json').exists()
  if began and any(run.folder.exists() for run in others):
    before = Run(base.folder).field('train.num_steps')  # it may yet change
    num_steps = study.commands['none'].config.train.num_steps
    # A base may grow, but what started from it would still be of the old one.
    if before != num_steps:
      raise ConfigError(
        f'{base.folder} has made {before} updates and others started from it, '
        f'now it should make {num_steps}: give another --workdir'
      )


def conclude(study: Study) -> None:
  """Writes and prints the result of finished runs; once is enough.

  Raises:
    ConfigError: if a run cannot be read.
    stop.Interrupted: if asked to stop.
  """
  runs = {
    column: {
      'folder': str(one.workdir),
      'config_hash': config_lib.config_hash(one.config),
      'num_steps': one.config.train.num_steps,
    }
    for column, one in study.commands.items()
  }
  path = study.folder / RESULT
  picture = study.folder / 'figures' / 'extrapolation.png'
  content = _read(path)
  if content.get('runs') != runs:
    with stop.Stop() as stopping:
      # They import jax, which takes seconds, in which a signal would be lost.
      from experiments.paper import held_out
      from structae.figures import grids

      content, pictures = held_out.score(study.runs, stopping)
      content['runs'] = runs
      content['config'] = study.config.to_dict()
      rows = np.stack([*pictures.values()])
      grids.save_png(picture, grids.traversal_sheet(rows, [*pictures]))
      files.write_arrays(study.folder / PICTURES, pictures, compress=True)
      files.write_text(path, json.dumps(content, indent=1) + '\n')
  print(table(content))
  print(f'written to {path}')
  print(f'drawn: {picture}')


def _read(path: Path) -> dict[str, Any]:
  """The result that is there; empty if none is, or it is damaged."""
  try:
    return files.read_object(path)
  except ValueError:
    return {}


def table(content: dict[str, Any]) -> str:
  """The result as lines to read."""
  columns = list(content['mse'])
  lines = [
    f'{content["model"]}, {content["data"]}, {content["scale"]} scale, seed '
    f'{content["seed"]}, held out: {content["hold_out"]}. MSE x 1000 by what '
    'was trained on:',
    ' ' * 24 + ''.join(f'{column:>9}' for column in columns),
  ]
  for name, words, num in (
    ('mse', 'held-out values', content['num_images']),
    ('mse_familiar', 'familiar', content['num_familiar']),
  ):
    values = ''.join(f'{1e3 * content[name][c]:9.3f}' for c in columns)
    lines.append(f'{words:16}{num:>8,}{values}')
  return '\n'.join(lines)


if __name__ == '__main__':
  sys.exit(main())
