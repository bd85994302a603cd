"""Writes the page about one run, or the page that compares several.

  structae report runs/sae12-shapes3d_synth-quick-1a2b3c4d
  structae report runs/* [--output=comparison.html]

Each is one HTML file that needs nothing else. A run's report.html is renewed;
any other file must be new. Of several folders, those of no run are skipped.
"""

from collections.abc import Sequence
from pathlib import Path

from structae import streams
from structae.commands.parser import Parser, check_new, run
from structae.config import ConfigError
from structae.run import read_run


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = Parser('structae report', __doc__)
  parser.add_argument(
    'folders', type=Path, nargs='+', metavar='DIR',
    help='the folder of a finished run',
  )  # fmt: skip
  parser.add_argument(
    '--output', type=Path, metavar='FILE',
    help='where to write; by default report.html in the folder of the run, '
    'or comparison.html in the current folder',
  )  # fmt: skip
  asked = parser.parse_args(argv)
  return run(lambda: _run(asked.folders, asked.output))


def _run(folders: Sequence[Path], output: Path | None) -> None:
  several = len(folders) > 1
  if several:
    folders = [folder for folder in folders if _is_run(folder)]
    output = output or Path('comparison.html')
  if not folders:
    raise ConfigError('none of the folders is of a run; give one or more')
  if output:
    check_new(output, ('.html',))
  for folder in folders:
    read_run(folder)  # errors before the slow import of matplotlib
  from structae import pages

  if several:
    print(pages.write_comparison(folders, output or Path('comparison.html')))
  else:
    print(pages.write_report(folders[0], output))


def _is_run(folder: Path) -> bool:
  found = (folder / 'config.json').is_file()
  if not found:
    streams.note(f'skipped: {folder} has no config.json')
  return found
