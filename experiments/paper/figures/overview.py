"""All families of models at a glance: one table, one picture."""

import math
from collections.abc import Sequence

import numpy as np

from experiments.paper.figures import scored, tables
from structae.figures import grids, montage
from structae.pages.seeds import Group
from structae.run import Run

_SCORES = {
  'test_bce_above_floor': 'test BCE above floor, nats',
  'test_mse': 'test MSE',
  'mig': 'MIG',
  'pairwise_information': 'dependence of codes, nats',
  'scene_distance_hybrid': 'scene distance, hybrid',
  'scene_distance_prior': 'scene distance, prior',
}
_COLUMNS = 5  # images of each kind in a row
_PAIRS = ('images', 'reconstructions')
_KINDS = ('hybrid', 'prior')  # of samples


def families(runs: Sequence[Run]) -> dict[str, str | np.ndarray]:
  """A table of all models, and a picture with a row for each.

  Args:
    runs: finished runs.

  Returns:
    `families`: Markdown, a table a data set over seeds; `families-DATA`:
    `[H, W, 3]` uint8, of the first seed of each model images over their
    reconstructions, hybrid samples, and samples of the prior where codes have
    one.

  Raises:
    ValueError: if no run has scores.
  """
  sections: dict[str, str] = {}
  pictures: dict[str, np.ndarray] = {}
  for title, groups in scored.groups(runs).items():
    if any(g.values(score).size for g in groups for score in _SCORES):
      sections[title] = _table(groups)
    shown = [g for g in groups if scored.with_samples(g, *_PAIRS)]
    if shown:
      pictures[f'families-{scored.slug(groups[0])}'] = _picture(shown)
  if not sections:
    raise scored.lacking('families', 'test_bce_above_floor', scored.TRAIN)
  return {'families': tables.in_sections(sections), **pictures}


def _table(groups: Sequence[Group]) -> str:
  rate = 'train.learning_rate'
  settings = {'learning rate': [_setting(g, rate) for g in groups]}
  return tables.of_scores(groups, _SCORES, settings=settings)


def _setting(group: Group, field: str) -> str:
  value = group.runs[0].field(field)
  return f'{value:g}' if isinstance(value, int | float) else '–'


def _picture(groups: Sequence[Group]) -> np.ndarray:
  kinds = _kinds(groups)
  heads = ['reconstruction', *kinds]
  blocks = [_blocks(group, kinds) for group in groups]
  height, width = blocks[0][0].shape[:2]
  size = montage.text_size((len(kinds) + 2) * width)
  margin = math.ceil(
    max(
      grids.typeface(size).getlength(part)
      for group in groups
      for part in scored.line(group).split('\n')
    )
  )
  gap = 2 * grids.WIDE_GAP
  head = montage.beside(
    [np.full((1, margin, 3), grids.WHITE, np.uint8)]
    + [montage.label(text, width, size) for text in heads],
    gap,
  )
  rows = [
    montage.beside(
      [montage.label(scored.line(g), margin, size, height=height), *some], gap
    )
    for g, some in zip(groups, blocks)
  ]
  body = montage.above(rows, grids.WIDE_GAP + grids.GAP)
  return montage.above([head, body], size // 3)


def _kinds(groups: Sequence[Group]) -> list[str]:
  """The kinds of samples that a model has."""
  runs = [scored.with_samples(group, *_PAIRS) for group in groups]
  return [k for k in _KINDS if any(run and k in run.samples for run in runs)]


def _blocks(group: Group, kinds: Sequence[str]) -> list[np.ndarray]:
  """Two rows of each kind of image."""
  run = scored.with_samples(group, *_PAIRS)
  assert run is not None
  pairs = [run.samples[name][:_COLUMNS] for name in _PAIRS]
  blocks = [grids.grid(np.concatenate(pairs), len(pairs[0]))]
  height, width = blocks[0].shape[:2]
  for kind in kinds:
    if kind in run.samples:
      few = run.samples[kind][: 2 * _COLUMNS]
      blocks.append(grids.grid(few, _COLUMNS))
    else:
      size = montage.text_size((len(kinds) + 2) * width)
      text = 'no prior' if kind == 'prior' else 'not drawn'
      blocks.append(montage.label(text, width, size, height=height))
  return blocks
