"""Kills a small run at random moments, and compares it with one left alone.

  python -m experiments.kills [--num=N] [--seed=S] [--folder=DIR]

Each of N runs is sent SIGKILL, SIGTERM or SIGINT after a random time, and its
command repeated, until it finishes. Prints how many runs were lost, how many
differ in a byte of their parameters, metrics, codes or scores, and how many
kills there were.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from structae.commands import parser as arguments
from structae.run import Run

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
MOST_KILLS = 6  # of a run; then it is left to end
RESULTS = (
  'metrics.jsonl', 'pool.npz', 'scores.json', 'codes/train.npz',
  'codes/validation.npz', 'codes/test.npz',
)  # fmt: skip
# An SAE-4 of four blocks, whose steps take milliseconds.
_COMMAND = (
  *(sys.executable, '-m', 'structae', 'train', 'sae4:smoke'),
  '--config.model.num_latents=4',
  '--config.model.num_blocks=4',
  '--config.model.head=16',
  '--config.model.str_tfm=8',
  '--config.train.num_steps=1000',
  '--config.train.log_every=50',
  '--config.train.validate_every=100',
  '--config.train.save_minutes=0.0',
  '--config.evaluation.num_train=256',
)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = arguments.Parser('python -m experiments.kills', __doc__)
  add = parser.add_argument
  add('--num', type=arguments.at_least(1), default=5, help='runs [5]')
  add('--seed', type=arguments.at_least(0), default=0, help='of moments [0]')
  add('--folder', type=Path, help='where the runs go [a temporary folder]')
  asked = parser.parse_args(argv)
  return arguments.run(lambda: _main(asked))


def _main(asked: argparse.Namespace) -> None:
  folder = asked.folder or Path(tempfile.mkdtemp(prefix='kills-'))
  folder.mkdir(parents=True, exist_ok=True)
  rng = random.Random(asked.seed)
  whole = folder / 'whole'
  if _train(whole, None, rng):
    raise arguments.Failed(f'the run left alone has failed; see {whole}.log')
  lost = differ = kills = 0
  for i in range(asked.num):
    one = folder / f'{i:04d}'
    num, ended = _until_finished(one, rng)
    different = [] if not ended else differences(one, whole)
    kills += num
    lost += not ended
    differ += bool(different)
    state = f'differs in {", ".join(different)}' if different else 'equal'
    print(f'{one}: {num} kills, {state if ended else "lost"}', flush=True)
    if ended and not different:
      shutil.rmtree(one)
  print(f'{asked.num} runs, {kills} kills: {lost} lost, {differ} differ')
  if lost or differ:
    raise arguments.Failed(f'some runs did not survive; see {folder}')


def _until_finished(folder: Path, rng: random.Random) -> tuple[int, bool]:
  """Repeats the command; returns the number of kills, and if it finished."""
  kills = 0
  while not Run(folder).is_finished:
    number = rng.choice(SIGNALS) if kills < MOST_KILLS else None
    code = _train(folder, number, rng)
    if Run(folder).is_finished:
      break
    if number is None or code in (1, 2):
      return kills, False
    kills += 1
  return kills, True


def _train(folder: Path, number: int | None, rng: random.Random) -> int:
  """Runs the command, with a signal at a random moment; its exit code."""
  with open(f'{folder}.log', 'ab') as log:
    process = subprocess.Popen(
      [*_COMMAND, f'--workdir={folder}'], stdout=log, stderr=log
    )
    if number is not None:
      try:
        return process.wait(rng.uniform(0.1, 40))
      except subprocess.TimeoutExpired:
        process.send_signal(number)
    return process.wait()


def differences(folder: Path, other: Path) -> list[str]:
  """What differs between two finished runs."""
  found = [
    name
    for name in RESULTS
    if (folder / name).read_bytes() != (other / name).read_bytes()
  ]
  left, right = (
    jax.tree.leaves(Run(x).model().params) for x in (folder, other)
  )
  if not all(np.array_equal(a, b) for a, b in zip(left, right, strict=True)):
    found.append('parameters')
  return found


if __name__ == '__main__':
  sys.exit(main())
