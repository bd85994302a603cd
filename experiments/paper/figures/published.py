"""What the authors published, beside runs on the same data only."""

import functools
from typing import NamedTuple

from experiments.paper.figures import published_tables as tables
from structae.pages.wording import model_title
from structae.run import Run

NOTE = (
  "Diamonds: the authors' repository of 2021, released widths; a line spans "
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
_SIZE = 64  # of the published images, in pixels

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
    another size, or of the model with another weight of its loss.
  """
  model = model_title(run)
  if run.field('data.size') != _SIZE or not _same(run, model):
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


def _same(run: Run, model: str) -> bool:
  family = model.rstrip('0123456789').rstrip('-')
  field, expected = _SETTINGS.get(family, ('', None))
  actual = run.field(field) if field else None
  return actual is None or actual == expected
