"""The data sets by name: what they hold, where they come from, how to cite.

A set is one file in `structae/data/sets` and one line here. This imports no
jax, so that a wrong name is refused, and `structae data info` answers, before
any heavy library loads.
"""

import difflib

from structae.data.data_set import DataSet
from structae.data.sets import (
  arm_synth,
  cars3d,
  celeba,
  dsprites,
  folder,
  mpi3d,
  rfd,
  shapes3d,
  shapes3d_synth,
  smallnorb,
)

__all__ = ['CATALOG', 'DEFAULT', 'DataSet', 'get']

# In the order in which they are listed.
_ROWS: tuple[DataSet, ...] = (
  shapes3d_synth.DATA_SET,
  arm_synth.DATA_SET,
  shapes3d.DATA_SET,
  *mpi3d.DATA_SETS,
  celeba.DATA_SET,
  *rfd.DATA_SETS,
  dsprites.DATA_SET,
  cars3d.DATA_SET,
  smallnorb.DATA_SET,
  folder.DATA_SET,
)
CATALOG: dict[str, DataSet] = {row.name: row for row in _ROWS}
# What a run trains on if nothing else is asked for.
DEFAULT = shapes3d_synth.DATA_SET.name


def get(name: str) -> DataSet:
  """Returns the data set of that name.

  Raises:
    ValueError: if there is none; the message names those that exist.
  """
  if name in CATALOG:
    return CATALOG[name]
  close = difflib.get_close_matches(name, CATALOG, n=1)
  hint = f' Did you mean {close[0]!r}?' if close else ''
  raise ValueError(
    f'Unknown data set {name!r}.{hint} There are: {", ".join(CATALOG)}.'
  )
