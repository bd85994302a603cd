"""Runs notebooks and keeps their pictures and tables, to be seen on GitHub.

  python -m experiments.notebooks quickstart editing ...

Each is run as it stands, in an empty folder, and written back with outputs of
the session alone: no time, speed, device or path of the machine, nothing of
stderr, no scripts, which GitHub does not show. `metadata.outputs_of` is a
digest of the code that made them, by which a test sees those that are stale.
"""

import base64
import hashlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from structae import extras, files
from structae.commands import parser as arguments

ROOT = Path(__file__).parents[1]
LARGEST = 400_000  # bytes of a notebook
MARK = 'outputs_of'
PICTURE = 'image/png'
# Lines that are of the machine, or of the moment: how fast, on what, how far.
_OF_THE_MACHINE = re.compile(
  r'images/s|with compilation|^device: |^structae \S+ on |^step \d| left$'
)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  known = sorted(path.stem for path in (ROOT / 'colab').glob('*.ipynb'))
  parser = arguments.Parser('python -m experiments.notebooks', __doc__)
  parser.add_argument('names', nargs='+', choices=known, metavar='NAME',
                      help=', '.join(known))  # fmt: skip
  names = parser.parse_args(argv).names
  return arguments.run(lambda: _renew_all(names))


def _renew_all(names: Sequence[str]) -> None:
  for name in names:
    _renew(name)


def _renew(name: str) -> None:
  nbformat = extras.require('nbformat', 'test', 'running notebooks')
  path = ROOT / 'colab' / f'{name}.ipynb'
  notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
  run(notebook)
  keep(notebook)
  text = nbformat.writes(notebook) + '\n'
  size = len(text.encode())
  if size > LARGEST:
    raise ValueError(
      f'{name} has {size:,} bytes with its outputs; expected {LARGEST:,} at '
      'most: show fewer or smaller pictures'
    )
  files.write_text(path, text)
  print(f'{path.relative_to(ROOT)}: {size:,} bytes')


def run(notebook: Any) -> None:
  """Runs all cells, in an empty folder.

  Raises:
    nbclient.exceptions.CellExecutionError: if one fails.
  """
  nbclient = extras.require('nbclient', 'test', 'running notebooks')
  paths = [str(ROOT), *filter(None, [os.environ.get('PYTHONPATH')])]
  with tempfile.TemporaryDirectory() as folder:
    client = nbclient.NotebookClient(
      notebook, kernel_name='python3', resources={'metadata': {'path': folder}}
    )
    client.execute(env={**os.environ, 'PYTHONPATH': os.pathsep.join(paths)})


def keep(notebook: Any) -> None:
  """Leaves what is to be seen of the outputs of a notebook that was run."""
  for cell in notebook.cells:
    cell.metadata = {}
    if cell.cell_type == 'code':
      cell.execution_count = None
      kept = [_kept(output) for output in _joined(cell.outputs)]
      cell.outputs = [output for output in kept if output]
  notebook.metadata = {
    'colab': notebook.metadata['colab'],
    'kernelspec': notebook.metadata['kernelspec'],
    'language_info': {'name': 'python'},
    MARK: digest(notebook),
  }


def digest(notebook: Any) -> str:
  """Names the code of a notebook, cell after cell, but for how it installs."""
  sha256 = hashlib.sha256()
  for cell in notebook.cells:
    if cell.cell_type == 'code' and cell.id != 'install':
      sha256.update(f'{cell.id}\n{cell.source}\n'.encode())
  return sha256.hexdigest()


def _joined(outputs: Iterable[Any]) -> list[Any]:
  """Outputs, what was printed in turn as one."""
  joined: list[Any] = []
  for output in outputs:
    before = joined[-1] if joined else {}
    if output.get('name') == 'stdout' == before.get('name'):
      joined[-1].text += output.text
    elif output.get('name') != 'stderr':
      joined.append(output)
  return joined


def _kept(output: Any) -> Any:
  """What of an output is to be seen; None if nothing is."""
  if output.output_type == 'stream':
    output.text = _told(output.text)
    return output if output.text else None
  kind = PICTURE if PICTURE in output.data else 'text/plain'
  shown = output.data[kind]
  output.data = {kind: _small(shown) if kind == PICTURE else shown}
  output.metadata = {}
  if 'execution_count' in output:
    output.execution_count = None
  return output


def _told(text: str) -> str:
  """The lines that another machine would print as well."""
  lines = text.removesuffix('\n').split('\n')
  lines = [line.rpartition('\r')[2] for line in lines]  # the last of rewritten
  kept = [line for line in lines if not _OF_THE_MACHINE.search(line)]
  return ''.join(f'{line}\n' for line in kept)


def _small(content: str) -> str:
  """A PNG on white with 256 colours, a third of the size of one with all."""
  with Image.open(io.BytesIO(base64.b64decode(content))) as opened:
    picture = opened.convert('RGBA')
  ground = Image.new('RGBA', picture.size, 'white')
  whole = Image.alpha_composite(ground, picture).convert('RGB')
  buffer = io.BytesIO()
  whole.quantize(256, kmeans=8, dither=Image.Dither.NONE).save(
    buffer, 'PNG', optimize=True
  )
  return base64.b64encode(buffer.getvalue()).decode()


if __name__ == '__main__':
  sys.exit(main())
