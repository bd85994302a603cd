import json
import subprocess
import sys

import numpy as np
import pytest

from structae.commands import evaluate


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
  """The current folder, where scores go by default."""
  (tmp_path / 'here').mkdir()
  monkeypatch.chdir(tmp_path / 'here')
  return tmp_path / 'here'


def _write(path, num=90, seed=0, **changes):
  rng = np.random.default_rng(seed)
  factors = np.stack([rng.integers(0, k, num) for k in (3, 4)], axis=1)
  codes = factors @ rng.normal(size=(2, 3)) + rng.normal(size=(num, 3))
  path.parent.mkdir(exist_ok=True)
  np.savez(path, **{'codes': codes, 'factors': factors, **changes})


def test_a_file_of_another_program_is_scored(tmp_path, capsys):
  _write(tmp_path / 'a.npz')
  command = [f'--codes={tmp_path / "a.npz"}', '--metrics=mig,irs']
  assert evaluate.main([*command, f'--output={tmp_path / "s.json"}']) == 0
  written = json.loads((tmp_path / 's.json').read_text())
  lines = capsys.readouterr().out.splitlines()
  for name in ('mig', 'irs'):
    value = written['scores'][name]['value']
    assert any(line.split()[:2] == [name, f'{value:.4f}'] for line in lines)


_FOREIGN = """
import numpy as np
grid = np.stack(np.meshgrid(range(3), range(4), indexing='ij'), -1)
factors = np.tile(grid.reshape(-1, 2), (10, 1))
np.savez('codes.npz', codes=factors.astype(float)[:, ::-1], factors=factors)
"""


def test_codes_of_a_program_without_structae_are_scored(tmp_path, capsys):
  isolated = [sys.executable, '-I', '-c', _FOREIGN]
  subprocess.run(isolated, cwd=tmp_path, check=True)
  file, output = tmp_path / 'codes.npz', tmp_path / 'out' / 'scores.json'
  command = [f'--codes={file}', f'--test_codes={file}', f'--output={output}']
  assert evaluate.main([*command, '--metrics=mig,irs,dci']) == 0
  written = json.loads(output.read_text())
  # Two latents that are the two factors of a full grid, exchanged.
  for name in ('mig', 'irs', 'disentanglement', 'completeness'):
    assert written['scores'][name]['value'] == pytest.approx(1, abs=1e-6)
  assert written['scores']['mig']['n'] == 120
  assert written['versions']['numpy'] == np.__version__
  information = written['matrices']['mutual_information']['values']
  expected = [[0, np.log(4)], [np.log(3), 0]]
  np.testing.assert_allclose(information, expected, atol=1e-9)
  for name in ('scores_mutual_information.png', 'scores_importance.png'):
    assert (output.parent / name).read_bytes().startswith(b'\x89PNG')
  assert '120+120' in capsys.readouterr().out


def test_constant_factors_leave_what_needs_none(tmp_path, elsewhere, capsys):
  _write(tmp_path / 'a.npz', factors=np.full((90, 2), 1))
  command = [f'--codes={tmp_path / "a.npz"}']
  names = '--metrics=mig,irs,gaussian_dependence'
  assert evaluate.main([*command, names]) == 0
  out, err = capsys.readouterr()
  assert 'mig, irs: no factor varies.' in err.splitlines()
  assert 'total_correlation' in out
  assert evaluate.main([*command, '--metrics=mig']) == 2
  assert 'mig: no factor varies' in capsys.readouterr().err


def test_scores_go_into_the_current_folder_and_replace_no_others(
  tmp_path, elsewhere, capsys
):
  _write(tmp_path / 'a.npz')
  command = [f'--codes={tmp_path / "a.npz"}']
  assert evaluate.main([*command, '--metrics=mig']) == 0
  assert evaluate.main([*command, '--metrics=sap']) == 0
  assert {path.name for path in elsewhere.iterdir()} == {
    'scores.json', 'scores_mutual_information.png'
  }  # fmt: skip
  before = (elsewhere / 'scores.json').read_bytes()
  assert list(json.loads(before)['scores']) == ['mig', 'sap']
  _write(
    tmp_path / 'a.npz', codes=np.random.default_rng(1).normal(size=(90, 5))
  )
  capsys.readouterr()
  assert evaluate.main([*command, '--metrics=sap']) == 2
  out, err = capsys.readouterr()
  assert 'sap ' in out  # it is not lost
  line = err.splitlines()[-1]
  assert 'scores.json holds scores of other codes; move it away' in line
  assert (elsewhere / 'scores.json').read_bytes() == before


