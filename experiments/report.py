"""Writes the page about one run, or the page that compares several.

python -m experiments.report runs/sae12-shapes3d_synth-quick-1a2b3c4d
python -m experiments.report runs/* --output=comparison.html
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from structae.figures.run_files import read_run


class _Parser(argparse.ArgumentParser):
  def error(self, message: str) -> NoReturn:
    fail(f'{message}. See --help.')


def fail(message: object) -> NoReturn:
  """One line on stderr, exit code 2."""
  print(f'error: {message}', file=sys.stderr)
  raise SystemExit(2)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
  parser = _Parser(
    prog='python -m experiments.report',
    description='Writes one self-contained HTML page: about one finished run, '
    'or comparing several.',
  )
  parser.add_argument(
    'workdirs', nargs='+', metavar='DIR', help='the folder of a finished run'
  )
  parser.add_argument(
    '--output',
    metavar='FILE',
    help='where to write; by default report.html in the folder of the run, '
    'or comparison.html in the current folder',
  )
  return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
  args = parse(arguments)
  try:
    for workdir in args.workdirs:
      read_run(workdir)  # errors before the slow import of matplotlib
    from structae import figures

    if len(args.workdirs) == 1:
      print(figures.write_report(args.workdirs[0], args.output))
    else:
      output = args.output or 'comparison.html'
      print(figures.write_comparison(args.workdirs, output))
  except ValueError as error:
    fail(error)
  except OSError as error:
    fail(f'cannot write {error.filename or args.output}: {error.strerror}.')


if __name__ == '__main__':
  main()
