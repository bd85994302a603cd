"""What happens to several processes that train together, fault by fault.

  python -m experiments.faults [NAME ...] [--folder=DIR]

Each fault is made on this machine, with tiny runs on CPUs, and what was seen is
printed as a row of a table; without names, all of them, which takes half an
hour on two cores. `docs/distributed.md` holds what was seen.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from experiments import kills
from experiments.group import TINY, Group
from structae.commands import parser as arguments
from structae.run import Run


class Wrong(AssertionError):
  """What was seen is not what is promised."""


def check(is_so: bool, group: Group, what: str) -> None:
  if not is_so:
    raise Wrong(f'{what}\n{group.logs()}')


def ended(group: Group, codes: Sequence[int], num_errors: int = 1) -> str:
  """Waits for the end, and says how it was."""
  start = time.monotonic()
  found, errors = group.wait(), group.errors()
  seconds = time.monotonic() - start
  said = f'codes {found} after {seconds:.1f} s; {" / ".join(errors)}'
  check(found == [*codes], group, f'expected codes {codes}, got {said}')
  check(len(errors) == num_errors, group, f'expected {num_errors}: {said}')
  return said


def finish(
  folder: Path, num: int = 2, num_devices: int = 2, *flags: str
) -> str:
  """Goes on with a run to its end."""
  with Group(folder, num, num_devices, *flags) as group:
    ended(group, [0] * num, 0)
    check((folder / 'COMPLETE').exists(), group, 'no COMPLETE')
    (at,) = re.findall(r'resuming at step (\d+)', group.out(0)) or ('0',)
    return f'went on at step {at}'


def whole(folder: Path) -> Path:
  """A run of two processes and four devices that nobody disturbs."""
  run = folder.parent / 'whole'
  if not (run / 'COMPLETE').exists():
    finish(run)
  return run


def equal(folder: Path, other: Path) -> str:
  different = kills.differences(folder, other)
  if different:
    raise Wrong(f'{folder} differs in {", ".join(different)}')
  return 'the same bits as undisturbed'


def signalled(folder: Path, who: int, number: int) -> str:
  run = folder / 'run'
  with Group(run, 2, 2) as group:
    group.wait_for(1)
    group.signal(who, number)
    said = ended(group, [0, 0], 0)
    check('saved' in group.out(0), group, 'nothing was saved')
    said += re.findall(r'stopped at step \d+', group.out(0))[-1]
  return f'{said}; {finish(run)}, {equal(run, whole(folder))}'


def sigterm_to_the_second(folder: Path) -> str:
  return signalled(folder, 1, signal.SIGTERM)


def ctrl_c_to_the_first(folder: Path) -> str:
  return signalled(folder, 0, signal.SIGINT)


def sigterm_while_scoring(folder: Path) -> str:
  run = folder / 'run'
  with Group(run, 2, 2) as group:
    group.wait_for_text('encoding')
    group.signal(0, signal.SIGTERM)
    said = ended(group, [0, 0], 0)
    check(not (run / 'COMPLETE').exists(), group, 'it went on to the end')
    (where,) = re.findall(r'stopped .*', group.out(0))
  return f'{said}{where}; {finish(run)}, {equal(run, whole(folder))}'


def two_sigterms(folder: Path) -> str:
  run = folder / 'run'
  with Group(run, 2, 2, '--heartbeat=10') as group:
    group.wait_for(1)
    start = time.monotonic()
    group.signal(1, signal.SIGTERM)
    time.sleep(0.1)
    group.signal(1, signal.SIGTERM)
    codes = group.wait()
    said = f'codes {codes} after {time.monotonic() - start:.1f} s'
    check(0 not in codes, group, said)
  return f'{said}; {finish(run)}, {equal(run, whole(folder))}'


def killed(folder: Path, who: int) -> str:
  run = folder / 'run'
  with Group(run, 2, 2, '--heartbeat=10') as group:
    group.wait_for(1)
    start = time.monotonic()
    group.signal(who, signal.SIGKILL)
    codes = group.wait()
    said = f'codes {codes} after {time.monotonic() - start:.1f} s'
    check(0 not in codes, group, said)
    said += f'; {" / ".join(group.errors()) or "a dump of jax"}'
  return f'{said}; {finish(run)}, {equal(run, whole(folder))}'


def kill_amid_updates(folder: Path) -> str:
  flags = [
    '--config.train.save_minutes=1000.0',
    '--config.train.num_steps=9999',
  ]
  with Group(folder / 'run', 2, 1, *flags) as group:
    group.wait_for_text('first step')
    group.signal(1, signal.SIGKILL)
    return ended(group, [1, -signal.SIGKILL])


def kill_of_the_second(folder: Path) -> str:
  return killed(folder, 1)


def kill_of_the_first(folder: Path) -> str:
  return killed(folder, 0)


def not_finite(folder: Path) -> str:
  with Group(
    folder / 'run', 2, 1, '--config.train.learning_rate=1e30'
  ) as group:
    return ended(group, [1, 1])


def a_process_never_starts(folder: Path) -> str:
  with Group(folder / 'run', 2, 1, '--timeout=15', absent=[1]) as group:
    first = ended(group, [1])
  with Group(folder / 'run', 2, 1, '--timeout=15', absent=[0]) as group:
    return f'{first}; without the first: {ended(group, [1])}'


def other_seed(folder: Path) -> str:
  own = {1: ['--config.seed=1']}
  with Group(folder / 'run', 2, 1, own=own) as group:
    return ended(group, [2, 2])


def a_mistake_in_one(folder: Path) -> str:
  own = {1: ['--config.train.batch_size=0']}
  with Group(folder / 'run', 2, 1, own=own) as group:
    return ended(group, [2, 2])


def a_mistake_in_all(folder: Path) -> str:
  with Group(folder / 'run', 2, 1, '--config.train.batch_size=13') as group:
    return ended(group, [2, 2])


def other_devices(folder: Path) -> str:
  with Group(folder / 'run', 2, [1, 3]) as group:
    return ended(group, [2, 2])


def folder_not_shared(folder: Path) -> str:
  own = {1: [f'--workdir={folder / "other"}']}
  with Group(folder / 'run', 2, 1, own=own) as group:
    return ended(group, [2, 2])


def folder_in_use(folder: Path) -> str:
  run = folder / 'run'
  with Group(run, 1, 1, '--config.train.num_steps=100000') as holder:
    holder.wait_for(1)
    with Group(run, 2, 1, '--config.train.num_steps=100000') as group:
      return ended(group, [2, 2])


def folder_of_another_run(folder: Path) -> str:
  with Group(whole(folder), 2, 2, '--config.seed=7') as group:
    return ended(group, [2, 2])


def data_missing_on_one(folder: Path) -> str:
  data, flags = pictures(folder)
  own = {0: [f'--config.data.path={data}'], 1: ['--config.data.path=/no/where']}
  with Group(folder / 'run', 2, 1, *flags, own=own) as group:
    return ended(group, [2, 2])


def disk_full_on_the_first(folder: Path) -> str:
  run = folder / 'run'
  with Group(run, 2, 2) as group:
    group.wait_for(1)
    group.signal(0, signal.SIGTERM)
    ended(group, [0, 0], 0)
  with Group(run, 2, 2, '--heartbeat=10', largest_file=10) as group:
    codes = group.wait()
    said = f'codes {codes}; {" / ".join(group.errors())}'
    check(0 not in codes and 'File too large' in said, group, said)
  return f'{said}; {finish(run)}, {equal(run, whole(folder))}'


def finished_run_again(folder: Path) -> str:
  with Group(whole(folder), 2, 2) as group:
    said = ended(group, [0, 0], 0)
    check('mig' in group.out(0), group, 'no table')
    check(not group.out(1), group, 'the second has printed')
  return f'{said}the table once'


def other_topologies(folder: Path) -> str:
  said = []
  for num, num_devices in ((1, 4), (4, 1)):
    run = folder / f'{num}x{num_devices}'
    with Group(run, 2, 2) as group:
      group.wait_for(2)
      group.signal(0, signal.SIGTERM)
      ended(group, [0, 0], 0)
    at = finish(run, num, num_devices)
    gap = largest_gap(run, whole(folder))
    said.append(f'2x2, then {num}x{num_devices}: {at}, losses within {gap:.1e}')
  return '; '.join(said)


def largest_gap(folder: Path, other: Path) -> float:
  """The largest relative difference of two runs' training losses."""
  pairs = zip(Run(folder).rows, Run(other).rows, strict=True)
  gaps = [abs(a['loss'] - b['loss']) / abs(b['loss']) for a, b in pairs]
  if max(gaps) > 1e-5:
    raise Wrong(f'{folder} and {other} differ by {max(gaps):.1e}')
  return max(gaps)