def test_a_run_keeps_the_scores_it_has(tmp_path, capsys):
  for part, num in (('train', 90), ('test', 60)):
    _write(tmp_path / 'codes' / f'{part}.npz', num)
  where = f'--workdir={tmp_path}'
  assert evaluate.main([where, '--metrics=sap']) == 0
  assert evaluate.main([where, '--metrics=mig']) == 0
  written = json.loads((tmp_path / 'scores.json').read_text())['scores']
  assert list(written) == ['sap', 'mig']
  assert written['sap']['n'] == 90 and written['sap']['n_test'] == 60
  assert evaluate.main([where, '--metrics=sap', '--points=full']) == 0
  written = json.loads((tmp_path / 'scores.json').read_text())['scores']
  assert written['sap']['n'] == 100 and written['sap']['n_test'] == 50
  assert (
    written['sap']['points'] == 'full' and written['mig']['points'] != 'full'
  )
  wide = np.random.default_rng(1).normal(size=(90, 5))
  _write(tmp_path / 'codes' / 'train.npz', codes=wide)
  _write(tmp_path / 'codes' / 'test.npz', codes=wide)
  assert evaluate.main([where, '--metrics=irs']) == 0
  assert 'held scores of other codes' in capsys.readouterr().err
  written = json.loads((tmp_path / 'scores.json').read_text())
  assert list(written['scores']) == ['irs']


def test_codes_of_the_same_shape_are_other_codes(tmp_path, elsewhere, capsys):
  _write(tmp_path / 'a.npz')
  _write(tmp_path / 'b.npz', seed=1)
  command = ['--metrics=mig', f'--codes={tmp_path / "a.npz"}']
  assert evaluate.main(command) == 0
  before = (elsewhere / 'scores.json').read_bytes()
  other = ['--metrics=irs', f'--codes={tmp_path / "b.npz"}']
  assert evaluate.main(other) == 2
  out, err = capsys.readouterr()
  assert 'holds scores of other codes' in err
  assert (elsewhere / 'scores.json').read_bytes() == before
  assert evaluate.main([*other, '--output=scores.json']) == 0
  table = capsys.readouterr().out
  assert 'irs ' in table and 'mig ' not in table


def test_a_run_is_scored_over_the_points_of_its_config(tmp_path):
  for part in ('train', 'test', 'validation'):
    _write(tmp_path / 'codes' / f'{part}.npz', 60)
  for points, num in (('full', 120), ('split', 60)):
    config = {'name': 'mine', 'config': {'evaluation': {'points': points}}}
    (tmp_path / 'config.json').write_text(json.dumps(config))
    assert evaluate.main([f'--workdir={tmp_path}', '--metrics=sap']) == 0
    written = json.loads((tmp_path / 'scores.json').read_text())['scores']
    assert (written['sap']['points'], written['sap']['n']) == (points, num)


def test_seeds_and_repeats_reach_the_scores(tmp_path, elsewhere, capsys):
  _write(tmp_path / 'a.npz')
  command = [f'--codes={tmp_path / "a.npz"}', '--metrics=sap', '--seed=7']
  assert evaluate.main([*command, '--repeats=2']) == 0
  out, err = capsys.readouterr()
  assert 'over 2 seeds' in out
  assert 'warning: 90 rows of codes' in err and 'UserWarning' not in err
  entry = json.loads((elsewhere / 'scores.json').read_text())['scores']['sap']
  assert entry['seeds'] == [7, 8] and entry['std'] > 0


@pytest.mark.parametrize(
  'arguments, message',
  [
    ([], 'either --workdir=DIR or --codes=FILE'),
    (['--codes=none.npz'], 'none.npz: no such file'),
    (['--codes=none.npz', '--metrics=mag'], "unknown metric 'mag'"),
    (['--codes=none.npz', '--metrics=migg'], 'did you mean mig?'),
    (['--codes=none.npz', '--metrics=completenes'], 'did you mean dci?'),
    (['--codes=a', '--seed=-1'], 'expected a whole number from 0'),
    (['--codes=a', '--repeats=0'], 'expected a whole number from 1'),
    (['--images_a=a', '--images_b=b', '--seed=1'], '--seed goes with --work'),
    (['--codes=a', '--workdir=b'], 'either --workdir=DIR'),
    (['--workdir=b', '--test_codes=a'], '--test_codes goes with --codes'),
    (['--codes=a', '--points=some'], "invalid choice: 'some'"),
    (['--codes=none.npz', '--metrics='], 'none.npz: no such file'),
    (['--code=a'], 'unrecognized arguments: --code=a'),
    (['--codes=a', '--inception=w'], '--inception goes with --workdir or --im'),
    (['--codes=a', '--download'], '--download goes with --workdir or --images'),
    (['--codes=a', '--num_images=9'], '--num_images goes with --workdir or --'),
    (['--workdir=a', '--num_images=1'], 'expected a whole number from 2'),
    (
      ['--images_a=a', '--images_b=b', '--points=split'],
      '--points goes with --workdir or --codes',
    ),
    (
      ['--images_a=a', '--images_b=b', '--test_codes=c'],
      '--test_codes goes with --codes (',
    ),
  ],
)
def test_bad_arguments_are_one_line(arguments, message, capsys):
  try:
    code = evaluate.main(arguments)
  except SystemExit as error:
    code = error.code
  err = capsys.readouterr().err
  assert code == 2 and message in err and err.count('\n') == 1


