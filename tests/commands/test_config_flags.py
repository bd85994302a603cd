"""Mistakes end in one line on stderr and exit code 2, before jax is loaded."""

import os
import signal
import subprocess
import sys

import filelock
import numpy as np
import pytest

from structae.commands import config_flags
from structae.commands.parser import Parser
from structae.config import ConfigError
from structae.run import Run

SAE = '--config=experiments/sae12.py'


def parse(*args):
  parser = Parser('test')
  parser.add_argument('--workdir')
  config_flags.add(parser)
  return config_flags.read(parser, args)[0]


def refused(*args):
  """The error of a command line."""
  with pytest.raises(ConfigError) as caught:
    parse(*args)
  assert '\n' not in str(caught.value)
  return str(caught.value)


@pytest.mark.parametrize(
  'args, expected',
  [
    ([], 'give a config: sae12:quick'),
    (['sae13'], "'sae13' is no model; did you mean sae3? there are sae2, sae"),
    (['sae12', SAE], 'give one configuration'),
    (
      ['--config=experiments/sae13.py'],
      'no config file experiments/sae13.py; did you mean sae',
    ),
    ([SAE + ':quik'], "'quik' names no data set, scale, size or preset; did"),
    ([SAE + ':quick,smoke'], "two tokens name a scale: 'quick' and 'smoke'"),
    ([SAE, 'stray'], "'stray' stands alone"),
    ([SAE, '--nonsense=3'], 'there is no flag --nonsense'),
    (
      [SAE, '--config.train.bach_size=3'],
      'no field train.bach_size; did you mean train.batch_size?',
    ),
    ([SAE, '--config.colour=red'], 'no field colour'),
    ([SAE, '--config.scale=quick'], 'token: experiments/sae12.py:quick'),
    ([SAE, '--config.scale', '../../etc'], 'name the scale as a token'),
    (
      [SAE, '--config.train.batch_size=many'],
      "train.batch_size is 'many'; expected a whole number from 1",
    ),
    ([SAE, '--config.train.batch_size=0'], 'train.batch_size is 0; expected'),
    ([SAE, '--config.train.num_steps=-1'], 'train.num_steps is -1; expected'),
    ([SAE, '--config.train.learning_rate=nan'], 'learning_rate is nan; exp'),
    ([SAE, '--config.train.learning_rate=-1'], 'learning_rate is -1.0; exp'),
    ([SAE, '--config.model.decoder=hourglas'], "decoder is 'hourglas'; expect"),
    ([SAE, '--config.model.num_latents=10'], 'does not divide'),
    ([SAE, '--config.model.num_variables=5'], 'does not divide'),
    ([SAE, '--config.model.width=20'], 'model.width is 20, not a multiple'),
    ([SAE, '--config.model.num_groups=0'], 'num_groups is 0; expected'),
    (
      [SAE, "--config.evaluation.metrics=('mag',)"],
      "evaluation.metrics is ['mag']; expected a tuple of names out of mig, ",
    ),
    ([SAE, '--config.evaluation.num_fid_images=1'], 'a whole number from 2'),
    ([SAE, '--config.model.head=(0,)'], 'model.head is [0]; expected'),
    ([SAE, '--config.data.size=48'], 'data.size is 48; shapes3d_synth comes'),
    ([SAE + ':folder'], 'data.path is empty; folder needs a directory'),
    ([SAE + ':folder', '--config.data.path=/no/where'], 'no such place'),
    ([SAE, '--config.data.path=.'], 'but shapes3d_synth is made here'),
    ([SAE, '--config.data.name=shapes'], "data.name is 'shapes'; expected one"),
    ([SAE, '--config.data.storage=disk'], "'disk'; expected one of auto, res"),
    (
      [SAE + ':shapes3d', '--config.data.split=official'],
      'data.split is official; shapes3d offers random or authors',
    ),
    (
      [SAE + ':mpi3d_toy', '--config.data.hold_out=shape'],
      "data.hold_out is 'shape'; mpi3d_toy offers none",
    ),
    ([SAE + ':celeba', '--config.data.crop=179'], 'a number of pixels from 1'),
    (
      [SAE + ':folder', '--config.data.path=.', '--config.data.crop=128'],
      "data.crop is '128'; expected centre or squash",
    ),
    ([SAE + ':rfd', '--config.data.crop=centre'], 'rfd has no crop'),
    ([SAE, '--config.train.validate_every=150'], 'not a multiple of train.log'),
    ([SAE, '--config.train.steps_per_dispatch=3'], 'does not divide train.log'),
  ],
)
def test_a_mistake_is_named_with_what_was_expected(args, expected):
  assert expected in refused(*args)


