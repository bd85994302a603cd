"""A grid of configurations: every combination of the values of fields.

Imports no jax, so that a mistake is answered at once.
"""

import argparse
import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from structae.commands import config_flags
from structae.commands.config_flags import Command
from structae.commands.jobs import Job
from structae.config import FIELDS, ConfigError
from structae.config.identity import RESUMABLE
from structae.run import Run

_USUAL = Path('runs')


def axes(asked: argparse.Namespace) -> dict[str, list[str]]:
  """The values that fields are given, as text, by the name of the field.

  Args:
    asked: with the flags of `config_flags.add`.

  Raises:
    ConfigError: if no field has several.
  """
  texts = {name: vars(asked)[f'config.{name}'] for name in FIELDS}
  found = {k: split(k, text) for k, text in texts.items() if text is not None}
  if not any(len(values) > 1 for values in found.values()):
    raise ConfigError(
      'no field has several values: give, for example, '
      '--config.train.learning_rate=5e-4,1e-3'
    )
  return found


def split(field: str, text: str) -> list[str]:
  """The values in a text, without those that are repeated.

  They stand between commas. A field that takes several numbers or names at once
  has them in brackets: `(256,128),(64,)`; without brackets they are one value.
  """
  if isinstance(FIELDS[field].default, tuple):
    return [*dict.fromkeys(re.findall(r'[(\[][^)\]]*[)\]]', text))] or [text]
  return [*dict.fromkeys(text.split(','))]


def jobs(
  asked: argparse.Namespace, unknown: Sequence[str], runs: Path
) -> list[Job]:
  """The trainings of a grid, each in the folder it would have by itself.

  Args:
    asked: with the flags of `config_flags.add`.
    unknown: arguments that no flag takes.
    runs: the folder that holds the runs' folders.

  Returns:
    A job for each combination, named by the fields in which they differ.

  Raises:
    ConfigError: if a combination cannot be run, or two are the same run.
  """
  config_flags.check_known(unknown)
  values = axes(asked)
  several = [field for field, some in values.items() if len(some) > 1]
  made = []
  for point in itertools.product(*values.values()):
    texts = dict(zip(values, point))
    one = vars(asked) | {f'config.{k}': text for k, text in texts.items()}
    command = config_flags.command(argparse.Namespace(**one))
    made.append(_job(command, texts, several, runs))
  if len({job.folder for job in made}) < len(made):
    free = [field for field in several if field in RESUMABLE]
    raise ConfigError(
      f'{" and ".join(free or several)} would not tell runs apart: give one '
      'value'
    )
  return made


def _job(
  command: Command, texts: Mapping[str, str], several: Sequence[str], runs: Path
) -> Job:
  config: Any = command.config
  if config.train.num_runs > 1:
    raise ConfigError(
      f'train.num_runs is {config.train.num_runs}; here seeds are values like '
      'others: --config.seed=0,1'
    )
  usual = Run.choose(None, command.name, config).folder
  folder = runs / usual.name
  flags = [f'--config.{field}={text}' for field, text in texts.items()]
  if runs != _USUAL:
    flags.append(f'--workdir={folder}')
  differ = [f'{_leaf(field)}={texts[field]}' for field in several]
  return Job(
    # Also the name of a file.
    name=re.sub(r'[^\w.=,-]+', '_', '-'.join([command.name, *differ]))[:200],
    command=('-m', 'structae', 'train', command.given, *flags),
    folder=folder,
    is_finished=lambda: Run(folder).is_complete(config),
  )


def name(asked: argparse.Namespace) -> str:
  """What a grid is called: its configuration and the fields that vary."""
  given = re.sub(r'[^\w.-]+', '-', asked.given or asked.config)
  several = [k for k, some in axes(asked).items() if len(some) > 1]
  return '-'.join([given.strip('-.'), *map(_leaf, several)])


def _leaf(field: str) -> str:
  return field.rpartition('.')[2]
