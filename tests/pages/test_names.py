"""Names from outside are data on every page, whatever is in them."""

import html.parser
import json
import re

import numpy as np
import pytest

from structae.figures import grids
from structae.pages import comparison, markup, report

# Ends an element, an attribute, a comment, a style or a script, and runs.
HOSTILE = '--></style></script>"\'><img src=x onerror=alert(1)><script>alert(1)'
LONE = 'file \udcff'  # of a name that is no UTF-8
VOID = {'meta', 'img', 'input', 'br', 'wbr'}


class Outline(html.parser.HTMLParser):
  """The elements of a page, which must nest."""

  def __init__(self, text):
    super().__init__()
    self.open, self.tags, self.attributes = [], [], []
    self.feed(text)
    self.close()
    assert not self.open

  def handle_starttag(self, tag, attrs):
    self.handle_startendtag(tag, attrs)
    if tag not in VOID:
      self.open.append(tag)

  def handle_startendtag(self, tag, attrs):
    self.tags.append(tag)
    self.attributes += attrs

  def handle_endtag(self, tag):
    assert self.open.pop() == tag


@pytest.fixture
def write(make_run):
  """Writes a run in which every name that a page may show is `name`."""

  def make(folder, name, seed=0):
    plain = {'mig': 0.5, 'bce': 100.0}
    path = make_run(
      folder,
      seed=seed,
      model=name,
      config={
        name: {name: name},
        'scale': name,
        'data': {'name': name, 'size': 8},
        'model': {'name': name, 'decoder': name},
        'folder': folder,  # makes two groups of two runs
      },
      scores=plain | {name: 1.0},
    )
    content = json.loads((path / 'scores.json').read_text())
    for entry in content['scores'].values():
      entry |= {'definition': name, 'group': name, name: name, 'metric': name}
    content['scores'][f'{name} 2'] = {'value': None, 'missing': name}
    content['matrices'] = {
      name: {'values': [[1.0]], 'rows': [name], 'columns': [name], 'unit': name}
    }
    (path / 'scores.json').write_text(json.dumps(content))
    (path / 'config.json').write_text(
      json.dumps(
        json.loads((path / 'config.json').read_text())
        | {'versions': {name: name}}
      )
    )
    frames = dict(np.load(path / 'samples.npz'))
    # An array of strings in a file is of whole characters.
    label = name.encode('utf-8', 'replace').decode()
    np.savez(path / 'samples.npz', **{**frames, 'labels': np.array([label])})
    stem = name.replace('/', '|').replace('\0', '')  # as files may be called
    sheet = np.zeros((4, 4, 3), np.uint8)
    (path / 'figures' / f'{stem}.png').write_bytes(grids.png(sheet))
    return path

  return make


def check(text):
  page = Outline(text)
  assert page.tags.count('script') <= 1
  assert not [name for name, _ in page.attributes if name.startswith('on')]
  # Styles are of the page and of its plots, which matplotlib gives one each.
  assert page.tags.count('style') == 1 + page.tags.count('svg')
  sources = {value[:11] for name, value in page.attributes if name == 'src'}
  assert sources <= {'data:image/'}
  ids = [value for name, value in page.attributes if name == 'id']
  assert len(ids) == len(set(ids))
  assert all(re.fullmatch(r'[\w.:-]+', identity) for identity in ids)
  return page


@pytest.mark.parametrize('name', [HOSTILE, LONE, 'a b\0c\x1b[31m\n', '$x_{'])
def test_names_are_text_on_every_page(write, tmp_path, name):
  folders = [write(f'run {seed}', name, seed) for seed in (0, 1)]
  check(report.write_report(folders[0]).read_text())
  several = comparison.write_comparison(folders, tmp_path / 'several.html')
  assert 'svg' in check(several.read_text()).tags


def test_only_the_script_of_the_page_may_run():
  text = markup.page('', '', [], ['frames.js'])
  (policy,) = re.findall(r'Security-Policy" content="([^"]*)"', text)
  rules = dict(rule.split(' ', 1) for rule in policy.split('; '))
  assert 'unsafe' not in rules['script-src']
  assert rules['default-src'] == "'none'" == rules['base-uri']
