"""Models of the hub are fetched once, and refused in one line."""

import hashlib
import shutil
import sys
import types

import numpy as np
import pytest

import structae
from structae import extras, hub
from structae.commands import sample
from tests import test_pretrained

pytestmark = pytest.mark.usefixtures('barely_optimized')


@pytest.fixture(scope='module')
def saved(tmp_path_factory):
  folder = tmp_path_factory.mktemp('models') / 'tiny'
  return structae.save_pretrained(folder, test_pretrained.make())


@pytest.fixture
def asked(saved, monkeypatch):
  """A hub with one model; what it is asked for."""
  calls = []

  def snapshot_download(repository, *, revision, allow_patterns):
    calls.append((repository, revision, allow_patterns))
    if repository != 'owner/tiny':
      raise OSError('404: no such repository\nSee the manual.')
    return str(saved)

  stand_in = types.SimpleNamespace(snapshot_download=snapshot_download)
  monkeypatch.setitem(sys.modules, 'huggingface_hub', stand_in)
  return calls


def test_a_model_of_the_hub_is_that_of_its_folder(asked, saved, monkeypatch):
  model = structae.load_pretrained('hf://owner/tiny@v1')
  np.testing.assert_array_equal(
    model.pool, structae.load_pretrained(saved).pool
  )
  files = ['config.json', 'model.safetensors']
  assert asked == [('owner/tiny', 'v1', files)]
  structae.load_pretrained('hf://owner/tiny')
  assert asked[1] == ('owner/tiny', None, files)


def test_the_commands_take_it_too(asked, tmp_path, monkeypatch, capsys):
  monkeypatch.chdir(tmp_path)
  flags = ['--num=2', '--output=new.npz']
  assert sample.main(['hf://owner/tiny', *flags]) == 0
  assert np.load('new.npz')['images'].shape == (2, 8, 8, 3)
  assert sample.main(['hf://owner/other', '--output=more.npz']) == 2
  assert capsys.readouterr().err == (
    'error: hf:/owner/other cannot be fetched: 404: no such repository See the '
    'manual.\n'
  )


def test_without_the_library_the_extra_is_named(monkeypatch, capsys):
  monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
  with pytest.raises(extras.Missing, match=r"'structae\[hub\]'"):
    structae.load_pretrained('hf://owner/tiny')
  assert sample.main(['hf://owner/tiny']) == 2
  assert "pip install 'structae[hub]'\n" in capsys.readouterr().err


@pytest.mark.parametrize('name', ['hf://tiny', 'hf://a/b/c', 'hf://', 'hf:a/b'])
def test_other_addresses_are_refused(name, asked):
  with pytest.raises(ValueError, match='expected hf://OWNER/NAME'):
    hub.fetch(name)
  assert not asked


def test_the_library_finds_it_in_its_cache(saved, tmp_path, monkeypatch):
  pytest.importorskip('huggingface_hub')
  from huggingface_hub import constants

  commit = hashlib.sha1(b'a commit').hexdigest()
  place = tmp_path / 'models--owner--tiny'
  shutil.copytree(saved, place / 'snapshots' / commit)
  (place / 'refs').mkdir()
  (place / 'refs' / 'main').write_text(commit)
  monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path))
  monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', True)
  model = structae.load_pretrained('hf://owner/tiny')
  np.testing.assert_array_equal(model.pool, test_pretrained.make().pool)
  with pytest.raises(ValueError, match='owner/other cannot be fetched') as told:
    structae.load_pretrained('hf://owner/other')
  assert '\n' not in str(told.value)


def test_its_page_names_the_licence_and_shows_samples(saved):
  page = (saved / 'README.md').read_text()
  header, text = page.removeprefix('---\n').split('\n---\n', 1)
  assert 'license: apache-2.0' in header.splitlines()
  assert '](samples.png)' in text and '## Licence' in text
  assert (saved / 'samples.png').read_bytes()[1:4] == b'PNG'