def test_bad_codes_are_one_line(tmp_path, capsys):
  path = tmp_path / 'a.npz'
  cases = [
    ({'codes': np.full((90, 3), np.nan)}, 'codes has 270 values that are not'),
    ({'factors': np.full((90, 2), 0.5)}, 'factors must be integers'),
    ({'factors': np.full((90, 2), -1)}, 'must not be negative, got -1'),
    ({'factors': np.array([{}] * 90)}, 'array of Python objects'),
    ({'codes': np.zeros((8, 3))}, '8 codes, but 90 rows of factors'),
  ]
  for changes, message in cases:
    _write(path, **changes)
    assert evaluate.main([f'--codes={path}', '--metrics=mig']) == 2
    err = capsys.readouterr().err
    assert message in err and err.count('\n') == 1


def test_a_constant_factor_is_named(tmp_path, elsewhere, capsys):
  factors = np.stack([np.arange(90) % 3, np.full(90, 2)], axis=1)
  _write(tmp_path / 'a.npz', factors=factors)
  assert evaluate.main([f'--codes={tmp_path / "a.npz"}', '--metrics=mig']) == 0
  assert 'factor factor_1 is constant' in capsys.readouterr().err


def test_codes_of_another_step_are_refused(tmp_path, capsys):
  _write(tmp_path / 'a.npz', meta=np.array('{"step": 3}'))
  output = tmp_path / 's.json'
  run = {'scores': {'test_bce': {'value': 1.0, 'definition': ''}}, 'step': 3}
  output.write_text(json.dumps(run))
  command = [f'--codes={tmp_path / "a.npz"}', f'--output={output}']
  assert evaluate.main([*command, '--metrics=mig']) == 0
  assert set(json.loads(output.read_text())['scores']) == {'test_bce', 'mig'}
  output.write_text(json.dumps({**run, 'step': 4}))
  assert evaluate.main([*command, '--metrics=mig']) == 2
  assert 'codes are of step 3' in capsys.readouterr().err


def test_images_of_codes_alone_are_not_scored(tmp_path, capsys):
  _write(tmp_path / 'a.npz')
  assert evaluate.main([f'--codes={tmp_path / "a.npz"}', '--metrics=fid']) == 2
  assert 'fid: needs images; give --workdir=DIR' in capsys.readouterr().err


def test_an_output_that_takes_no_scores_is_refused_before_scoring(
  tmp_path, capsys, monkeypatch
):
  _write(tmp_path / 'a.npz')
  (tmp_path / 's.json').write_text('mine')
  monkeypatch.setattr(evaluate.runner, 'score_codes', None)
  for name, message in (
    ('s.json', 'holds no scores'),
    ('.', 'is a folder; give a file as --output'),
    ('s.json/more.json', 'nothing can be written into'),
  ):
    command = [f'--codes={tmp_path / "a.npz"}', f'--output={tmp_path / name}']
    assert evaluate.main([*command, '--metrics=mig']) == 2
    assert message in capsys.readouterr().err
  assert (tmp_path / 's.json').read_text() == 'mine'


def test_metrics_import_no_framework():
  code = (
    'import sys, numpy as np\n'
    'from structae import evaluation\n'
    'from structae.commands import evaluate\n'
    'evaluation.mig(np.eye(4), np.eye(4, dtype=int)[:, :2])\n'
    'print([m for m in ("jax", "flax", "orbax", "tensorflow", "sklearn",'
    ' "tensorflow_datasets") if m in sys.modules])'
  )
  done = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True, check=True
  )
  assert done.stdout.strip() == '[]'
