"""Measures a config on the devices at hand.

  structae benchmark CONFIG [--against=FIELD=VALUE] [--repeats=N]
      [--output=FILE.json] [--config.FIELD=VALUE ...]
  structae benchmark --suite [CONFIG] [--rows=NAME,...]

Prints the time to compile, the time of an update, images per second for
training, encoding, decoding and input alone, and the share of the matrix
product rate measured on the same devices that an update reaches. --against
measures a second config, which differs in one field, in turn with the first,
and prints the ratio: only ratios of interleaved runs hold on a shared machine.

--suite measures all that is worth knowing of a GPU, row by row, by default of
sae12: updates in float32, TF32 and bfloat16, one, ten and fifty of them a call,
SAE-16 at 128 pixels, encoding, hybrid samples, the input alone, the network of
the FID. On a CPU name rows (--rows=update-float32,hybrids): many updates a call
are slow there. Beside PyTorch: python -m experiments.benchmarks.against_torch.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from structae import files
from structae.commands import config_flags
from structae.commands.parser import Parser, at_least, check_new, run
from structae.config import ConfigError


def main(argv: Sequence[str]) -> int:
  """Runs the command; returns its exit code."""
  return run(lambda: _run(argv))


def _parser() -> Parser:
  parser = Parser('structae benchmark', __doc__)
  parser.add_argument('--against', metavar='FIELD=VALUE')
  parser.add_argument('--suite', action='store_true')
  parser.add_argument('--rows', default='', metavar='NAME,...')
  parser.add_argument('--repeats', type=at_least(1), default=5, metavar='N')
  parser.add_argument('--output', type=Path, metavar='FILE.json')
  config_flags.add(parser)
  return parser


def _run(argv: Sequence[str]) -> None:
  asked, unknown = _parser().parse_known_args(argv)
  if asked.suite and not (asked.given or asked.config):
    asked.given = 'sae12'
  command = config_flags.command(asked, unknown)
  if asked.suite and asked.against:
    raise ConfigError('--suite measures rows of its own; leave out --against')
  if asked.rows and not asked.suite:
    raise ConfigError('--rows are those of --suite; add it')
  configs = {'this': command.config}
  if asked.against:
    changed = [*argv, f'--config.{asked.against}']
    configs[asked.against] = config_flags.read(_parser(), changed)[0].config
  if asked.output:
    check_new(asked.output, ('.json',))
  if asked.suite:
    table, text = _suite(command.config, asked)
  else:
    table, text = _measure(configs, asked.repeats)
  print(text)
  if asked.output:
    files.write_text(asked.output, json.dumps(table, indent=1) + '\n')


def _measure(configs: dict[str, Any], repeats: int) -> tuple[Any, str]:
  from structae import benchmark  # which imports jax

  table = benchmark.measure(configs, repeats)
  return table, benchmark.as_text(table)


def _suite(config: Any, asked: Any) -> tuple[Any, str]:
  from structae import suite  # which imports jax

  rows = asked.rows.split(',') if asked.rows else [*suite.ROWS]
  for row in rows:
    if row not in suite.ROWS:
      known = ', '.join(suite.ROWS)
      raise ConfigError(f'--rows names {row!r:.80}; there are: {known}')
  table = suite.measure(config, asked.repeats, rows)
  return table, suite.as_text(table)
