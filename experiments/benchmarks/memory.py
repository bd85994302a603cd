"""Memory of many updates of a model: what they take, and whether it grows.

  python -m experiments.benchmarks.memory sae12:quick --updates=50000

Prints the memory of this process, in MB, as Linux counts it: before anything is
compiled, after the first update, at ten marks on the way, and its peak. Memory
is no timing: a busy machine gives the same figures.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from structae.commands import config_flags
from structae.commands.parser import Parser, at_least, run

MARKS = 10


def resident(kind: str = 'VmRSS') -> float:
  """MB of this process in memory; of its peak with `VmHWM`."""
  text = Path('/proc/self/status').read_text()
  found = re.search(rf'{kind}:\s*(\d+) kB', text)
  assert found
  return int(found[1]) * 1024 / 1e6


def main(argv: Sequence[str] | None = None) -> int:
  return run(lambda: _main(sys.argv[1:] if argv is None else argv))


def _main(argv: Sequence[str]) -> None:
  parser = Parser('python -m experiments.benchmarks.memory', __doc__)
  parser.add_argument('--updates', type=at_least(MARKS), default=1000)
  config_flags.add(parser)
  command, asked = config_flags.read(parser, argv)
  from structae import benchmark, build  # which import jax

  print(f'before: {resident():.0f} MB', flush=True)
  setup = benchmark.Setup(command.config, build.source(command.config))
  update = setup.update()
  print(
    f'after the first update: {resident():.0f} MB '
    f'(XLA: {update.temporary / 1e6:.0f} MB temporary)',
    flush=True,
  )
  for mark in range(1, MARKS + 1):
    for _ in range(asked.updates // MARKS):
      update.run()
    num = mark * (asked.updates // MARKS) * update.images // setup.size
    print(f'after {num:,} more: {resident():.0f} MB', flush=True)
  print(f'peak: {resident("VmHWM"):.0f} MB')


if __name__ == '__main__':
  sys.exit(main())
