"""docs/results.md says what docs/results.json holds, number by number."""

import json
import re

import pytest

from experiments.paper import results
from tests.documents import BLOCK, ROOT

PAGE = (ROOT / 'docs' / 'results.md').read_text('utf-8')
CONTENT = json.loads((ROOT / 'docs' / 'results.json').read_text('utf-8'))
MARKED = re.compile(r'<!-- results: ([\w ]+) -->')
# Of sentences, numbers with a point, a percent sign or three digits; others
# count things, or are parts of names.
NUMBER = re.compile(
  r'(?<![\w.\-–])−?(\d[\d,]*)?(\.\d+)?(e-\d)?(?![\w.]*\d)( ?%)?'
)


def sections():
  """Text by the keys of the file that it is about."""
  for part in re.split(r'^## ', PAGE, flags=re.MULTILINE)[1:]:
    heading = part.splitlines()[0]
    keys = [key for key, x in CONTENT.items() if slug(heading) == x['heading']]
    if keys:
      yield pytest.param(part, keys, id=heading)


def slug(heading):
  return re.sub(r'[^\w -]', '', heading).lower().replace(' ', '-')


def test_tables_are_those_of_the_file():
  assert results.written(PAGE, CONTENT) == PAGE
  tables = results.tables(PAGE)
  assert len(tables) == len(MARKED.findall(PAGE))
  assert all(table.count('\n') > 2 for table in tables.values())


def known(value, times=(1,)):
  """Numbers in a part of the file, errors of pictures also by the thousand."""
  if isinstance(value, dict):
    for name, inner in value.items():
      small = 'mse' in name or 'scene' in name
      yield from known(inner, (1, 1000) if small else times)
  elif isinstance(value, list):
    for inner in value:
      yield from known(inner, times)
  elif isinstance(value, int | float):
    yield from (value * n for n in times)


def said(text):
  """The numbers of sentences, and of tables that no marker is above."""
  text = BLOCK.sub('', text)
  text = re.sub(r'<!-- results: .* -->\n\n(\|.*\n)*', '', text)
  text = re.sub(r'`[^`]*`|\]\([^)]*\)|https?://\S+', '', text)
  for found in NUMBER.finditer(text):
    whole, point, power, percent = found.groups()
    digits = (whole or '').replace(',', '')
    if point or power or percent or len(digits) > 2:
      sign = -1 if found[0].startswith('−') else 1
      number = sign * float(f'{digits}{point or ""}{power or ""}')
      step = 10.0 ** -len((point or '.')[1:]) * float(f'1{power or ""}')
      yield found[0], number, step, bool(percent)


@pytest.mark.parametrize('text, keys', [*sections()])
def test_numbers_of_sentences_are_those_of_the_file(text, keys):
  there = [abs(x) for key in keys for x in known(CONTENT[key])]
  missing = [
    shown
    for shown, number, step, percent in said(text)
    if not any(
      abs(abs(number) - x * (100 if percent else 1)) <= step / 2 + 1e-9
      for x in there
    )
  ]
  assert not missing, f'not in docs/results.json: {missing}'


def test_every_part_of_the_file_is_on_the_page():
  headings = {slug(x) for x in re.findall(r'^## (.*)$', PAGE, re.MULTILINE)}
  for key, section in CONTENT.items():
    assert section['heading'] in headings, key
    assert section['command'], key
