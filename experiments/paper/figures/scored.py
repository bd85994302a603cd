"""Runs by their data, their colours, and what some of them lack."""

import re
from collections.abc import Mapping, Sequence

from structae.figures import models
from structae.pages import seeds
from structae.pages.seeds import Group
from structae.run import Run

EVALUATE = 'structae evaluate --workdir=RUN --metrics={}'
TRAIN = 'structae train MODEL'


def groups(runs: Sequence[Run]) -> dict[str, list[Group]]:
  """Runs by the title of their data, then by all but their seed.

  Raises:
    ValueError: if there is no run.
  """
  if not runs:
    raise ValueError('there is no run to draw: give one or more.')
  return seeds.by_data(runs)


def colours(some: Sequence[Group]) -> dict[str, str]:
  """The colour of each group by its name."""
  found = models.colours([group.model for group in some])
  return {group.name: colour for group, colour in zip(some, found)}


def line(group: Group) -> str:
  """The name of a group, what tells it from its namesakes on a second line."""
  return group.name.replace(', ', '\n', 1)


def slug(group: Group) -> str:
  """The data of a group as a part of a file's name: `shapes3d-64`."""
  run = group.runs[0]
  parts = [run.field('data.name') or 'data', run.field('data.size')]
  name = '-'.join(str(part) for part in parts if part)
  return re.sub(r'[^\w.-]', '-', name)  # no name leads to another folder


def with_samples(group: Group, *names: str) -> Run | None:
  """The first run of a group that has stored images of these names."""
  return next((r for r in group.runs if {*names} <= r.samples.keys()), None)


def lacking(figure: str, needs: str, command: str) -> ValueError:
  """The error where no run has what a figure shows."""
  return ValueError(
    f'{figure} needs {needs}, which no run has; this makes it: {command}'
  )


def left_out(missing: Mapping[str, Sequence[str]]) -> str:
  """A remark on the models that lack something, by what they lack."""
  return ' '.join(
    f'Left out for want of {what}: {", ".join(dict.fromkeys(names))}.'
    for what, names in missing.items()
    if names
  )
