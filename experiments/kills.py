"""Kills a small run in each of its phases, and compares it with one left alone.

  python -m experiments.kills [--num=N] [--seed=S] [--folder=DIR]

A run is sent SIGKILL, SIGTERM or SIGINT, up to eight times, at random moments
of its start, its training, its savings, its scoring and its drawing; after each
its command is repeated, and at last left to finish. That is done over and over
until there were N kills. Prints how many there were in each phase, how many
runs were lost, how many differ in a byte of their parameters, metrics, codes,
scores or figures, and how many tracebacks were printed.
"""

import argparse
import collections
import dataclasses
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import jax
import numpy as np

from structae.commands import parser as arguments
from structae.run import Run

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# Phases in their order, by the words that begin them; a saving begins with a
# file. Where each is as likely, as many kills hit it, however short it is.
PHASES = {
  'start': '',
  'training': 'first step, with compilation',
  'saving': '',
  'scoring': 'encoding',
  'drawing': 'drawing',
}
_NEXT = {
  'start': 'training', 'training': 'scoring', 'saving': 'scoring',
  'scoring': 'drawing', 'drawing': None,
}  # fmt: skip
_SAVING_SECONDS = 0.1
_PYTHON_SECONDS = 0.3
_MOST_KILLS = 8  # of a run
RESULTS = (
  'metrics.jsonl', 'pool.npz', 'samples.npz', 'scores.json', 'codes/train.npz',
  'codes/validation.npz', 'codes/test.npz', 'figures/*.png',
)  # fmt: skip
# An SAE-4 of four blocks on a few images, so that most of the time of a run is
# not spent on numbers.
_COMMAND = (
  *(sys.executable, '-m', 'structae', 'train', 'sae4:smoke,folder'),
  '--config.data.size=32',
  '--config.model.num_latents=4',
  '--config.model.num_blocks=4',
  '--config.model.head=16',
  '--config.model.str_tfm=8',
  '--config.train.num_steps=80',
  '--config.train.log_every=8',
  '--config.train.validate_every=40',
  '--config.train.save_minutes=0.0',
)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = arguments.Parser('python -m experiments.kills', __doc__)
  add = parser.add_argument
  add('--num', type=arguments.at_least(1), default=20, help='kills [20]')
  add('--seed', type=arguments.at_least(0), default=0, help='of moments [0]')
  add('--folder', type=Path, help='where the runs go [a temporary folder]')
  asked = parser.parse_args(argv)
  return arguments.run(lambda: _main(asked))


def _main(asked: argparse.Namespace) -> None:
  folder = asked.folder or Path(tempfile.mkdtemp(prefix='kills-'))
  folder.mkdir(parents=True, exist_ok=True)
  trials = Trials(folder, random.Random(asked.seed))
  lost = differ = number = 0
  while trials.kills.total() < asked.num:
    one, number = folder / f'{number:04d}', number + 1
    before = trials.kills.total()
    ended = trials.until_finished(one, asked.num - before)
    different = differences(one, trials.whole) if ended else []
    lost += not ended
    differ += bool(different)
    state = f'differs in {", ".join(different)}' if different else 'equal'
    state = state if ended else 'lost'
    print(f'{one}: {trials.kills.total() - before} kills, {state}', flush=True)
    if ended and not different:
      shutil.rmtree(one)
  tracebacks = sum(
    log.read_text(errors='replace').count('Traceback')
    for log in folder.glob('*.log')
  )
  counts = ', '.join(f'{trials.kills[name]} in {name}' for name in PHASES)
  print(
    f'{number} runs, {trials.kills.total()} kills ({counts}): {lost} lost, '
    f'{differ} differ, {tracebacks} tracebacks'
  )
  if lost or differ or tracebacks:
    raise arguments.Failed(f'some runs did not survive; see {folder}')


