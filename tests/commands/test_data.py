"""`structae data` lists and describes sets without jax, and names mistakes."""

import subprocess
import sys

import pytest

from structae.commands import data as command
from structae.data import catalog
from tests.data import layouts


@pytest.mark.parametrize(
  'arguments, part',
  [
    (['info', 'shape3d'], "Did you mean 'shapes3d'?"),
    (['prepare', 'shapes3d_synth'], 'needs no preparation'),
    (['prepare', 'shapes3d', '--size=50'], 'choose one of 32, 64'),
    (['prepare', 'shapes3d', '--from=/nowhere'], '3dshapes.h5'),
    (['prepare', 'folder', '--from=/nowhere'], '/nowhere'),
    (['prepare', 'shapes3d', '--size=many'], "'many'; expected a whole number"),
    (['verify', 'shapes3'], "Did you mean 'shapes3d'?"),
    (['verify', 'celeba', '--cache=/nowhere'], 'nothing was prepared'),
    (['paint'], "invalid choice: 'paint'"),
    ([], 'required'),
  ],
)
def test_mistakes_on_the_command_line(arguments, part, capsys):
  try:
    code = command.main(arguments)
  except SystemExit as stop:
    code = stop.code
  error = capsys.readouterr().err
  assert code == 2 and part in error and error.count('\n') == 1


def test_the_command_line_imports_no_jax():
  code = (
    'import sys; from structae.commands import data as m; m.main(["list"]);'
    'm.main(["info", "celeba"]); from structae.data import prepare;'
    'assert "jax" not in sys.modules and "tensorflow" not in sys.modules'
  )
  output = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True, check=True
  ).stdout
  for name in catalog.CATALOG:
    assert name in output


def test_what_was_prepared_is_verified(tmp_path, capsys):
  layouts.pictures(tmp_path / 'in', 2)
  cache = f'--cache={tmp_path / "cache"}'
  place = f'--from={tmp_path / "in"}'
  assert command.main(['prepare', 'folder', place, cache, '--size=8']) == 0
  capsys.readouterr()
  (folder,) = (path.parent for path in tmp_path.glob('cache/*/manifest.json'))
  for arguments in (['folder', cache], [str(folder)]):
    assert command.main(['verify', *arguments]) == 0
    assert capsys.readouterr().out == f'{folder}: 2 images, undamaged\n'
  content = bytearray((folder / 'images.npy').read_bytes())
  content[200] ^= 4
  (folder / 'images.npy').write_bytes(content)
  assert command.main(['verify', 'folder', cache]) == 2
  error = capsys.readouterr().err
  assert 'images.npy: damaged' in error and error.count('\n') == 1
