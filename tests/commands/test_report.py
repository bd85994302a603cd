import subprocess
import sys

from structae.commands import report


def refused(arguments, capsys):
  try:
    code = report.main(arguments)
  except SystemExit as stop:  # of the parser
    code = stop.code
  printed = capsys.readouterr()
  assert code == 2 and printed.out == ''
  assert printed.err.count('\n') == 1
  return printed.err


def test_one_run_gets_its_report(make_run, capsys):
  folder = make_run()
  report.main([str(folder)])
  assert capsys.readouterr().out.strip() == str(folder / 'report.html')
  assert 'SAE-4' in (folder / 'report.html').read_text()


def test_many_runs_get_a_comparison(make_run, tmp_path, monkeypatch, capsys):
  folders = [str(make_run(name, seed=i)) for i, name in enumerate('ab')]
  report.main([*folders, f'--output={tmp_path / "out" / "page.html"}'])
  assert (tmp_path / 'out' / 'page.html').exists()
  monkeypatch.chdir(tmp_path)
  none, empty = tmp_path / 'none', tmp_path / 'empty'
  empty.mkdir()
  assert report.main([*folders, str(none), str(empty)]) == 0
  assert capsys.readouterr().err.splitlines() == [
    f'skipped: {folder} has no config.json' for folder in (none, empty)
  ]
  before = (tmp_path / 'comparison.html').read_bytes()
  assert b'2 runs' in before
  assert 'exists; give another' in refused(folders, capsys)
  assert (tmp_path / 'comparison.html').read_bytes() == before


def test_no_other_file_is_overwritten(make_run, tmp_path, capsys):
  folder, notes = str(make_run()), tmp_path / 'notes.md'
  notes.write_text('mine')
  page = tmp_path / 'page.html'
  page.write_text('mine')
  for path, printed in ((notes, 'expected a .html file'), (page, 'exists')):
    assert printed in refused([folder, f'--output={path}'], capsys)
    assert path.read_text() == 'mine'


def test_bad_input_is_one_line(make_run, tmp_path, capsys):
  folder = make_run()
  assert 'DIR' in refused([], capsys)
  assert '--hue' in refused([str(folder), '--hue=3'], capsys)
  assert 'config.json' in refused([str(tmp_path / 'none')], capsys)
  assert report.main([str(tmp_path / 'a'), str(tmp_path / 'b')]) == 2
  assert 'none of the folders is of a run' in capsys.readouterr().err
  inside_a_file = folder / 'config.json' / 'page.html'
  assert 'written' in refused(
    [str(folder), f'--output={inside_a_file}'], capsys
  )
  (folder / 'scores.json').write_text('{')
  assert 'scores.json' in refused([str(folder)], capsys)


def test_the_command_needs_no_model_and_fails_before_anything_is_drawn():
  code = (
    'import sys; from structae.commands import report\n'
    'assert report.main(["nowhere"]) == 2\n'
    'heavy = {"jax", "flax", "matplotlib", "tensorflow"}\n'
    'sys.exit(bool(heavy & set(sys.modules)))'
  )
  subprocess.run([sys.executable, '-c', code], check=True)


def test_drawing_a_report_imports_no_jax(make_run):
  code = (
    'import sys; from structae.commands import report\n'
    f'report.main([{str(make_run())!r}])\n'
    'sys.exit("jax" in sys.modules)'
  )
  subprocess.run([sys.executable, '-c', code], check=True)
