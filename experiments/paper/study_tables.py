"""The tables of a study: scores over seeds, and which values were chosen."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from experiments.paper import choosing
from experiments.paper.choosing import Choice
from experiments.paper.launchers import Job
from structae import build
from structae.data import catalog
from structae.pages import wording
from structae.pages.seeds import Group, by_seed
from structae.run import read_run

# Scores of the table, as far as runs have them.
SCORES = (
  'test_bce',
  'test_mse',
  'mig',
  'disentanglement',
  'pairwise_information',
  'scene_distance_hybrid',
  'scene_distance_prior',
  'fid_rec',
  'fid_hybrid',
  'fid_prior',
)
NOTE = (
  'Mean and standard deviation of the population over seeds; an arrow points '
  'where a score is better. Minutes are those of training on whatever machine '
  'it ran, beside whatever ran there.'
)

Rows = list[list[str]]


def scores(jobs: Sequence[Job]) -> Rows:
  """A row per model, with its learning rate, and means over seeds.

  Args:
    jobs: finished trainings.

  Returns:
    The rows, the first of which is the head.
  """
  groups = by_seed([read_run(job.folder) for job in jobs])
  known = [s for s in SCORES if any(g.values(s).size for g in groups)]
  named = [wording.score_name(score, {}) for score in known]
  head = ['model', 'seeds', 'learning rate', *named, 'parameters', 'minutes']
  return [head, *(_row(group, known) for group in groups)]


def _row(group: Group, names: Sequence[str]) -> list[str]:
  minutes = [training_minutes(run.folder) for run in group.runs]
  known = np.array([m for m in minutes if m is not None])
  return [
    group.name,
    str(len(group.runs)),
    f'{group.runs[0].field("train.learning_rate"):g}',
    *(wording.over_seeds(group.values(name)) for name in names),
    f'{num_parameters(group.runs[0].settings):,}',
    f'{known.mean():.1f}' if known.size else '–',
  ]


def num_parameters(config: dict[str, Any]) -> int:
  """Parameters of encoder and decoder, without computing them.

  Args:
    config: the configuration of a run.
  """
  fields = {k: v for k, v in config.items() if k != 'name'}
  settings = ml_collections.ConfigDict(fields)
  shape = catalog.get(settings.data.name).image_shape or (0, 0, 3)
  channels, size = shape[-1], settings.data.size
  image = (channels,) if size == 1 else (size, size, channels)
  module = build.model(settings, channels)
  variables = jax.eval_shape(
    module.init, jax.random.key(0), jnp.zeros((1, *image))
  )
  return sum(int(np.prod(x.shape)) for x in jax.tree.leaves(variables))


def training_minutes(folder: Path) -> float | None:
  """How long a run was in training, by the clock of its TensorBoard files.

  Each start of the run has a file; between starts nothing counts.

  Args:
    folder: the run.

  Returns:
    Minutes, or None if there are no such files.
  """
  seconds = []
  for path in sorted((folder / 'tensorboard').glob('events.out.tfevents.*')):
    times = _times(path.read_bytes())
    if times:
      seconds.append(times[-1] - times[0])
  return sum(seconds) / 60 if seconds else None


def _times(content: bytes) -> list[float]:
  """The clock of each event, the first field of its record.

  Source: the record format of TFRecord files, length (8 bytes), checksum (4),
  data, checksum (4); in the data, tag 9 and a double.
  """
  times, place = [], 0
  while place + 21 <= len(content):
    (length,) = struct.unpack_from('<Q', content, place)
    if content[place + 12] == 9:
      times.append(struct.unpack_from('<d', content, place + 13)[0])
    place += 16 + length
  return times


def choices(made: Sequence[Choice]) -> tuple[Rows, str]:
  """A row per value that was tried, the chosen one marked.

  Args:
    made: the choices.

  Returns:
    The rows, the first of which is the head, and what was least, in words.
  """
  rows = [['model', 'field', 'value', 'nats', 'chosen']]
  for choice in made:
    for value, nats in choice.results.items():
      shown = {None: 'not finished', np.inf: 'diverged'}.get(nats)
      rows.append([
        wording.model_name(choice.model),
        choice.field,
        f'{value:g}',
        shown or f'{nats:.2f}',
        '*' if value == choice.best else '',
      ])  # fmt: skip
  rules = dict.fromkeys(choice.rule for choice in made)
  words = '; '.join(choosing.RULES[rule].words for rule in rules)
  return rows, f'Seed 0; the least is chosen: {words}.'


def markdown(rows: Rows) -> str:
  """Rows as a table in Markdown."""
  head, *body = [f'| {" | ".join(row)} |' for row in rows]
  return '\n'.join([head, f'|{" --- |" * len(rows[0])}', *body, ''])
