"""Tries many cases of a kind.

python -m experiments.fuzz commands|flips|arrays [--num=5000] [--seed=0]

Prints how many cases were answered, refused, or ended as none may, and every
fault; exits with 1 if there is one. Everything is written into a temporary
folder.
"""

import argparse
import importlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from structae.commands.parser import Failed, Parser, at_least, run

KINDS = ('commands', 'flips', 'arrays')


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = Parser('python -m experiments.fuzz', __doc__)
  parser.add_argument('kind', choices=KINDS)
  parser.add_argument('--num', type=at_least(1), default=5000)
  parser.add_argument('--seed', type=at_least(0), default=0)
  asked = parser.parse_args(argv)
  return run(lambda: _run(asked))


def _run(asked: argparse.Namespace) -> None:
  kind = importlib.import_module(f'experiments.fuzz.{asked.kind}')
  with tempfile.TemporaryDirectory() as folder:
    tally = kind.fuzz(Path(folder), asked.num, asked.seed)
  for line in tally.lines():
    print(line.encode('ascii', 'backslashreplace').decode())
  if tally.faults:
    raise Failed(f'{len(tally.faults)} faults')


if __name__ == '__main__':
  raise SystemExit(main())
