"""The GPUs of this machine, one of which each job is given."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_ROOT = Path('/')


class Gpus(NamedTuple):
  """GPUs that a process can be kept to.

  Attributes:
    variable: of the environment, which names those that a process sees.
    ids: what it names them by; none where there are no GPUs.
  """

  variable: str = ''
  ids: tuple[str, ...] = ()

  def of_job(self, slot: int, at_once: int) -> dict[str, str]:
    """The environment of one job of several, which has one GPU.

    Where there are more jobs than GPUs, GPUs are shared in turn, and with them
    their memory, most of which jax would otherwise take for one job.

    Args:
      slot: the number of the job, below `at_once`.
      at_once: how many run at a time.

    Returns:
      Variables to set; none where there are no GPUs.
    """
    if not self.ids:
      return {}
    at = slot % len(self.ids)
    sharing = len(range(at, at_once, len(self.ids)))
    found = {self.variable: self.ids[at]}
    if sharing > 1:
      found['XLA_PYTHON_CLIENT_MEM_FRACTION'] = f'{0.9 / sharing:.3f}'
    return found


NONE = Gpus()


def find(
  environment: Mapping[str, str] = os.environ, root: Path = _ROOT
) -> Gpus:
  """The GPUs that a process started from here would use, without jax.

  Args:
    environment: which names them where they were chosen already, as by SLURM,
      and may keep jax from them (JAX_PLATFORMS).
    root: of the file system.
  """
  nvidia = [*root.glob('dev/nvidia[0-9]*')]
  amd = [
    node
    for node in root.glob('sys/class/kfd/kfd/topology/nodes/*/gpu_id')
    if node.read_text().strip() != '0'  # a CPU
  ]
  return _chosen(environment, ('CUDA_VISIBLE_DEVICES',), 'cuda', nvidia) or (
    _chosen(
      environment,
      ('HIP_VISIBLE_DEVICES', 'ROCR_VISIBLE_DEVICES'),
      'rocm',
      amd,
    )
    or NONE
  )


def _chosen(
  environment: Mapping[str, str],
  variables: Sequence[str],
  platform: str,
  found: Sequence[Path],
) -> Gpus | None:
  """Those of a platform; None where there are none or jax is kept from them."""
  asked = environment.get('JAX_PLATFORMS', '').lower()
  if asked and not {platform, 'gpu'} & set(asked.split(',')):
    return None
  for variable in variables:
    if variable in environment:
      ids = environment[variable].replace(' ', '').split(',')
      return Gpus(variable, tuple(x for x in ids if x and x != '-1'))
  if not found:
    return None
  return Gpus(variables[-1], tuple(map(str, range(len(found)))))
