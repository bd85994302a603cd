"""Starts the processes of a command on this machine, and ends them together."""

import contextlib
import ctypes
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import IO

from structae.commands import gpus
from structae.commands.parser import complain
from structae.config import ConfigError
from structae.training import stop

_POLL_SECONDS = 0.05
# For all to end once one has failed, of which they all are told or not.
_GRACE_SECONDS = 5.0


def run(
  num: int, arguments: Sequence[str], environment: Mapping[str, str]
) -> int:
  """Runs `structae train` as several processes, until all have ended.

  SIGTERM and Ctrl-C are passed on, so that they save and end; a second one
  kills them. The first process prints to where this one does; what the others
  say is shown if one of them fails by itself.

  Args:
    num: how many.
    arguments: of the command; `--processes` among them.
    environment: its variables.

  Returns:
    0, or the code of the first that failed; 1 if it was killed.

  Raises:
    ConfigError: if this machine's GPUs cannot be shared out.
  """
  shares = _gpus(num, environment)
  command = [sys.executable, '-m', 'structae', 'train', *_without(arguments)]
  address = f'127.0.0.1:{_free_port()}'
  with contextlib.ExitStack() as held:
    stopping = held.enter_context(stop.Stop())
    logs = [held.enter_context(tempfile.TemporaryFile()) for _ in range(num)]
    running = [
      _start(command, log if i else None, {**environment} | {
        'JAX_COORDINATOR_ADDRESS': address,
        'JAX_NUM_PROCESSES': str(num),
        'JAX_PROCESS_ID': str(i),
      } | shares[i])
      for i, log in enumerate(logs)
    ]  # fmt: skip
    try:
      failed = _wait(running, stopping)
    finally:
      for process in running:
        process.kill()
        process.wait()
    return 0 if failed is None else _explain(failed, running, logs[failed])


def _without(arguments: Sequence[str]) -> list[str]:
  """The arguments, except for `--processes` and its number."""
  left, skip = [], False
  for text in arguments:
    if not skip and text.partition('=')[0] != '--processes':
      left.append(text)
    skip = text == '--processes'
  return left


def _free_port() -> int:
  with socket.socket() as sock:
    sock.bind(('127.0.0.1', 0))
    return sock.getsockname()[1]


def _gpus(num: int, environment: Mapping[str, str]) -> list[dict[str, str]]:
  """For each process, the variable that leaves it an equal part of the GPUs."""
  found = gpus.find(environment)
  if not found.ids:
    return [{} for _ in range(num)]
  each, rest = divmod(len(found.ids), num)
  if rest or not each:
    raise ConfigError(
      f'--processes={num} does not divide the {len(found.ids)} GPUs of this '
      'machine'
    )
  return [
    {found.variable: ','.join(found.ids[i * each : (i + 1) * each])}
    for i in range(num)
  ]


def _start(
  command: Sequence[str], log: IO[bytes] | None, environment: Mapping[str, str]
) -> subprocess.Popen:
  return subprocess.Popen(
    command,
    env=environment,
    stdin=subprocess.DEVNULL,
    stdout=log,
    stderr=log,
    start_new_session=True,  # Ctrl-C would reach it twice, which aborts
    preexec_fn=_end_with_parent if sys.platform == 'linux' else None,
  )


def _end_with_parent() -> None:
  """Asks Linux for SIGTERM if the process that started this one is killed."""
  ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _wait(
  running: Sequence[subprocess.Popen], stopping: stop.Stop
) -> int | None:
  """Waits until all have ended, or one has failed; returns which, or None."""
  passed_on = False
  while True:
    codes = [process.poll() for process in running]
    failed = next((i for i, code in enumerate(codes) if code), None)
    if failed is not None:
      return _first_to_fail(running, failed)
    if None not in codes:
      return None
    if stopping.requested and not passed_on:
      passed_on = True
      for process in running:
        process.send_signal(signal.SIGTERM)
    time.sleep(_POLL_SECONDS)


def _first_to_fail(running: Sequence[subprocess.Popen], failed: int) -> int:
  """Lets the others end by themselves; prefers one that was killed."""
  end = time.monotonic() + _GRACE_SECONDS
  while any(p.poll() is None for p in running):
    if time.monotonic() > end or any((p.poll() or 0) < 0 for p in running):
      break  # who is left waits for one that is gone
    time.sleep(_POLL_SECONDS)
  killed = [i for i, p in enumerate(running) if p.returncode == -signal.SIGKILL]
  return killed[0] if killed else failed


def _explain(
  failed: int, running: Sequence[subprocess.Popen], log: IO[bytes]
) -> int:
  """Says what ended the run, unless the first process has."""
  code = running[failed].returncode
  if code < 0:
    name = signal.Signals(-code).name
    complain(
      f'process {failed} of {len(running)} was ended by {name}, and so were '
      'the others; the same command goes on from the last checkpoint'
    )
    return 1
  if failed:
    log.seek(0)
    sys.stderr.write(log.read().decode('utf-8', 'replace'))
  return code
