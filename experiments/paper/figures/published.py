"""What the authors published, beside runs on the same data only."""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

from experiments.paper.figures import published_tables as tables
from structae.evaluation import definitions, registry
from structae.pages.wording import model_title
from structae.run import Run

NOTE = (
  "Diamonds: the authors' repository of 2021, released widths, VAE, β-VAE and "
  'VLAE with a defective KL divergence, WAE with a defective MMD; a line spans '
  'the deviation over seeds, where it was shown.'
)

# The tables of each data set, best first: five seeds before one. The sets are
# those of the catalogue, so that none is taken for its re-creation.
TABLES = {
  'shapes3d': (
    tables.SHAPES3D_FACTORS_5,
    tables.SHAPES3D_QUALITY_5,
    tables.SHAPES3D_FACTORS,
    tables.SHAPES3D_QUALITY,
  ),
  'mpi3d_toy': (tables.MPI3D_TOY_FACTORS, tables.MPI3D_TOY_QUALITY),
  'mpi3d_realistic': (
    tables.MPI3D_REALISTIC_FACTORS,
    tables.MPI3D_REALISTIC_QUALITY,
  ),
  'mpi3d_real': (tables.MPI3D_REAL_FACTORS, tables.MPI3D_REAL_QUALITY),
}
# What the published runs share.
_SHARED = {'data.size': 64, 'scale': 'paper'}
_POINTS = {'points': 'full', 'n': 10_000}  # of their scores of codes
_FID_IMAGES = 50_000

# What is known to be wrong with the published values, by family of models; and
# what is of all of them.
_WIDTHS = 'released widths'
_DEFECTS = {
  'VAE': 'defective KL',
  'β-VAE': 'defective KL',
  'VLAE': 'defective KL',
  'WAE': 'defective MMD',
}
# What a run must have been trained with to be the model of that name.
_SETTINGS = {
  'VAE': ('objective.beta', 1.0),
  'VLAE': ('objective.beta', 1.0),
  'β-VAE': ('objective.beta', 2.0),
  'WAE': ('objective.mmd_weight', 10.0),
}


class Value(NamedTuple):
  """A published score: its mean, and its deviation over seeds if shown."""

  mean: float
  deviation: float | None = None


def of_run(run: Run, score: str, floor: float | None = None) -> Value | None:
  """The published score of the model of a run.

  Args:
    run: a run.
    score: the name of a score, as in `scores.json`.
    floor: what to subtract, if anything: the entropy of the same images.

  Returns:
    The value; None if there is none, or the run is of other data, of images of
    another size, of another scale, of the model with another weight of its
    loss, or was scored over other points.
  """
  model = model_title(run)
  shared = {field: run.field(field) for field in _SHARED}
  if shared != _SHARED or not _same(run, model):
    return None
  if not _same_points(run.scores.get(score, {}), score):
    return None
  found = of_model(str(run.field('data.name')), model, score)
  return found and found._replace(mean=found.mean - (floor or 0.0))


def of_model(data: str, model: str, score: str) -> Value | None:
  """The published score of a model, as `models` calls it, on a data set."""
  for table in TABLES.get(data, ()):
    value = read(table).get(score, {}).get(model)
    if value is not None:
      return value
  return None


def label(model: str) -> str:
  """The name of a published value, with what is known to be wrong with it."""
  wrong = ', '.join(filter(None, [_WIDTHS, _DEFECTS.get(_family(model))]))
  return f'{model}, published ({wrong})'


@functools.cache
def read(table: str) -> dict[str, dict[str, Value]]:
  """A table as values by score and model."""
  head, *lines = table.strip().splitlines()
  found: dict[str, dict[str, Value]] = {x: {} for x in head.split()[1:]}
  for line in lines:
    model, *cells = line.split()
    for score, cell in zip(found, cells):
      if cell != '-':
        found[score][model] = Value(*map(float, cell.split('±')))
  return found


def _same_points(entry: Mapping[str, Any], score: str) -> bool:
  row = definitions.find(score, entry)
  if row is not None and row.metric in registry.METRICS:
    return {key: entry.get(key) for key in _POINTS} == _POINTS
  if row is not None and row.metric in registry.IMAGE_METRICS:
    return entry.get('n') == _FID_IMAGES
  return True


def _family(model: str) -> str:
  return model.rstrip('0123456789').rstrip('-')


def _same(run: Run, model: str) -> bool:
  field, expected = _SETTINGS.get(_family(model), ('', None))
  actual = run.field(field) if field else None
  return actual is None or actual == expected
