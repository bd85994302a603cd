"""The flags of several processes, and the place of this one among them.

Imports no jax, so that a contradiction is answered at once.
"""

import argparse
from collections.abc import Mapping
from typing import Any, NamedTuple

from structae.commands import allocations
from structae.commands.parser import Parser, at_least
from structae.config import ConfigError

# Of a process; by flags, else by JAX_COORDINATOR_ADDRESS and so on.
_FIELDS = {
  'coordinator': 'JAX_COORDINATOR_ADDRESS',
  'num_processes': 'JAX_NUM_PROCESSES',
  'process_id': 'JAX_PROCESS_ID',
}


class Place(NamedTuple):
  """The place of a process among those that train together.

  Attributes:
    coordinator: `HOST:PORT` of the first process; None where jax finds it and
      the two numbers, as on a TPU pod.
    num_processes: how many there are.
    process_id: which this is, from 0.
    device_ids: those of its machine's GPUs that it takes; None for all.
    timeout: seconds to wait for all of them to start.
    heartbeat: seconds without a sign after which one counts as lost.
  """

  coordinator: str | None
  num_processes: int | None
  process_id: int | None
  device_ids: list[int] | None
  timeout: int
  heartbeat: int


def add(parser: Parser) -> None:
  """Adds the flags."""
  add = parser.add_argument_group('several processes').add_argument
  add(
    '--distributed', choices=('auto', 'on', 'off'), default='auto',
    help='join the processes that were started with this one; auto: where '
    'SLURM, Open MPI or a TPU pod have started several',
  )  # fmt: skip
  add('--coordinator', metavar='HOST:PORT', help='of the first process')
  add('--num_processes', type=at_least(1), metavar='N', help='how many')
  add('--process_id', type=at_least(0), metavar='I', help='which, from 0')
  add(
    '--processes', type=at_least(2), metavar='N',
    help='start so many on this machine',
  )  # fmt: skip
  add(
    '--timeout', type=at_least(1), default=300, metavar='S',
    help='seconds to wait for all to start [300]',
  )  # fmt: skip
  add(
    '--heartbeat', type=at_least(1), default=100, metavar='S',
    help='seconds until a process that gives no sign counts as lost [100]',
  )  # fmt: skip


def place(
  flags: argparse.Namespace, environment: Mapping[str, str]
) -> Place | None:
  """The place of this process; None if it trains alone, or starts others.

  Args:
    flags: those of `add`. They count before `JAX_COORDINATOR_ADDRESS`,
      `JAX_NUM_PROCESSES` and `JAX_PROCESS_ID`, and these before what the
      scheduler says that started the process.
    environment: variables of the process.

  Raises:
    ConfigError: one line, if they contradict each other or do not suffice.
  """
  given = [f'--{name}' for name in _FIELDS if getattr(flags, name) is not None]
  if given and flags.distributed == 'off':
    raise ConfigError(
      f'--distributed=off contradicts {given[0]}; leave one out'
    )
  if flags.processes and (given or flags.distributed == 'on'):
    other = [*given, '--distributed=on'][0]
    raise ConfigError(
      f'--processes={flags.processes} starts processes here and tells them '
      f'where they belong; leave out {other}'
    )
  if flags.distributed == 'off':
    return None
  try:
    task = allocations.find(environment)
    if task is None and flags.distributed == 'on':
      task = allocations.torchrun(environment)
    found = _found(flags, environment, task)
  except ValueError as error:
    raise ConfigError(
      f'{error}; a variable of several processes must be a number'
    ) from error
  if flags.processes:
    if task or _known(found):
      by = task.started_by if task else 'JAX_COORDINATOR_ADDRESS and its kin'
      raise ConfigError(
        f'--processes={flags.processes}, but {by} already says where this '
        'process belongs; leave it out, or add --distributed=off'
      )
    return None
  # A cluster may set a coordinator for everything that runs in it.
  says_nothing = not given and set(_known(found)) <= {'coordinator'}
  if flags.distributed == 'auto' and task is None and says_nothing:
    return None
  _check(found, task)
  if found['num_processes'] == 1:
    return None
  return Place(
    **found,
    device_ids=_share(task, environment),
    timeout=flags.timeout,
    heartbeat=flags.heartbeat,
  )


def _found(
  flags: argparse.Namespace,
  environment: Mapping[str, str],
  task: allocations.Task | None,
) -> dict[str, Any]:
  """The three fields, each from the first that names it."""
  found = {}
  for name, variable in _FIELDS.items():
    text = environment.get(variable) or None
    value = getattr(flags, name)
    if value is None and text is not None:
      value = text if name == 'coordinator' else int(text)
    if value is None and task is not None:
      value = getattr(task, name)
    found[name] = value
  return found


def _known(found: Mapping[str, Any]) -> list[str]:
  return [name for name, value in found.items() if value is not None]


def _check(
  found: Mapping[str, Any],
  task: allocations.Task | None,
) -> None:
  """Refuses a place that is half given, or none."""
  if not _known(found):  # jax finds all three
    return
  missing = [f'--{name}' for name in _FIELDS if found[name] is None]
  if missing:
    by = f' ({task.started_by} does not say)' if task else ''
    raise ConfigError(
      f'of several processes {" and ".join(missing)} must be given too{by}'
    )
  num, index, address = (
    found['num_processes'], found['process_id'], found['coordinator']
  )  # fmt: skip
  if not 0 <= index < num:
    raise ConfigError(
      f'process_id is {index}; expected 0 to {num - 1}, for num_processes is '
      f'{num}'
    )
  host, _, port = address.rpartition(':')
  if not host or not port.isdecimal() or not 0 < int(port) < 65536:
    raise ConfigError(
      f'the coordinator is {address!r:.80}; expected HOST:PORT of process 0, '
      'such as node1:61500'
    )


def _share(
  task: allocations.Task | None, environment: Mapping[str, str]
) -> list[int] | None:
  """Which of the GPUs that it sees a task takes: an equal part."""
  if task is None or task.num_local < 2:
    return None
  visible = environment.get('CUDA_VISIBLE_DEVICES')
  num = len(visible.split(',')) if visible else task.num_local
  if num < task.num_local:  # the scheduler has parted them
    return None
  each = num // task.num_local
  return list(range(task.local_id * each, (task.local_id + 1) * each))
