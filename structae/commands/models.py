"""Lists the trained models that come with the package.

  structae models

Each is opened by its name, where a folder is expected too:

  structae sample NAME
  structae encode NAME --images=PICTURES
  structae.load_pretrained('NAME')

The page about one, with all of its scores: the README.md in the folder that
is named last.
"""

from collections.abc import Sequence
from typing import Any

from structae import files, shipped
from structae.commands import parser as parsing

# Scores of the list, and what stands over them.
_SCORES = {
  'test_mse': 'MSE',
  'mig': 'MIG',
  'disentanglement': 'DCI-D',
  'informativeness_test': 'informed',
}


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = parsing.Parser('structae models', __doc__)
  parser.parse_args(argv)
  return parsing.run(_list)


def _list() -> None:
  rows = [('name', 'updates', 'size', *_SCORES.values())]
  rows += [_row(name) for name in shipped.names()]
  widths = [max(map(len, column)) for column in zip(*rows)]
  for first, *rest in rows:
    cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:])]
    print('  '.join([first.ljust(widths[0]), *cells]))
  print(f'in {shipped.FOLDER}')


def _row(name: str) -> tuple[str, ...]:
  content = files.read_object(shipped.FOLDER / name / 'config.json')
  scores: dict[str, Any] = content['scores']
  return (
    name,
    f'{content["step"]:,}',
    f'{content["weights"]["bytes"] / 1e6:.1f} MB',
    *(f'{scores[k]["value"]:.2g}' if k in scores else '' for k in _SCORES),
  )
