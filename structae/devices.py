"""The devices that a run uses."""

import jax
from jax.sharding import AxisType, Mesh


def data_mesh() -> Mesh:
  """All devices in a row, along which batches are cut."""
  return jax.make_mesh(
    (jax.device_count(),), ('data',), axis_types=(AxisType.Auto,)
  )
