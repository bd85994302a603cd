"""The documents: links lead somewhere, commands and code are as they are."""

import ast
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob('*.md'), *(ROOT / 'docs').rglob('*.md')])
BLOCK = re.compile(r'^```(\w*)\n(.*?)^```', re.MULTILINE | re.DOTALL)
# But `data`, whose parts have flags of their own.
COMMANDS = {'train', 'evaluate', 'sample', 'encode', 'report', 'export',
            'benchmark'}  # fmt: skip

each = pytest.mark.parametrize(
  'path', DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def blocks(path, *languages):
  found = BLOCK.findall(path.read_text('utf-8'))
  return [text for language, text in found if language in languages]


@each
def test_links_lead_to_files_and_headings(path):
  text = BLOCK.sub('', path.read_text('utf-8'))
  for link in re.findall(r'\]\(([^)\s]+)\)', text):
    if '://' in link:
      continue
    name, _, heading = link.partition('#')
    target = (path.parent / name) if name else path
    assert target.exists(), link
    if heading:
      slugs = [
        re.sub(r'[^\w -]', '', line.lstrip('# ')).lower().replace(' ', '-')
        for line in target.read_text('utf-8').splitlines()
        if line.startswith('#')
      ]
      assert heading in slugs, link


@pytest.fixture(scope='module')
def helps():
  """What each command says of itself."""
  code = (
    'import contextlib, importlib, io, json, sys\n'
    'told = {}\n'
    'for name in sys.argv[1:]:\n'
    '  out = io.StringIO()\n'
    '  module = importlib.import_module(f"structae.commands.{name}")\n'
    '  with contextlib.redirect_stdout(out):\n'
    '    try: module.main(["--help"])\n'
    '    except SystemExit: pass\n'
    '  told[name] = out.getvalue()\n'
    'print(json.dumps(told))'
  )
  done = subprocess.run(
    [sys.executable, '-c', code, *COMMANDS], capture_output=True, check=True
  )
  return json.loads(done.stdout)


@each
def test_commands_and_their_flags_exist(path, helps):
  lines = '\n'.join(blocks(path, 'bash', '')).splitlines()
  inline = re.findall(r'`(structae [^`]+)`', path.read_text('utf-8'))
  for line in [*lines, *inline]:
    words = re.sub(r'[\[\]|]', ' ', line.partition('#')[0]).split()
    if not words or words[0] != 'structae' or words[1] not in COMMANDS:
      assert not words or words[0] != 'structae' or words[1] == 'data', line
      continue
    for flag in re.findall(r'--[\w-]+', ' '.join(words[2:])):
      assert flag == '--config' or flag in helps[words[1]], line


@each
def test_modules_that_are_run_exist(path):
  for line in '\n'.join(blocks(path, 'bash', '')).splitlines():
    found = re.search(r'-m (experiments[\w.]*|structae[\w.]*)', line)
    if found:
      module = ROOT.joinpath(*found[1].split('.'))
      assert module.with_suffix('.py').is_file() or module.is_dir(), line


@each
def test_python_is_python(path):
  for code in blocks(path, 'python'):
    ast.parse(code)


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  rng = np.random.default_rng(0)
  factors = rng.integers(0, 3, (600, 2))
  codes = jax.numpy.asarray(rng.normal(size=(600, 4)) + factors[:, :1])
  values = {'codes': codes, 'factors': factors}
  for code in blocks(ROOT / 'README.md', 'python'):
    exec(code, values)  # noqa: S102
  assert values['new'].shape == (64, 4, 1)
  assert Path('codes.npz').is_file()


def test_the_site_documents_what_exists():
  for path in (ROOT / 'docs' / 'api').glob('*.md'):
    for name in re.findall(r'^::: (.*)$', path.read_text(), re.MULTILINE):
      assert pkgutil.resolve_name(name).__doc__, name


def test_the_readme_is_short_and_names_its_tests_once():
  lines = (ROOT / 'README.md').read_text('utf-8').splitlines()
  assert len(lines) <= 150
  (line,) = [line for line in lines if 'pytest' in line]
  assert line.startswith('python3 -m venv .venv && .venv/bin/pip install')
