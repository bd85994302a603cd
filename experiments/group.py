"""Processes that train together on this machine, for tests and long trials.

Each group has a port of its own and a hard limit, and leaves nobody behind.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# An SAE-4 of four blocks, whose steps take milliseconds.
TINY = (
  'sae4:smoke',
  '--config.model.num_latents=4',
  '--config.model.num_blocks=4',
  '--config.model.head=16',
  '--config.model.str_tfm=8',
  '--config.train.num_steps=100',
  '--config.train.log_every=10',
  '--config.train.validate_every=20',
  '--config.train.save_minutes=0.0',
  '--config.evaluation.num_train=128',
  '--config.evaluation.num_test=64',
  '--config.evaluation.num_samples=8',
  '--config.evaluation.metrics=mig',
)


class Group:
  """The processes of one run; a context that kills whoever is left at its end.

  Attributes:
    folder: of the run.
    processes: by their number.
  """

  def __init__(
    self,
    folder: Path,
    num: int,
    num_devices: int | Sequence[int] = 1,
    *flags: str,
    own: Mapping[int, Sequence[str]] | None = None,
    absent: Sequence[int] = (),
    largest_file: int | None = None,
    seconds: float = 250,
  ):
    """Starts them.

    Args:
      folder: of the run; the logs lie beside it.
      num: how many processes; one is told nothing of several.
      num_devices: CPU devices of each, or of all.
      *flags: besides `TINY`.
      own: further flags of some processes.
      absent: those that are not started.
      largest_file: the limit of a file's kilobytes in the first.
      seconds: how long they may take in all.
    """
    self.folder = folder
    self._end = time.monotonic() + seconds
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = [f'--coordinator=127.0.0.1:{free_port()}', f'--num_processes={num}']
    self.processes: dict[int, subprocess.Popen] = {}
    if isinstance(num_devices, int):
      num_devices = [num_devices] * num
    for i in range(num):
      if i not in absent:
        joined = [*place, f'--process_id={i}'] if num > 1 else []
        mine = [*joined, *flags, *(own or {}).get(i, ())]
        limit = largest_file if i == 0 else None
        self.processes[i] = self._start(i, mine, num_devices[i], limit)

  def _start(
    self, i: int, flags: Sequence[str], num_devices: int, limit: int | None
  ) -> subprocess.Popen:
    command = [sys.executable, '-m', 'structae', 'train', *TINY]
    if limit:
      # What it prints goes through a pipe, which has no limit.
      pipes = 'exec 2> >(exec cat >&2) > >(exec cat)'
      limited = f'{pipes}; ulimit -f {limit}; exec "$0" "$@"'
      command = ['bash', '-c', limited, *command]
    variables = {
      'JAX_PLATFORMS': 'cpu',
      'JAX_NUM_CPU_DEVICES': str(num_devices),
      'XDG_CACHE_HOME': str(self.folder.parent / 'cache'),
    }
    with open(self._log(i, 'out'), 'wb') as out:
      with open(self._log(i, 'err'), 'wb') as err:
        return subprocess.Popen(
          [*command, f'--workdir={self.folder}', *flags],
          stdin=subprocess.DEVNULL,
          stdout=out,
          stderr=err,
          env=os.environ | variables,
          start_new_session=True,
        )

  def _log(self, i: int, kind: str) -> Path:
    return self.folder.with_name(f'{self.folder.name}.{i}.{kind}')

  def __enter__(self) -> 'Group':
    return self

  def __exit__(self, *error: object) -> None:
    for process in self.processes.values():
      if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

  def wait(self) -> list[int]:
    """The exit codes in order, once all have ended.

    Raises:
      TimeoutError: with what they printed, if that takes too long.
    """
    self._until(lambda: self._num_alive() == 0)
    return [process.returncode for process in self.processes.values()]

  def wait_for_text(self, text: str) -> None:
    """Waits until the first has printed something."""
    self._until(lambda: text in self.out(0))

  def wait_for(self, num: int = 1) -> None:
    """Waits until there are checkpoints up to a multiple of ten steps.

    Raises:
      ChildProcessError: if one ends before.
    """
    seal = self.folder / 'checkpoints' / f'{10 * num:08d}' / 'seal.json'
    total = len(self.processes)
    self._until(lambda: seal.exists() or self._num_alive() < total)
    if not seal.exists():
      raise ChildProcessError(f'one has ended:\n{self.logs()}')

  def _num_alive(self) -> int:
    return sum(p.poll() is None for p in self.processes.values())

  def _until(self, is_so: Callable[[], bool]) -> None:
    while not is_so():
      if time.monotonic() > self._end:
        raise TimeoutError(f'still running:\n{self.logs()}')
      time.sleep(0.02)

  def signal(self, i: int, number: int) -> None:
    """Sends a signal to one of them."""
    self.processes[i].send_signal(number)

  def out(self, i: int) -> str:
    """What one has printed, but for greetings of the collectives."""
    lines = self._log(i, 'out').read_text('utf-8').splitlines(keepends=True)
    return ''.join(line for line in lines if not line.startswith('[Gloo] '))

  def errors(self) -> list[str]:
    """The lines `error: ...` of all."""
    texts = [self._log(i, 'err').read_text('utf-8') for i in self.processes]
    lines = [line for text in texts for line in text.splitlines()]
    return [line for line in lines if line.startswith('error: ')]

  def logs(self) -> str:
    """The ends of all that they have printed."""
    kinds = [(i, kind) for i in self.processes for kind in ('out', 'err')]
    ends = [self._log(*kind).read_text('utf-8')[-2000:] for kind in kinds]
    return '\n'.join(f'--- {k} ---\n{text}' for k, text in zip(kinds, ends))


def free_port() -> int:
  """A port of this machine that nobody listens on."""
  with socket.socket() as sock:
    sock.bind(('127.0.0.1', 0))
    return sock.getsockname()[1]
