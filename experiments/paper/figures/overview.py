"""All families of models at a glance: one table, one picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.paper.figures import cells, scored, tables
from structae.figures import grids, montage
from structae.pages.seeds import Group
from structae.run import Run

_SCORES = {
  'num_parameters': 'parameters',
  'test_bce_above_floor': 'test BCE above floor, nats',
  'test_mse': 'test MSE',
  'mig': 'MIG',
  'pairwise_information': 'dependence of codes, nats',
  'scene_distance_hybrid': 'scene distance, hybrid',
  'scene_distance_prior': 'scene distance, prior',
}
_COLUMNS = 5  # images of each kind in a row


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
    shown = [g for g in groups if _sheets_of(g)]
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


def _sheets_of(group: Group) -> dict[str, Path]:
  """The sheets of the first run that has reconstructions."""
  sheets = (run.sheets for run in group.runs)
  return next((s for s in sheets if 'reconstructions' in s), {})


def _picture(groups: Sequence[Group]) -> np.ndarray:
  heads = ['image over reconstruction', 'hybrid', 'prior']
  blocks = [_blocks(group) for group in groups]
  height, width = blocks[0][0].shape[:2]
  size = montage.text_size(4 * width)
  margin = round(
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


def _blocks(group: Group) -> list[np.ndarray]:
  """Two rows of each kind of image."""
  sheets = _sheets_of(group)
  pairs = cells.cut(sheets['reconstructions'], 2, _COLUMNS, paired=True)
  blocks = [_block(pairs)]
  for stem in ('hybrid', 'prior'):
    if stem in sheets:
      blocks.append(_block(cells.cut(sheets[stem], 2, _COLUMNS)))
    else:
      height, width = blocks[0].shape[:2]
      size = montage.text_size(4 * width)
      text = 'no prior' if stem == 'prior' else 'not drawn'
      blocks.append(montage.label(text, width, size, height=height))
  return blocks


def _block(rows: Sequence[np.ndarray]) -> np.ndarray:
  return grids.grid(np.concatenate(rows), len(rows[0]), scale=1)
