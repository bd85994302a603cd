"""Scores saved codes: no model and no accelerator needed.

python -m experiments.evaluate --workdir=DIR
python -m experiments.evaluate --codes=FILE [--test_codes=FILE]
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from structae.evaluation import codes as saved
from structae.evaluation import scores

FULL = (10_000, 5_000)  # the paper's protocol: points to fit, points to judge


_PARTS = ('scores', 'matrices', 'details')


class _Parser(argparse.ArgumentParser):
  def error(self, message: str) -> NoReturn:
    self.exit(2, f'{self.prog}: {message}\n')


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  arguments = _arguments(argv)
  try:
    metrics = arguments.metrics.split(',') if arguments.metrics else None
    scores.check_names(metrics or [])
    files, output = _files(arguments)
    parts = [saved.load(file) for file in files]
    if arguments.points == 'full':
      parts = _drawn(parts)
    test = parts[1] if len(parts) > 1 else None
    result = scores.score_codes(parts[0], test, metrics)
    for entry in result['scores'].values():
      entry['points'] = arguments.points
    for name in result['codes']['dropped_factors']:
      print(f'factor {name} is constant and was left out.', file=sys.stderr)
    if output is not None:
      result = _merged(output, result)
      scores.save(output, result)
  except (ValueError, OSError) as error:
    print(f'evaluate: {error}', file=sys.stderr)
    return 2
  print(scores.table(result))
  if output is not None:
    print(f'written to {output}')
  return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
  parser = _Parser(prog='evaluate', description=__doc__, allow_abbrev=False)
  parser.add_argument('--workdir', type=Path, help='the folder of a run')
  parser.add_argument('--codes', type=Path, help='an .npz file of codes')
  parser.add_argument('--test_codes', type=Path, help='one that was held out')
  parser.add_argument('--metrics', help='names, separated by commas')
  parser.add_argument('--output', type=Path, help='the JSON file to write')
  parser.add_argument(
    '--points',
    choices=('split', 'full'),
    default='split',
    help='score the files as they are, or points drawn from all of them',
  )
  arguments = parser.parse_args(argv)
  if (arguments.workdir is None) == (arguments.codes is None):
    parser.error('give either --workdir=DIR or --codes=FILE.')
  if arguments.workdir is not None and arguments.test_codes is not None:
    parser.error('--test_codes goes with --codes; a run has its own.')
  return arguments


def _files(arguments: argparse.Namespace) -> tuple[list[Path], Path | None]:
  """The files to score, held-out codes second, and where scores go."""
  if arguments.workdir is None:
    given = [arguments.codes, arguments.test_codes]
    return [file for file in given if file is not None], arguments.output
  folder = arguments.workdir / 'codes'
  files = [folder / 'train.npz', folder / 'test.npz']
  validation = folder / 'validation.npz'
  if arguments.points == 'full' and validation.is_file():
    files.append(validation)
  return files, arguments.output or arguments.workdir / 'scores.json'


def _drawn(parts: list[saved.Codes]) -> list[saved.Codes]:
  """Draws the paper's points from all parts together, or two thirds of them."""
  shapes = {part.codes.shape[1:] + part.factor_names for part in parts}
  if len(shapes) > 1:
    raise ValueError('the files differ in their variables or factors.')
  whole = parts[0]._replace(
    codes=np.concatenate([p.codes for p in parts]),
    log_var=None,
    factors=np.concatenate([p.factors for p in parts]),
    indices=np.concatenate([p.indices for p in parts]),
  )
  order = np.random.default_rng(0).permutation(len(whole.codes))[: sum(FULL)]
  num = round(len(order) * FULL[0] / sum(FULL))
  return [scores.take(whole, order[:num]), scores.take(whole, order[num:])]


def _merged(path: Path, result: dict[str, Any]) -> dict[str, Any]:
  """Keeps what else the file holds of the same codes."""
  if not path.is_file():
    return result
  try:
    old = json.loads(path.read_text())
    kept = {key: dict(old.get(key, {})) for key in _PARTS}
    was = dict(old.get('codes', result['codes']))
  except (ValueError, AttributeError, TypeError) as error:
    raise ValueError(f'{path} holds no scores; move it away.') from error
  for key in ('step', 'config_hash'):
    mine = result['codes']['meta'].get(key)
    if None not in (mine, old.get(key)) and mine != old[key]:
      raise ValueError(
        f'the codes are of {key} {mine}, the scores in {path} of {old[key]}; '
        'encode again, or give another --output.'
      )
  if was != json.loads(json.dumps(result['codes'])):
    print(f'{path} held scores of other codes; replaced.', file=sys.stderr)
    return result
  merged = {key: {**kept[key], **result[key]} for key in _PARTS}
  return {**old, **result, **merged}


if __name__ == '__main__':
  sys.exit(main())
