"""The devices that a run uses."""

import jax
from jax.sharding import AxisType, Mesh


def check() -> None:
  """Refuses a platform that this machine does not have.

  Raises:
    ValueError: one line: what was asked for, and what there is.
  """
  try:
    jax.devices()
  except (RuntimeError, AssertionError) as error:
    asked = jax.config.jax_platforms  # type: ignore[attr-defined]
    jax.config.update('jax_platforms', '')  # whatever there is
    found = sorted({device.platform for device in jax.devices()})
    jax.config.update('jax_platforms', asked)
    raise ValueError(
      f'JAX_PLATFORMS is {asked!r}, which jax cannot use on this machine; '
      f'there is {", ".join(found)}: leave it out, or install jax for it'
    ) from error


def data_mesh() -> Mesh:
  """All devices in a row, along which batches are cut.

  Raises:
    ValueError: as `check`.
  """
  check()
  return jax.make_mesh(
    (jax.device_count(),), ('data',), axis_types=(AxisType.Auto,)
  )
