"""Names in Markdown, read back by the rules of CommonMark and GitHub."""

import re

import numpy as np
import pytest

from structae import card, markdown

HOSTILE = 'a|b\n\n# c `` ` *d* __e__ <img src=x onerror=alert(1)> [f](http://g)'


def cells(row):
  return [cell.strip() for cell in re.split(r'(?<!\\)\|', row)[1:-1]]


def test_text_keeps_its_characters_and_none_of_its_meaning():
  shown = markdown.text(HOSTILE)
  assert re.sub(r'\\(\W|_)', r'\1', shown) == ' '.join(HOSTILE.split())
  bare = re.sub(r'\\(\W|_)', '', shown)
  assert not set(bare) & set('\n|`*<>[]') and '__' not in bare
  assert markdown.text('test_bce of shapes3d_synth') == (
    'test_bce of shapes3d_synth'
  )


@pytest.mark.parametrize('name', ['mig', '`a', 'b``c', '```', '', 'x\n```\ny'])
def test_code_ends_where_its_name_does(name):
  found = re.fullmatch(r'(`+)( ?)(.*?)\2\1', markdown.code(name))
  fence, _, inside = found.groups()
  assert '\n' not in inside and fence not in re.findall('`+', inside)


def test_a_row_has_a_cell_for_each_column_whatever_the_names():
  rows = [[markdown.text(HOSTILE), markdown.code(HOSTILE), '1']]
  lines = markdown.table(['a', 'b', 'c'], rows).splitlines()
  assert [len(cells(line)) for line in lines] == [3, 3, 3]


def test_the_card_of_a_model_shows_names_as_text():
  scores = {HOSTILE: {'value': 0.5, 'n': HOSTILE, 'definition': HOSTILE}}
  (row,) = card._scores(scores).splitlines()[4:]
  assert len(cells(row)) == 4 and '<img' not in re.sub(r'\\<|`[^|]*`', '', row)


def test_what_no_terminal_shows_is_replaced():
  line = markdown.one_line('a\x1b[31m\udcff\tb')
  assert line == 'a\ufffd[31m\ufffd b'
  assert np.array([line]).item().isprintable()
