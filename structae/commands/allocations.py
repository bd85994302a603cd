"""What started this process, and how many others: by environment variables.

Imports no jax.
"""

import re
import zlib
from collections.abc import Mapping
from typing import NamedTuple

# The last ports of the dynamic range, where jax itself looks for one.
_FIRST_PORT, _NUM_PORTS = 61440, 4096

Environment = Mapping[str, str]


class Task(NamedTuple):
  """One of the processes that a scheduler started together.

  Attributes:
    started_by: the scheduler.
    num_processes: how many there are; None where jax finds out.
    process_id: which this is, from 0; None where jax finds out.
    coordinator: `HOST:PORT` of the first; None if that is not known.
    local_id: which this is on its machine.
    num_local: how many there are on its machine.
  """

  started_by: str
  num_processes: int | None = None
  process_id: int | None = None
  coordinator: str | None = None
  local_id: int = 0
  num_local: int = 1


def find(environment: Environment) -> Task | None:
  """The task of an allocation that holds several; None if there is none.

  A job of one task is none, and neither is a shell inside a job: it has some
  of the job's variables, but is no task of a step.

  Raises:
    ValueError: if a variable is no number.
  """
  return _slurm(environment) or _open_mpi(environment) or _tpu(environment)


def torchrun(environment: Environment) -> Task | None:
  """The place that torchrun gives a process, if all its variables are set."""
  names = ('MASTER_ADDR', 'MASTER_PORT', 'WORLD_SIZE', 'RANK')
  if not all(name in environment for name in names):
    return None
  # The port itself belongs to the agent of torchrun.
  port = int(environment['MASTER_PORT'])
  port += 'TORCHELASTIC_RUN_ID' in environment
  return Task(
    'torchrun',
    int(environment['WORLD_SIZE']),
    int(environment['RANK']),
    f'{environment["MASTER_ADDR"]}:{port}',
    int(environment.get('LOCAL_RANK', 0)),
    int(environment.get('LOCAL_WORLD_SIZE', 1)),
  )


def _slurm(environment: Environment) -> Task | None:
  # The script of a job has the first two; srun alone sets the third.
  names = ('SLURM_JOB_ID', 'SLURM_PROCID', 'SLURM_STEP_NODELIST')
  if not all(name in environment for name in names):
    return None
  text = environment.get(
    'SLURM_STEP_NUM_TASKS', environment.get('SLURM_NTASKS')
  )
  num = int(text or 1)
  if num < 2:
    return None
  job, step = environment['SLURM_JOB_ID'], environment.get('SLURM_STEP_ID', '0')
  host = _first_host(environment['SLURM_STEP_NODELIST'])
  # '4', or '4(x2),3' by machine.
  tasks = environment.get('SLURM_STEP_TASKS_PER_NODE', '1')
  local = re.match(r'\d+', tasks)
  return Task(
    'SLURM',
    num,
    int(environment['SLURM_PROCID']),
    f'{host}:{_port(f"{job}.{step}")}',
    int(environment.get('SLURM_LOCALID', 0)),
    int(local.group()) if local else 1,
  )


def _first_host(hosts: str) -> str:
  """The first of `node[007-015,020],other`."""
  found = re.match(r'([^,\[]+)(?:\[(\d+))?', hosts)
  return ''.join(found.groups(default='')) if found else hosts


def _open_mpi(environment: Environment) -> Task | None:
  num = int(environment.get('OMPI_COMM_WORLD_SIZE', 1))
  if num < 2 or 'OMPI_COMM_WORLD_RANK' not in environment:
    return None
  num_local = int(environment.get('OMPI_COMM_WORLD_LOCAL_SIZE', 1))
  # Across machines nothing of Open MPI 5 names the first one.
  job = environment.get('PMIX_NAMESPACE', '')
  return Task(
    'Open MPI',
    num,
    int(environment['OMPI_COMM_WORLD_RANK']),
    f'127.0.0.1:{_port(job)}' if num_local == num else None,
    int(environment.get('OMPI_COMM_WORLD_LOCAL_RANK', 0)),
    num_local,
  )


def _tpu(environment: Environment) -> Task | None:
  workers = environment.get('TPU_WORKER_HOSTNAMES', '')
  if ',' not in workers or 'TPU_WORKER_ID' not in environment:
    return None
  return Task('a TPU pod')  # jax knows its ways


def _port(job: str) -> int:
  """The port of a job: all its tasks get the same one."""
  return _FIRST_PORT + zlib.crc32(job.encode()) % _NUM_PORTS
