"""Tools beside the commands: mistakes are one line, before anything is done."""

import os
import subprocess
import sys

import numpy as np
import pytest

from experiments import own_model
from experiments.benchmarks import fid as benchmark_fid
from experiments.benchmarks import input as benchmark_input
from experiments.benchmarks import metrics as benchmark_metrics
from experiments.benchmarks import reference as compare_metrics
from experiments.fuzz import artefacts
from structae import devices
from structae.commands import (
  benchmark,
  data,
  encode,
  evaluate,
  parser,
  report,
  sample,
  train,
)

QUICK = 'sae12:smoke'


@pytest.mark.parametrize(
  'main, flags, message',
  [
    (own_model.main, ['--num_steps=0'], 'a whole number from 1'),
    (own_model.main, ['--num_step=9'], 'unrecognized arguments'),
    (benchmark_metrics.main, ['--num=0'], 'a whole number from 100'),
    (benchmark_fid.main, ['--batch_size=0'], 'a whole number from 1'),
    (benchmark_input.main, ['--seconds=0'], 'a whole number from 1'),
    (benchmark_input.main, ['--dir=/no/where'], '/no/where'),
    (compare_metrics.main, ['--reference=.'], 'unpack the source archive'),
    (benchmark.main, [QUICK, '--repeats=\u00b2'], 'a whole number from 1'),
    (benchmark.main, [QUICK, '--output=README.md'], 'expected a .json file'),
    (
      benchmark.main,
      [QUICK, '--against=model.depth=3'],
      'no field model.depth',
    ),
    (benchmark.main, ['--repeats=2'], 'give a config'),
  ],
)
def test_a_mistake_is_one_line(main, flags, message, capsys):
  try:
    code = main(flags)
  except SystemExit as ended:
    code = ended.code
  (line,) = capsys.readouterr().err.splitlines()
  assert code == 2 and line.startswith('error: ') and message in line


def test_a_platform_that_is_not_there_is_one_line():
  code = (
    'import sys\n'
    'from structae import devices\n'
    'from structae.commands import parser\n'
    'sys.exit(parser.run(devices.data_mesh))'
  )
  done = subprocess.run(
    [sys.executable, '-c', code],
    capture_output=True,
    text=True,
    env=os.environ | {'JAX_PLATFORMS': 'cuda'},
  )
  (line,) = done.stderr.splitlines()
  assert done.returncode == 2 and 'Traceback' not in done.stderr
  assert "JAX_PLATFORMS is 'cuda'" in line and 'there is cpu' in line


@pytest.mark.parametrize(
  'main, args',
  [
    (train.main, [QUICK, '--workdir={}/run']),
    (benchmark.main, [QUICK]),
    (sample.main, ['{}', '--output={}/new.npz']),
    (encode.main, ['{}', '--images={}/a.npz', '--output={}/new.npz']),
    (
      evaluate.main,
      ['--images_a={}/a.npz', '--images_b={}/a.npz', '--metrics=fid'],
    ),
  ],
)
def test_every_command_that_computes_looks_for_its_platform(
  main, args, tmp_path, monkeypatch, capsys
):
  def check():
    raise ValueError('no such platform')

  monkeypatch.setattr(devices, 'check', check)
  run = artefacts.run(tmp_path / 'made')
  np.savez(run.folder / 'a.npz', images=artefacts.pictures())
  assert main([text.format(run.folder) for text in args]) == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert line == 'error: no such platform'


def test_an_incomplete_reference_is_one_line(tmp_path, capsys):
  (tmp_path / 'disentanglement_lib').mkdir()
  assert compare_metrics.main([f'--reference={tmp_path}']) == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert 'disentanglement_lib.evaluation' in line


@pytest.mark.parametrize(
  'flags',
  [
    ['structae', '--help'],
    ['structae', 'train', '--help'],
    ['experiments.paper.study', 'paper', '--dry_run'],
  ],
)
def test_a_reader_that_leaves_early_is_no_error(flags):
  read, write = os.pipe()
  os.close(read)
  module, *rest = flags
  words = [sys.executable, '-m', module, *rest]
  ended = subprocess.run(words, stdout=write, stderr=subprocess.PIPE)
  os.close(write)
  assert ended.returncode in (0, 1) and not ended.stderr


@pytest.mark.parametrize(
  'stdout, code, words',
  [('/dev/full', 1, b'what was printed is lost'), (None, 0, b'')],
)
def test_output_that_fails_is_one_line(stdout, code, words):
  command = [sys.executable, '-m', 'structae', 'data', 'list']
  with open(stdout or os.devnull, 'w') as out:
    ended = subprocess.run(
      command, stdout=out, stderr=subprocess.PIPE,
      preexec_fn=None if stdout else lambda: os.close(1),
    )  # fmt: skip
  assert ended.returncode == code
  assert words in ended.stderr and len(ended.stderr.splitlines()) <= 1


@pytest.mark.parametrize(
  'path, message',
  [
    ('a' * 300, 'File name too long'),
    ('~nobody_of_this_name/x', 'no such home folder'),
    ('--', "is '--'; give a value"),
    ('', 'it is empty'),
    ('{tmp}/loop', 'Too many levels'),
    ('{tmp}/link', 'is a link to nothing'),
    ('/proc/x', 'cannot be written to'),
  ],
)
def test_a_folder_of_no_use_is_refused(path, message, tmp_path, capsys):
  (tmp_path / 'loop').symlink_to(tmp_path / 'loop')
  (tmp_path / 'link').symlink_to(tmp_path / 'nothing')
  try:
    code = train.main([QUICK, f'--workdir={path.format(tmp=tmp_path)}'])
  except SystemExit as ended:
    code = ended.code
  (line,) = capsys.readouterr().err.splitlines()
  assert code == 2 and message in line


def test_a_message_is_one_short_line_of_letters(capsys):
  with pytest.raises(SystemExit):
    parser.Parser('test').error('a\nb \x1b[31m' + 'c' * 5000)
  (line,) = capsys.readouterr().err.splitlines()
  assert line.startswith(r'error: a b \x1b[31mccc') and len(line) < 2100


def test_names_on_a_terminal_are_letters_whatever_they_hold(tmp_path, capfd):
  strange = tmp_path / 'a\n\x1b[31mb'
  (strange / 'x').mkdir(parents=True)
  made = artefacts.run(tmp_path / 'made').folder
  page = tmp_path / 'page.html'
  assert report.main([str(made), str(strange), f'--output={page}']) == 0
  (strange / '\x1b[2J.png').write_bytes(b'no picture')
  data.main(['prepare', 'folder', f'--from={strange}', f'--cache={tmp_path}'])
  pair = artefacts.codes()
  names = ['\x1b[31mhue', 'a\nb']
  path = tmp_path / 'codes.npz'
  np.savez(
    path, codes=pair.codes, factors=pair.factors, factor_names=np.array(names)
  )
  out = f'--output={tmp_path / "scores.json"}'
  evaluate.main([f'--codes={path}', '--metrics=mig', out])
  printed = ''.join(capfd.readouterr())
  assert printed.replace('\n', '').isprintable()
  assert not [x for x in printed.splitlines() if x.startswith('b')]
