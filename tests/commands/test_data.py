"""`structae data` lists and describes sets without jax, and names mistakes."""

import subprocess
import sys

import pytest

from structae.commands import data as command
from structae.data import catalog


@pytest.mark.parametrize(
  'arguments, part',
  [
    (['info', 'shape3d'], "Did you mean 'shapes3d'?"),
    (['prepare', 'shapes3d_synth'], 'needs no preparation'),
    (['prepare', 'shapes3d', '--size=50'], 'choose one of 32, 64'),
    (['prepare', 'shapes3d', '--from=/nowhere'], '3dshapes.h5'),
    (['prepare', 'folder', '--from=/nowhere'], '/nowhere'),
    (['prepare', 'shapes3d', '--size=many'], "'many'; expected a whole number"),
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
