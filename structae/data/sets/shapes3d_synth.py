"""`shapes3d_synth`, a re-creation of 3D-Shapes: the default data set."""

from collections.abc import Callable
from typing import Any

from structae.data import hold_out
from structae.data.data_set import DataSet
from structae.data.sets import shapes3d


def _make(size: int) -> tuple[Any, Callable]:
  from structae.data import shapes3d_synth

  return shapes3d_synth.tables(size), shapes3d_synth.images


DATA_SET = DataSet(
  name='shapes3d_synth',
  title='a re-creation of the 3D-Shapes scene',
  image_shape=(64, 64, 3),
  sizes=(32, 64, 128),
  num_examples=480_000,
  factors=shapes3d.FACTORS,
  periodic=shapes3d.PERIODIC,
  grid=True,
  make=_make,
  hold_outs=('none', *hold_out.NAMED),
  scene_distance=True,
  licence='Apache-2.0 (part of this project)',
  citation='this project; after Burgess and Kim, 3D Shapes Dataset, 2018',
  note=(
    'Made on the device; needs no download and no storage. It is not '
    '3D-Shapes, and no score on it is a score on 3D-Shapes.'
  ),
)
