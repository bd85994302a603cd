"""Notebooks are clean, and every cell of them runs, made small."""

import os
import re
from pathlib import Path

import nbclient
import nbformat
import pytest

from experiments import address

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / 'colab').glob('*.ipynb'))
SMALL = 'STRUCTAE_NOTEBOOK_SMALL'
BADGE = f'https://colab.research.google.com/github/{address.slug()}/blob/main/'
# Calls whose pictures a reader is to see.
PICTURES = re.compile(
  r'as_pillow\(|(plots|figures)\.(bars|matrix|scatter|loss_curve)\('
)


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
  """What one notebook compiles, the next need not."""
  return str(tmp_path_factory.mktemp('cache'))


each = pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
  notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
  return notebook, [c for c in notebook.cells if c.cell_type == 'code']


def test_the_folder_holds_what_its_readme_lists():
  text = (ROOT / 'colab' / 'README.md').read_text('utf-8')
  listed = re.findall(r'^\| `(\w+\.ipynb)`', text, re.MULTILINE)
  assert [path.name for path in NOTEBOOKS] == sorted(listed)
  assert SMALL in text


@each
def test_a_notebook_is_valid_and_holds_no_outputs(path):
  notebook, code = read(path)
  assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
  nbformat.validate(notebook)
  ids = [cell.id for cell in notebook.cells]
  # Told by hand: random ones would differ whenever an editor saves.
  assert len(set(ids)) == len(ids) and all(re.match('[a-z]+', i) for i in ids)
  assert all(cell.outputs == [] for cell in code)
  assert all(cell.execution_count is None for cell in code)
  assert all(cell.metadata == {} for cell in notebook.cells)
  assert set(notebook.metadata) == {'kernelspec', 'language_info', 'colab'}


@each
def test_a_notebook_opens_in_colab_and_links_to_what_is_there(path):
  notebook, code = read(path)
  first = notebook.cells[0]
  assert first.cell_type == 'markdown'
  assert f'{BADGE}colab/{path.name}"' in first.source
  assert re.search('^# .+', first.source, re.MULTILINE)
  # Installs nothing where it is not told to, and before jax is imported.
  assert code[0].source.startswith('import sys\n')
  guarded = "if 'google.colab' in sys.modules:\n  %pip install -q "
  assert guarded in code[0].source
  assert sum('%pip' in cell.source for cell in code) == 1
  slow = any(x in c.source for c in code for x in ('.train(', 'fit('))
  assert not slow or any(SMALL in cell.source for cell in code)
  prose = ''.join(c.source for c in notebook.cells if c not in code)
  for name in re.findall(r'\w+\.ipynb', prose):
    assert (ROOT / 'colab' / name).is_file(), name


@each
def test_every_cell_runs_and_shows_its_pictures(
  path, tmp_path, cache, monkeypatch
):
  for name, value in {
    SMALL: '1',
    'JAX_COMPILATION_CACHE_DIR': cache,
    'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0.1',
    'PYTHONPATH': f'{ROOT}{os.pathsep}{os.environ.get("PYTHONPATH", "")}',
    'IPYTHONDIR': str(tmp_path / 'ipython'),
  }.items():
    monkeypatch.setenv(name, value)
  notebook, code = read(path)
  folder = tmp_path / 'here'
  folder.mkdir()
  client = nbclient.NotebookClient(
    notebook,
    timeout=600,
    kernel_name='python3',
    resources={'metadata': {'path': str(folder)}},
  )
  client.execute()
  assert code[0].outputs == []  # nothing was installed
  for cell in code:
    kinds = {kind for o in cell.outputs for kind in o.get('data', {})}
    errors = [o.text for o in cell.outputs if o.get('name') == 'stderr']
    assert not errors, (cell.id, errors)
    shows = PICTURES.search(cell.source) is not None
    assert ('image/png' in kinds) == shows, cell.id
  left = {path.name for path in folder.iterdir()}
  assert left <= {'runs'}  # nothing else is left behind
