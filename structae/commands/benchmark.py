"""Measures a config on the devices at hand.

  structae benchmark CONFIG [--against=FIELD=VALUE] [--repeats=N]
      [--output=FILE.json] [--config.FIELD=VALUE ...]

Prints the time to compile, the time of an update, images per second for
training, encoding, decoding and input alone, and the share of the matrix
product rate measured on the same devices that an update reaches. --against
measures a second config, which differs in one field, in turn with the first,
and prints the ratio: only ratios of interleaved runs hold on a shared machine.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from structae import files
from structae.commands import config_flags
from structae.commands.parser import Parser, at_least, check_new, run


def main(argv: Sequence[str]) -> int:
  """Runs the command; returns its exit code."""
  return run(lambda: _run(argv))


def _parser() -> Parser:
  parser = Parser('structae benchmark', __doc__)
  parser.add_argument('--against', metavar='FIELD=VALUE')
  parser.add_argument('--repeats', type=at_least(1), default=5, metavar='N')
  parser.add_argument('--output', type=Path, metavar='FILE.json')
  config_flags.add(parser)
  return parser


def _run(argv: Sequence[str]) -> None:
  command, asked = config_flags.read(_parser(), argv)
  configs = {'this': command.config}
  if asked.against:
    changed = [*argv, f'--config.{asked.against}']
    configs[asked.against] = config_flags.read(_parser(), changed)[0].config
  if asked.output:
    check_new(asked.output, ('.json',))
  from structae import benchmark  # which imports jax

  table = benchmark.measure(configs, asked.repeats)
  print(benchmark.as_text(table))
  if asked.output:
    files.write_text(asked.output, json.dumps(table, indent=1) + '\n')
