"""Writes the page about one run, or the page that compares several.

python -m experiments.report runs/sae12-shapes3d_synth-quick-1a2b3c4d
python -m experiments.report runs/* --output=comparison.html

Each is one HTML file that needs nothing else.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from experiments import arguments
from structae.config import ConfigError
from structae.figures.run_files import read_run


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = arguments.Parser('report', __doc__)
  parser.add_argument(
    'workdirs', nargs='+', metavar='DIR', help='the folder of a finished run'
  )
  parser.add_argument(
    '--output',
    type=Path,
    metavar='FILE',
    help='where to write; by default report.html in the folder of the run, '
    'or comparison.html in the current folder',
  )
  asked = parser.parse_args(argv)
  return arguments.run(lambda: _run(asked.workdirs, asked.output))


def _run(workdirs: Sequence[str], output: Path | None) -> None:
  for workdir in workdirs:
    read_run(workdir)  # errors before the slow import of matplotlib
  from structae import figures

  try:
    if len(workdirs) == 1:
      print(figures.write_report(workdirs[0], output))
    else:
      output = output or Path('comparison.html')
      print(figures.write_comparison(workdirs, output))
  except OSError as error:
    place = error.filename or output
    raise ConfigError(f'cannot write {place}: {error.strerror}') from error


if __name__ == '__main__':
  sys.exit(main())