@dataclasses.dataclass
class Trials:
  """Runs to kill, beside one that is left alone.

  Attributes:
    folder: of all of them; what they compile is kept there, or compiling would
      take most of their time.
    rng: draws signals and moments.
  """

  folder: Path
  rng: random.Random

  def __post_init__(self) -> None:
    self.whole = self.folder / 'whole'
    self.images = self.folder / 'images.npz'
    if not self.images.exists():
      _write_images(self.images)
    self.kills: collections.Counter[str] = collections.Counter()
    if not Run(self.whole).is_finished:
      _finish(self._start(self.whole))
    # Again, with all that is compiled at hand, for the time each phase takes.
    timed = self.folder / 'timed'
    shutil.rmtree(timed, ignore_errors=True)
    self.seconds = _durations(self._start(timed), self._log(timed))
    found = differences(timed, self.whole)
    if found:
      raise arguments.Failed(f'two runs left alone differ in {found}')
    shutil.rmtree(timed)

  def until_finished(self, folder: Path, most: int) -> bool:
    """Kills a run at moments in their order, then lets it end.

    Args:
      folder: of the run.
      most: the number of kills at most.

    Returns:
      Whether the run has ended well.
    """
    num = min(most, _MOST_KILLS)
    chosen = self.rng.choices(range(len(PHASES)), k=num)
    for phase in [list(PHASES)[i] for i in sorted(chosen)]:
      code = self._killed_in(phase, folder)
      if Run(folder).is_finished:
        return True
      if code in (1, 2):
        return False
    _finish(self._start(folder))
    return Run(folder).is_finished

  def _killed_in(self, phase: str, folder: Path) -> int:
    """Runs the command up to a moment of a phase; its exit code."""
    log, number = self._log(folder), self.rng.choice(SIGNALS)
    moment = self.rng.random() * self.seconds[phase]
    begin = log.stat().st_size if log.exists() else 0
    stale = _half_saved(folder)
    process = self._start(folder)

    def is_in(phase: str) -> bool:
      if phase == 'saving':
        return bool(_half_saved(folder) - stale)
      return PHASES[phase] in _tail(log, begin)

    later = _NEXT[phase]
    is_over = lambda: later is not None and is_in(later)
    while process.poll() is None and not (is_in(phase) or is_over()):
      time.sleep(0.005)
    if phase == 'start':  # of ours; before, it is Python that starts
      moment = max(moment, _PYTHON_SECONDS)
    end = time.monotonic() + moment
    # A phase may be shorter than in the run left alone, or have passed before.
    while process.poll() is None and time.monotonic() < end and not is_over():
      time.sleep(0.005)
    if process.poll() is None:
      process.send_signal(number)
      self.kills[phase] += 1
    return process.wait()

  def _start(self, folder: Path) -> subprocess.Popen:
    environment: Mapping[str, str] = {
      'JAX_COMPILATION_CACHE_DIR': str(self.folder / 'compiled'),
      'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0',
      'PYTHONUNBUFFERED': '1',
      'XDG_CACHE_HOME': str(self.folder / 'cache'),
    }
    with open(self._log(folder), 'ab') as log:
      return subprocess.Popen(
        [
          *_COMMAND,
          f'--config.data.path={self.images}',
          f'--workdir={folder}',
        ],
        stdout=log,
        stderr=log,
        env={**os.environ, **environment},
      )

  def _log(self, folder: Path) -> Path:
    return folder.with_suffix('.log')


def _half_saved(folder: Path) -> set[Path]:
  return {*(folder / 'checkpoints').glob('*tmp*')}


def _write_images(path: Path) -> None:
  rng = np.random.default_rng(0)
  factors = rng.integers(0, 4, (400, 3))
  images = np.repeat(63 * factors, 32 * 32, 0).reshape(-1, 32, 32, 3)
  np.savez(path, images=images.astype(np.uint8), factors=factors)


def _finish(process: subprocess.Popen) -> None:
  if process.wait():
    raise arguments.Failed(f'{process.args!s} has failed; see its log')


def _tail(path: Path, begin: int) -> str:
  with open(path, 'rb') as stream:
    stream.seek(begin)
    return stream.read().decode(errors='replace')


def _durations(process: subprocess.Popen, log: Path) -> dict[str, float]:
  """How long each phase of a run takes that is left alone, in seconds."""
  phases = [name for name in PHASES if name != 'saving']
  begin = log.stat().st_size
  starts = [time.monotonic()]
  for name in phases[1:]:
    while PHASES[name] not in _tail(log, begin) and process.poll() is None:
      time.sleep(0.005)
    starts.append(time.monotonic())
  _finish(process)
  ends = [*starts[1:], time.monotonic()]
  took = {n: b - a for n, a, b in zip(phases, starts, ends, strict=True)}
  print(', '.join(f'{n} {s:.1f} s' for n, s in took.items()), flush=True)
  return {**took, 'saving': _SAVING_SECONDS}


def differences(folder: Path, other: Path) -> list[str]:
  """What differs between two finished runs."""
  found = [
    name
    for name in sorted({*_results(folder), *_results(other)})
    if not all((x / name).is_file() for x in (folder, other))
    or (folder / name).read_bytes() != (other / name).read_bytes()
  ]
  left, right = (
    jax.tree.leaves(Run(x).model().params) for x in (folder, other)
  )
  if not all(np.array_equal(a, b) for a, b in zip(left, right, strict=True)):
    found.append('parameters')
  return found


def _results(folder: Path) -> Iterator[str]:
  for pattern in RESULTS:
    if '*' in pattern:
      for path in folder.glob(pattern):
        yield str(path.relative_to(folder))
    else:
      yield pattern


if __name__ == '__main__':
  sys.exit(main())
