"""Joins processes that train together, and parts them when they have.

Most of what can go wrong here would hang, or end in a dump: each process waits
for the others inside jax.
"""

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from structae import devices, processes, streams, watch
from structae.processes import Lost, Told


def join(
  coordinator: str | None,
  num_processes: int | None,
  process_id: int | None,
  device_ids: list[int] | None = None,
  timeout: int = 300,
  heartbeat: int = 100,
) -> None:
  """Joins the other processes; must come before any other use of jax.

  Args:
    coordinator: `HOST:PORT` of the first process, which listens there; None
      where jax finds it and the numbers, as on a TPU pod.
    num_processes: how many there are.
    process_id: which this is, from 0.
    device_ids: of the GPUs that it sees, those that it takes; None for all.
    timeout: seconds to wait for the others.
    heartbeat: seconds without a sign after which a process counts as lost, and
      all others end.

  Raises:
    Told: if they have other devices.
    Lost: if jax cannot join them.
  """
  known = coordinator is not None
  which = f'{num_processes} processes' if known else 'processes'
  late = (
    f'not all {which} came to {coordinator or "the coordinator"} within '
    f'{timeout} s; start all of them, or give a longer --timeout'
  )
  # It would take SIGTERM, which `training.stop` hears and tells the others.
  if hasattr(jax.config, 'jax_enable_preemption_service'):
    jax.config.update('jax_enable_preemption_service', False)
  with _or_end(timeout, late):
    try:
      jax.distributed.initialize(
        coordinator,
        num_processes,
        process_id,
        local_device_ids=device_ids,
        # What runs on one machine sees all its devices, unless told otherwise.
        cluster_detection_method='deactivate' if known else None,
        initialization_timeout=2 * timeout,  # it would end us with a dump
        heartbeat_timeout_seconds=heartbeat,
      )
      devices.check()
    except (RuntimeError, ValueError) as error:
      raise Lost(
        f'cannot join {which}: {processes.first_line(error)}'
      ) from error
    if processes.several():
      _check_devices()
      if not processes.first():
        _be_silent()
      _meet()
      _start_watch(coordinator)


@contextlib.contextmanager
def _or_end(seconds: float, message: str) -> Iterator[None]:
  """Ends the process if what is inside takes longer: it cannot be stopped."""

  def end() -> None:
    print(f'error: {message}', file=sys.stderr, flush=True)
    os._exit(1)

  timer = threading.Timer(seconds, end)
  timer.daemon = True
  timer.start()
  try:
    yield
  finally:
    timer.cancel()


def _be_silent() -> None:
  """Drops what this process prints, be it from C++; errors remain."""
  sys.stdout.flush()
  os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _check_devices() -> None:
  """Refuses devices that differ: all see those of all, so all say the same."""
  kinds: dict[int, list[str]] = {}
  for device in jax.devices():
    kinds.setdefault(device.process_index, []).append(device.device_kind)
  for i, found in sorted(kinds.items()):
    if found != kinds[0]:
      raise Told(
        f'process {i} has {len(found)} x {found[0]}, process 0 '
        f'{len(kinds[0])} x {kinds[0][0]}; give each the same devices',
        2,
      )


def _meet() -> None:
  """Lets all devices meet while all processes wait for it.

  Devices meet when they first compute together, for which there are 30 s on
  CPUs; later, one process may be compiling that long.
  """
  processes.any_of(False)
  local = devices.local_mesh()
  ones = jax.device_put(np.ones(local.size), NamedSharding(local, P('data')))
  jax.block_until_ready(jax.jit(jnp.sum)(ones))


_watch: watch.Watch | None = None


def _start_watch(coordinator: str | None) -> None:
  """Lets all notice at once that one is gone, where they reach the first."""
  global _watch
  server, known = watch.listen() if processes.first() else (None, [])
  host = coordinator.rpartition(':')[0] if coordinator else socket.gethostname()
  host, port, token = processes.lead(lambda: [host, *known])
  num_others = jax.process_count() - 1
  peers = processes.agree(
    lambda: (
      watch.accept(server, token, num_others)
      if server
      else watch.connect(host, port, token)
    )
  )
  error = ConnectionError('it has left without a word')
  message = f'error: {processes.lost(error)}'
  # Without the first, jax ends the others with a dump in a moment; the first
  # has the time to let `--processes` say what has happened.
  patience = 1.0 if server else 0.0
  _watch = watch.Watch(peers, lambda: streams.note(message), patience)


def leave() -> None:
  """Takes leave of the others: they end in good order, too."""
  if _watch:
    _watch.leave()


def take_last_word() -> None:
  """Before this process says that another is gone: it is said once."""
  if _watch:
    _watch.take_last_word()


def part() -> bool:
  """Ends what is global; returns whether this process goes on alone.

  The first one does. Its devices have met before, see `_meet`: others could not
  any more.
  """
  if not processes.several():
    return True
  jax.distributed.shutdown()
  leave()
  return processes.first()
