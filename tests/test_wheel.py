"""A wheel in an environment of its own brings every command."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest

from structae import config as config_lib

ROOT = Path(__file__).parent.parent
# An SAE-4 of four blocks, whose steps take milliseconds.
TINY = [
  '--config.model.num_variables=4',
  '--config.model.num_latents=4',
  '--config.model.num_blocks=4',
  '--config.model.head=16',
  '--config.model.str_tfm=8',
  '--config.evaluation.num_train=256',
]
# What extras bring: a plain run does without.
EXTRAS = ['h5py', 'array_record', 'submitit', 'flatbuffers', 'onnx',
          'huggingface_hub']  # fmt: skip


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  """Runs `structae` as the wheel installs it, far from the checkout."""
  place = tmp_path_factory.mktemp('wheel')
  pip = [sys.executable, '-m', 'pip', '--disable-pip-version-check']
  subprocess.run(
    [*pip, 'wheel', '-q', '--no-deps', '--no-build-isolation', '-w', place,
     ROOT],
    check=True,
  )  # fmt: skip
  (wheel,) = place.glob('structae-*.whl')
  venv.create(place / 'env', symlinks=True)
  python = place / 'env' / 'bin' / 'python'
  # What structae needs is here already; its own code is not on this path.
  site = next((place / 'env').glob('lib/python*/site-packages'))
  (site / 'needs.pth').write_text(sysconfig.get_path('purelib') + '\n')
  hide = f'import sys; sys.modules.update(dict.fromkeys({EXTRAS}))\n'
  (site / 'sitecustomize.py').write_text(hide)
  subprocess.run(
    [*pip, '--python', python, 'install', '-q', '--no-deps', wheel], check=True
  )
  folder = tmp_path_factory.mktemp('elsewhere')
  unset = ('PYTHONPATH', 'PYTHONSAFEPATH')
  environment = {k: v for k, v in os.environ.items() if k not in unset}

  def run(*args, program='structae', code=0):
    done = subprocess.run(
      [python.with_name(program), *args],
      cwd=folder,
      env=environment,
      capture_output=True,
      text=True,
    )
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout

  run.folder, run.environment = folder, place / 'env'
  return run


def test_it_trains_samples_encodes_exports_and_reports(run):
  where = 'import structae; print(structae.__file__)'
  found = Path(run('-c', where, program='python').strip())
  assert found.is_relative_to(run.environment)

  quick = config_lib.get_config('sae12', 'quick').evaluation.metrics
  metrics = f'--config.evaluation.metrics={",".join(quick)}'
  out = run('train', 'sae12:smoke', *TINY, metrics, '--workdir=made')
  assert 'report: made/report.html' in out and "install 'structae[" not in out
  told = run('export', 'made', 'onnx', '--format=onnx', code=2)
  assert "needs onnx: pip install 'structae[export]'" in told
  run('sample', 'made', '--num=5', '--output=new.npz')
  new = np.load(run.folder / 'new.npz')
  assert new['images'].shape == (5, 32, 32, 3)
  np.save(run.folder / 'mine.npy', new['images'])
  run('encode', 'made', '--images=mine.npy')
  assert np.load(run.folder / 'codes.npz')['codes'].shape == (5, 4, 1)
  run('report', 'made', '--output=page.html')
  assert '</html>' in (run.folder / 'page.html').read_text()
  run('export', 'made', 'shared')
  assert (run.folder / 'shared' / 'model.safetensors').is_file()


def test_every_command_has_its_help(run):
  assert 'sae12-shapes3d_synth-32px ' in run('models')  # weights come along
  commands = run('--help')
  for name in ('train', 'sweep', 'evaluate', 'encode', 'sample', 'report',
               'export', 'models', 'data', 'benchmark'):  # fmt: skip
    assert f'\n  {name} ' in commands
    assert f'structae {name}' in run(name, '--help')
