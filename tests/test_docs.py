"""The documents: links lead somewhere, commands and code are as they are."""

import importlib.util
import pkgutil
import re
import sys
import tomllib
import types
from pathlib import Path
from unittest import mock

import jax
import numpy as np
import pytest

from experiments import address
from structae import compiled
from structae.commands import config_flags, grid, parser
from tests import test_pretrained
from tests.documents import BLOCK, DOCUMENTS, ROOT, blocks, commands

# What documents show on their blocks' behalf: see CONTRIBUTING.md.
SAVED = 'runs/sae12-shapes3d_synth-quick-1a2b3c4d'
STANDS_IN = {
  'wandb': {},
  'huggingface_hub': {'snapshot_download.return_value': SAVED},
  'onnxruntime': {},
  'structae_model': {'load.return_value': (None, None)},
}
NAMES = ('RUN', 'DIR', 'PICTURES', 'REAL', 'OTHERS')

each = pytest.mark.parametrize(
  'path', DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


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


class Asked(Exception):
  """A command has come to read its arguments."""


@pytest.fixture
def parser_of(monkeypatch):
  """The parser of a module that is run, or None where it has none."""

  def ask(self, *_):
    raise Asked(self)

  def find(name, arguments):
    spec = importlib.util.find_spec(name)
    assert spec, f'there is no module {name}'
    if spec.submodule_search_locations:
      return find(f'{name}.__main__', arguments)
    if not re.search(
      r'\bParser\(|commands.start', Path(spec.origin).read_text()
    ):
      return None
    if name == 'experiments.main':
      name = 'structae.commands.train'
    main = importlib.import_module(name).main
    with monkeypatch.context() as patch:
      patch.setattr(parser.Parser, 'parse_known_args', ask)
      with pytest.raises(Asked) as asked:
        main(arguments)
    return asked.value.args[0]

  return find


@each
def test_commands_in_blocks_can_be_read(
  path, parser_of, tmp_path, monkeypatch, capsys
):
  monkeypatch.syspath_prepend(ROOT)
  (tmp_path / 'experiments').symlink_to(ROOT / 'experiments')
  monkeypatch.chdir(tmp_path)
  for name in NAMES:
    Path(name).mkdir()
  assert not blocks(path, ''), 'a block without a language'
  for block in blocks(path, 'bash'):
    for module, arguments in commands(block):
      reader = parser_of(module, arguments)
      if not reader:
        continue
      try:
        asked, unknown = reader.parse_known_args(arguments)
      except SystemExit:
        pytest.fail(f'{module} {arguments}: {capsys.readouterr().err}')
      if module.endswith('.sweep'):
        grid.jobs(asked, unknown, asked.runs)
      elif hasattr(asked, 'given'):
        config_flags.command(asked, unknown)  # refuses what there is not
      else:
        assert not unknown, (module, arguments)


@each
def test_commands_in_sentences_and_their_flags_exist(path, parser_of):
  text = BLOCK.sub('', path.read_text('utf-8'))
  inline = re.findall(r'`((?:structae|python -m) [^`]+)`', text)
  for module, arguments in commands('\n'.join(map(_line, inline))):
    reader = None if 'NAME' in module else parser_of(module, arguments)
    for flag in re.findall(r'(?<!\S)--[\w.-]+', ' '.join(arguments)):
      assert flag in _flags(reader), (module, flag)


def _line(text):
  return ' '.join(text.split())


def _flags(reader):
  """The flags of a parser and of its parts."""
  found = set(reader._option_string_actions)
  for action in reader._actions:
    if isinstance(action.choices, dict):
      found = found.union(*map(_flags, action.choices.values()))
  return found


@each
def test_fields_and_extras_that_are_named_exist(path):
  text = path.read_text('utf-8')
  for name in re.findall(r'--config\.([a-z_.]+[a-z])', text):
    assert name in config_flags.FIELDS, name
  project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
  for names in re.findall(r"""(?:structae|['`]\.)\[([\w,]+)\]""", text):
    assert {*names.split(',')} <= {*project['optional-dependencies']}, names


@pytest.fixture(scope='module')
def example(tmp_path_factory, barely_optimized):
  """A folder with what the blocks open, and values of the names they use."""
  folder = tmp_path_factory.mktemp('example')
  model = test_pretrained.make()
  model.save(folder / SAVED)
  test_pretrained.make('graph4').save(folder / SAVED.replace('sae12', 'graph4'))
  compiled.write(folder / 'DIR', model)
  rng = np.random.default_rng(0)
  factors = rng.integers(0, 3, (900, 2))
  codes = rng.normal(size=(900, 4)) + factors[:, :1]
  values = {
    'codes': jax.numpy.asarray(codes[:600]),
    'factors': factors[:600],
    'test_codes': codes[600:],
    'test_factors': factors[600:],
    'images': test_pretrained.examples(model),
  }
  return folder, values


@pytest.mark.parametrize(
  'path',
  [path for path in DOCUMENTS if blocks(path, 'python')],
  ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_python_of_a_document_runs(path, example, monkeypatch):
  folder, values = example
  monkeypatch.chdir(folder)
  for name, answers in STANDS_IN.items():
    monkeypatch.setitem(sys.modules, name, mock.MagicMock(**answers))
  names = types.SimpleNamespace(**values).__dict__
  for code in blocks(path, 'python'):
    exec(compile(code, path.name, 'exec'), names)  # noqa: S102
  if path.name == 'README.md':
    assert names['new'].shape == (64, 4, 1)
    assert (folder / 'codes.npz').is_file()


def test_the_site_documents_what_exists():
  for path in (ROOT / 'docs' / 'api').glob('*.md'):
    for name in re.findall(r'^::: (.*)$', path.read_text(), re.MULTILINE):
      assert pkgutil.resolve_name(name).__doc__, name


def test_the_readme_is_short_and_names_its_tests_once():
  lines = (ROOT / 'README.md').read_text('utf-8').splitlines()
  assert len(lines) <= 150
  (line,) = [line for line in lines if 'pytest' in line]
  assert line.startswith('python3 -m venv .venv && .venv/bin/pip install')


def test_every_link_to_the_project_is_that_of_pyproject():
  places = {path.name: path.read_text('utf-8') for path in address.files()}
  for name, text in places.items():
    assert address.slug() in text, name
    assert address.renewed(text, address.slug()) == text, name
    other = address.renewed(text, 'somebody/else')
    assert address.slug() not in other, name