def eight_devices(folder: Path) -> str:
  """100 updates on 1x8, 2x4 and 4x2."""
  flags = ['--config.train.num_steps=100']
  for num in (1, 2, 4):
    finish(folder / f'{num}', num, 8 // num, *flags)
  gaps = [largest_gap(folder / x, folder / '1') for x in ('2', '4')]
  return f'2x4 and 4x2 differ from 1x8 by {gaps[0]:.1e} and {gaps[1]:.1e}'


def pictures(folder: Path) -> tuple[Path, list[str]]:
  """A folder of 200 pictures, and the flags of a run on it."""
  data = folder / 'pictures'
  data.mkdir(parents=True, exist_ok=True)
  rng = np.random.RandomState(0)
  for i in range(200):
    small = rng.randint(0, 256, (4, 4, 3)).astype(np.uint8)
    Image.fromarray(small).resize((32, 32)).save(data / f'{i:03d}.png')
  flags = ['--config.data.name=folder']
  return data, [*flags, f'--config.data.path={data}']


def stored_sets(folder: Path) -> str:
  _, flags = pictures(folder)
  runs = []
  for storage in ('resident', 'memmap'):
    finish(folder / storage, 2, 2, *flags, f'--config.data.storage={storage}')
    runs.append(Run(folder / storage).rows)
  prepared = [*folder.glob('cache/structae/data/*/manifest.json')]
  if runs[0] != runs[1] or len(prepared) != 1:
    raise Wrong(f'resident and memmap differ, or {len(prepared)} were prepared')
  sharded = '--config.data.storage=sharded'
  with Group(folder / 'cut', 2, 1, *flags, sharded) as group:
    said = ended(group, [2, 2])
  return f'prepared once; resident and memmap alike; sharded: {said}'


class Spawned:
  """`--processes=2`; a context that ends it and those that it started."""

  def __init__(self, folder: Path):
    self.folder, self.log = folder, folder.with_name('spawned.log')
    command = [sys.executable, '-m', 'structae', 'train', *TINY]
    with open(self.log, 'w') as log:
      self.parent = subprocess.Popen(
        [*command, '--processes=2', f'--workdir={folder}'],
        stdout=subprocess.DEVNULL,
        stderr=log,
        env=os.environ | {'JAX_PLATFORMS': 'cpu', 'JAX_NUM_CPU_DEVICES': '2'},
      )

  def __enter__(self) -> 'Spawned':
    return self

  def __exit__(self, *error: object) -> None:
    self.parent.kill()
    self.parent.wait()

  def wait_for_one_more(self) -> None:
    """Waits until there is another checkpoint than those that there are."""
    seals = lambda: {*self.folder.glob('checkpoints/*/seal.json')}
    before, end = seals(), time.monotonic() + 200
    while not seals() - before:
      if time.monotonic() > end or self.parent.poll() is not None:
        raise Wrong(f'no checkpoint: {self.log.read_text()}')
      time.sleep(0.02)

  def children(self) -> list[int]:
    """The process ids of those that it started, as Linux knows them."""
    pid = self.parent.pid
    text = Path(f'/proc/{pid}/task/{pid}/children').read_text()
    return [int(x) for x in text.split()]

  def end(self) -> str:
    """Its exit code and what it has printed to stderr."""
    start = time.monotonic()
    code = self.parent.wait(timeout=120)
    said = ' / '.join(self.log.read_text().splitlines())
    return f'code {code} after {time.monotonic() - start:.1f} s; {said}'


def alive(pids: Sequence[int]) -> list[int]:
  """Those that have not ended."""
  return [x for x in pids if Path(f'/proc/{x}').exists()]


def spawned_and_killed(folder: Path) -> str:
  run = folder / 'run'
  with Spawned(run) as group:
    group.wait_for_one_more()
    children = group.children()
    os.kill(children[1], signal.SIGKILL)
    said = group.end()
    if 'code 1' not in said or said.count('error: ') != 1 or alive(children):
      raise Wrong(f'{said}; alive: {alive(children)}')
  with Spawned(run) as group:
    again = group.end()
  if 'code 0' not in again:
    raise Wrong(again)
  return f'{said}; again: {again}{equal(run, whole(folder))}'


def spawned_and_interrupted(folder: Path) -> str:
  run = folder / 'run'
  with Spawned(run) as group:
    group.wait_for_one_more()
    group.parent.send_signal(signal.SIGINT)
    said = group.end()
  if 'code 0' not in said or (run / 'COMPLETE').exists():
    raise Wrong(said)
  return f'{said}{finish(run)}, {equal(run, whole(folder))}'


def the_one_that_started_them_is_killed(folder: Path) -> str:
  run = folder / 'run'
  with Spawned(run) as group:
    group.wait_for_one_more()
    children = group.children()
    group.parent.kill()
    group.end()
    end = time.monotonic() + 60
    while alive(children):
      if time.monotonic() > end:
        raise Wrong(f'still alive: {alive(children)}')
      time.sleep(0.1)
  return f'they saved and ended; {finish(run)}, {equal(run, whole(folder))}'


FAULTS: dict[str, Callable[[Path], str]] = {
  function.__name__: function
  for function in (
    kill_amid_updates, kill_of_the_second, kill_of_the_first,
    sigterm_to_the_second,
    ctrl_c_to_the_first, sigterm_while_scoring, two_sigterms,
    not_finite, a_process_never_starts,
    other_seed, a_mistake_in_one, a_mistake_in_all, other_devices,
    folder_not_shared, folder_in_use, folder_of_another_run,
    data_missing_on_one, disk_full_on_the_first, finished_run_again,
    other_topologies, eight_devices, stored_sets, spawned_and_killed,
    spawned_and_interrupted, the_one_that_started_them_is_killed,
  )
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = arguments.Parser('python -m experiments.faults', __doc__)
  add = parser.add_argument
  add('names', nargs='*', choices=[[], *FAULTS], metavar='NAME')
  add('--folder', type=Path, help='where the runs go [a temporary folder]')
  asked = parser.parse_args(argv)
  return arguments.run(lambda: _main(asked))


def _main(asked: argparse.Namespace) -> None:
  folder = asked.folder or Path(tempfile.mkdtemp(prefix='faults-'))
  wrong = 0
  for name in asked.names or FAULTS:
    start = time.monotonic()
    for path in folder.glob(f'{name}/run*'):  # of an earlier trial
      shutil.rmtree(path, ignore_errors=True)
    try:
      own = folder / name
      own.mkdir(parents=True, exist_ok=True)
      said = FAULTS[name](own)
    except (Wrong, TimeoutError, ChildProcessError) as error:
      said, wrong = f'WRONG: {error}', wrong + 1
    seconds = time.monotonic() - start
    print(f'| {name} | {said} | {seconds:.0f} s |', flush=True)
  if wrong:
    raise arguments.Failed(f'{wrong} faults went otherwise; see {folder}')


if __name__ == '__main__':
  sys.exit(main())