@pytest.mark.parametrize(
  'body, expected',
  [
    ('return undefined', 'undefined'),
    ('return int("many")', "invalid literal for int() with base 10: 'many'"),
    ('return len(3)', "object of type 'int' has no len()"),
    ('raise ConfigError("take less")', 'take less'),
    ('pass', 'gives no configuration: its get_config must return a ConfigDict'),
    ('return {"seed": 3}', 'gives no configuration'),
  ],
)
def test_a_config_file_that_fails_is_one_line(tmp_path, body, expected):
  path = tmp_path / 'broken.py'
  path.write_text(
    'from structae.config import ConfigError\n'
    f'def get_config(tokens=""):\n  {body}\n'
  )
  assert expected in refused(f'--config={path}')
  assert expected in refused(f'--config={path}:quick')


@pytest.mark.parametrize(
  'field, text, value',
  [
    ('seed', '3', 3),
    ('train.learning_rate', '1', 1.0),
    ('train.learning_rate', '1e-3', 1e-3),
    ('data.verify', 'false', False),
    ('data.path', '123', '123'),
    ('model.head', '(16,8)', (16, 8)),
    ('model.head', '16,8', (16, 8)),
    ('model.head', '16', (16,)),
    ('evaluation.metrics', 'mig,irs', ('mig', 'irs')),
    ('evaluation.metrics', "('mig',)", ('mig',)),
  ],
)
def test_a_value_has_the_type_of_its_field(field, text, value):
  found = config_flags.value(field, text)
  assert found == value and type(found) is type(value)


def test_the_same_config_by_name_by_file_and_by_the_run_that_it_made(tmp_path):
  named = parse('sae4:quick,mpi3d_toy', '--config.seed=3')
  filed = parse(
    '--config=experiments/sae4.py:quick,mpi3d_toy', '--config.seed', '3'
  )
  run = Run(tmp_path)
  run.begin(named.name, named.config, {})
  again = parse(str(tmp_path))
  assert named.config.to_dict() == filed.config.to_dict()
  assert named.config.to_dict() == again.config.to_dict()
  assert named.name == filed.name == again.name == 'sae4'
  assert 'takes no tokens' in refused(f'{tmp_path}/config.json:quick')
  assert named.at_scale('smoke') == 'sae4:mpi3d_toy,smoke'
  assert parse('sae4').at_scale('smoke') == 'sae4:smoke'
  mine = parse('sae12:folder', f'--config.data.path={tmp_path}')
  command = mine.at_scale('quick').split()
  assert command == ['sae12:folder,quick', f'--config.data.path={tmp_path}']
  assert parse(*command).config.scale == 'quick'


def test_ctrl_c_before_training_is_one_line(tmp_path):
  code = (
    'import importlib.util, os, signal, sys\n'
    'class Stops:\n'
    '  def find_spec(self, name, path=None, target=None):\n'
    '    if name in ("structae.trainer", "structae.training.step"):\n'
    '      return importlib.util.spec_from_loader(name, self)\n'
    '  def create_module(self, spec): return None\n'
    '  def exec_module(self, module):\n'
    '    if "trainer" in str(module): os.kill(os.getpid(), signal.SIGINT)\n'
    'sys.meta_path.insert(0, Stops())\n'
    'from structae.commands import train\n'
    'sys.exit(train.main(sys.argv[1:]))'
  )
  done = subprocess.run(
    [sys.executable, '-c', code, SAE, f'--workdir={tmp_path / "run"}'],
    capture_output=True,
    text=True,
  )
  assert (done.returncode, done.stderr) == (130, 'stopped\n')
  assert not (tmp_path / 'run').exists()


STOPS = """
import importlib.abc, os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored
class Stops(importlib.abc.MetaPathFinder):
  def find_spec(self, name, path=None, target=None):
    if name == imported:
      os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Stops())
_, program, imported, *sys.argv[1:] = sys.argv
runpy.run_module(program, run_name='__main__')
"""


