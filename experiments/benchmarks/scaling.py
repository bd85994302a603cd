"""What several devices give to one run, on paper: nothing here is measured.

  python -m experiments.benchmarks.scaling

An update takes `fixed + variable / n + sum`: what a device does whatever its
share of the batch (launches), what its share costs, and the sum of gradients
over n devices, a ring that sends 2 (n - 1) / n of their bytes.
"""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from structae.commands import parser as arguments


class Model(NamedTuple):
  """A model on one H100; milliseconds are estimates, good to 40 %.

  Attributes:
    name: with its size and batch.
    batch_size: images an update.
    gradient: bytes, float32.
    fixed: milliseconds of an update that do not shrink with the batch.
    variable: those that do.
  """

  name: str
  batch_size: int
  gradient: float
  fixed: float
  variable: float


class Link(NamedTuple):
  """What connects devices; assumed, not measured.

  Attributes:
    name: of it.
    gigabytes: per second, that a sum over all gets.
    hop: milliseconds from one device to the next.
  """

  name: str
  gigabytes: float
  hop: float


MODELS = (
  Model('SAE-12, 64 px, batch 128', 128, 4.5e6, 1.2, 2.0),
  Model('SAE-16, 128 px, batch 32', 32, 26e6, 1.2, 6.0),
)
LINKS = (
  Link('NVLink', 200, 0.002),
  Link('400 Gb InfiniBand', 40, 0.005),
  Link('100 Gb Ethernet', 9, 0.02),
)
DEVICES = (2, 4, 8, 16, 64)
_START = 0.05  # milliseconds to start a sum
# The study: 24 models, 5 seeds, 4 data sets.
NUM_RUNS = 24 * 5 * 4
NUM_UPDATES = 100_000
_RESULTS = 600  # seconds to encode, score and draw a run


def bytes_sent(model: Model, n: int) -> float:
  """Bytes that each device sends in an update."""
  return 2 * (n - 1) / n * model.gradient


def milliseconds(model: Model, link: Link, n: int) -> float:
  """Of one update over n devices."""
  if n == 1:
    return model.fixed + model.variable
  sent = bytes_sent(model, n) / (link.gigabytes * 1e6)
  hops = 2 * (n - 1) * link.hop
  return model.fixed + model.variable / n + sent + hops + _START


def speed_up(model: Model, link: Link, n: int) -> float:
  """How many times faster than one device."""
  return milliseconds(model, link, 1) / milliseconds(model, link, n)


def hours_apart(model: Model, num_devices: int) -> float:
  """Of the study with one run per device, all of them at once."""
  run = NUM_UPDATES * milliseconds(model, LINKS[0], 1) / 1e3 + _RESULTS
  return -(-NUM_RUNS // num_devices) * run / 3600


def hours_together(model: Model, link: Link, num_devices: int) -> float:
  """Of the study with one run after the other, each on all devices."""
  run = NUM_UPDATES * milliseconds(model, link, num_devices) / 1e3 + _RESULTS
  return NUM_RUNS * run / 3600


def table() -> str:
  """The speed-ups, in Markdown."""
  lines = [
    f'| speed-up on n devices | {" | ".join(map(str, DEVICES))} |',
    f'| --- {"| --- " * len(DEVICES)}|',
  ]
  for model in MODELS:
    for link in LINKS:
      cells = [
        f'{speed_up(model, link, n):.1f}' if n <= model.batch_size else '-'
        for n in DEVICES
      ]
      lines.append(f'| {model.name}, {link.name} | {" | ".join(cells)} |')
  for model in MODELS:
    cells = [f'{bytes_sent(model, n) / 1e6:.1f}' for n in DEVICES]
    lines.append(f'| {model.name}: MB sent per update | {" | ".join(cells)} |')
  return '\n'.join(lines)


def study() -> str:
  """The study on one GPU and on 64, in Markdown."""
  model, link = MODELS[0], LINKS[1]
  rows = {
    'one GPU': hours_apart(model, 1),
    '8 GPUs, a run on each': hours_apart(model, 8),
    '64 GPUs, a run on each': hours_apart(model, 64),
    '64 GPUs, all on one run': hours_together(model, link, 64),
  }
  lines = [f'| {NUM_RUNS} runs on | hours |', '| --- | --- |']
  return '\n'.join([*lines, *(f'| {k} | {x:.1f} |' for k, x in rows.items())])


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = arguments.Parser('python -m experiments.benchmarks.scaling', __doc__)
  parser.parse_args(argv)
  return arguments.run(lambda: print(f'{table()}\n\n{study()}'))


if __name__ == '__main__':
  sys.exit(main())
