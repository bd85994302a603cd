"""The GPUs of this machine, as far as one knows without asking a driver."""

import glob
from collections.abc import Mapping

VISIBLE = 'CUDA_VISIBLE_DEVICES'


def found(environment: Mapping[str, str]) -> list[str]:
  """The names of those that a process may use; none if it is to use CPUs.

  Args:
    environment: its variables; `CUDA_VISIBLE_DEVICES` counts before the devices
      of the machine.
  """
  if environment.get('JAX_PLATFORMS') == 'cpu':
    return []
  visible = environment.get(VISIBLE)
  if visible is not None:
    return list(filter(None, visible.split(',')))
  return [str(i) for i in range(len(glob.glob('/dev/nvidia[0-9]*')))]