@pytest.mark.parametrize(
  'program, imported',
  [
    ('structae', 'structae.commands.data'),
    ('structae', 'structae.commands.parser'),
    ('structae', 'argparse'),
    ('experiments.main', 'structae.commands.train'),
    ('experiments.paper.study', 'experiments.paper.studies'),
    ('experiments.paper.extrapolate', 'structae.commands.config_flags'),
  ],
)
def test_ctrl_c_while_a_program_is_imported_is_one_line(program, imported):
  done = subprocess.run(
    [sys.executable, '-c', STOPS, program, imported, 'data', 'list'],
    capture_output=True,
    text=True,
  )
  assert (done.returncode, done.stdout) in ((130, ''), (-signal.SIGINT, ''))
  assert done.stderr == 'stopped\n'


def test_ctrl_c_at_the_end_is_no_traceback():
  code = (
    'import atexit, os, signal, sys\n'
    'atexit.register(os.kill, os.getpid(), signal.SIGINT)\n'
    'from structae.__main__ import main\n'
    'sys.exit(main(["data", "list"]))'
  )
  done = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True
  )
  assert (done.returncode, done.stderr) == (-signal.SIGINT, '')
  assert 'shapes3d_synth' in done.stdout


def run(*args):
  return subprocess.run(
    [sys.executable, '-X', 'importtime', '-m', 'experiments.main', *args],
    capture_output=True,
    text=True,
    env=os.environ | {'PYTHONPATH': '.'},
  )


def lines_without_import_times(text):
  return [x for x in text.splitlines() if not x.startswith('import time:')]


def assert_refused(result, expected):
  assert result.returncode == 2
  (line,) = lines_without_import_times(result.stderr)
  assert line.startswith('error: ') and expected in line
  assert '| jax\n' not in result.stderr


def test_the_program_says_one_line_and_exits_with_2(tmp_path):
  folder = tmp_path / 'run'
  result = run(SAE, f'--workdir={folder}', '--config.train.batch_size=0')
  assert_refused(result, 'train.batch_size is 0')
  assert not folder.exists()


def test_a_file_that_is_no_config_is_refused():
  assert_refused(run('--config=experiments/main.py'), 'defines no get_config')


def test_a_folder_in_use_is_refused(tmp_path):
  with filelock.FileLock(tmp_path / '.lock'):
    result = run(SAE, f'--workdir={tmp_path}')
  assert_refused(result, 'in use by a live run')
  assert os.listdir(tmp_path) == ['.lock']


def test_a_file_as_folder_is_refused(tmp_path):
  path = tmp_path / 'file'
  path.write_text('mine')
  assert_refused(run(SAE, f'--workdir={path}/run'), 'is a file')
  assert path.read_text() == 'mine'


def test_a_damaged_config_is_refused(tmp_path):
  (tmp_path / 'config.json').write_text('{"config"')
  assert_refused(run(SAE, f'--workdir={tmp_path}'), 'is damaged')


def test_a_start_without_a_config_is_refused(tmp_path):
  start = tmp_path / 'start'
  start.mkdir()
  (start / 'COMPLETE').write_text('20 steps\n')
  place = f'--workdir={tmp_path / "run"}'
  result = run(SAE, place, f'--config.train.init_from={start}')
  assert_refused(result, f'{start} is no folder of a run')


@pytest.mark.parametrize(
  'content, expected', [(None, 'is missing'), ('{}', 'is damaged')]
)
def test_a_finished_run_without_scores_says_how_to_get_them(
  tmp_path, content, expected
):
  config = parse(SAE).config
  made = Run(tmp_path)
  made.begin('sae12', config, {})
  made.save_pool(np.zeros((2, 12, 1)), 1)
  made.complete(config)
  if content:
    (tmp_path / 'scores.json').write_text(content)
  result = run(SAE, f'--workdir={tmp_path}')
  assert result.returncode == 2
  (line,) = lines_without_import_times(result.stderr)
  assert f'scores.json {expected}; remove {tmp_path / "COMPLETE"}' in line


def test_help_lists_every_field():
  result = run('--help')
  assert result.returncode == 0
  for name in ('train.learning_rate', '128px', 'rfd_released'):
    assert name in result.stdout


def test_help_shows_the_values_of_the_configuration_beside_it(capsys):
  for args in (
    ['sae12:quick', '--config.seed=3', '--help'],
    ['--help', 'sae12:quick', '--config.seed=3'],
  ):
    with pytest.raises(SystemExit) as ended:
      parse(*args)
    out = capsys.readouterr().out
    assert ended.value.code == 0 and 'values of sae12:quick:' in out
    assert 'samples [3, by default 0];' in out
    assert 'updates [11000, by default 100000];' in out
    assert 'network [(64,), by default ()];' in out  # as it is resolved
