"""Brings the numbers of studies and runs into docs/results.json and its page.

  python -m experiments.paper.results [FOLDER ...] [--docs=docs]

FOLDER is that of a study (record.json), of a run (scores.json,
over_training.json), of an extrapolation (extrapolation.json) or of hybrids of
groups (grouped.json). Each table of
docs/results.md after a line `<!-- results: NAME -->` is written anew; sentences
are not, and tests/test_results_page.py holds their numbers against the file.
Without a folder the tables are written of what the file holds.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from structae import files
from structae.commands import parser as parsing
from structae.config import ConfigError

_TABLE = re.compile(r'(<!-- results: ([\w ]+) -->\n\n)((?:\|.*\n)*)\n*')


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = parsing.Parser('python -m experiments.paper.results', __doc__)
  add = parser.add_argument
  add('folders', type=Path, nargs='*', metavar='FOLDER', help='what to add')
  add('--docs', type=Path, default='docs', help='the documents; docs')
  asked = parser.parse_args(argv)
  return parsing.run(lambda: _run(asked.folders, asked.docs))


def _run(folders: Sequence[Path], docs: Path) -> None:
  page, path = docs / 'results.md', docs / 'results.json'
  if not page.is_file():
    raise ConfigError(f'there is no {page}; give the folder of the documents')
  from experiments.paper import results_file

  content = results_file.read(path)
  for folder in folders:
    for section in results_file.merge(content, folder):
      print(f'{section}: from {folder}')
  results_file.write(path, content)
  before = page.read_text('utf-8')
  files.write_text(page, written(before, results_file.read(path)))
  print(f'written: {path}, {page}')


def written(page: str, content: Mapping[str, Any]) -> str:
  """A page with its tables made anew.

  Args:
    page: Markdown.
    content: of `docs/results.json`.
  """
  from experiments.paper import result_tables

  return _TABLE.sub(
    lambda found: f'{found[1]}{result_tables.made(found[2], content)}\n', page
  )


def tables(page: str) -> dict[str, str]:
  """The tables of a page by name."""
  return {name: table for _, name, table in _TABLE.findall(page)}


if __name__ == '__main__':
  sys.exit(main())
