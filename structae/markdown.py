"""Markdown in which names from outside are text, never markup."""

import re
from collections.abc import Sequence
from typing import Any

# A backslash keeps each of these from meaning anything; between letters, an
# underscore means nothing.
_MARKUP = re.compile(r'([\\`*\[\]<>|~&$@]|(?<![^\W_])_|_(?![^\W_])|:(?=//))')


def text(value: Any) -> str:
  """Any value as text, in one line, inside a paragraph or a cell."""
  return _MARKUP.sub(r'\\\1', one_line(value))


def code(value: Any) -> str:
  """Any value as code, in one line, inside a paragraph or a cell."""
  line = one_line(value).replace('|', r'\|')
  runs = re.findall('`+', line)
  fence = '`' * (max(map(len, runs), default=0) + 1)
  # A space keeps apart what would join the fence.
  edge = ' ' if not line.strip('`') or '`' in (line[0], line[-1]) else ''
  return f'{fence}{edge}{line}{edge}{fence}'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """A table with names on the left and numbers on the right of their cells.

  Args:
    head: the heads of the columns, as Markdown.
    rows: cells, as Markdown: what comes from outside went through `text` or
      `code`.

  Returns:
    The lines of the table.
  """
  lines = [head, ['---', *['---:'] * (len(head) - 1)], *rows]
  return '\n'.join(f'| {" | ".join(line)} |' for line in lines) + '\n'


def one_line(value: Any) -> str:
  """Any value as a line that every file and terminal takes."""
  line = ' '.join(str(value).split())
  return ''.join(c if c.isprintable() else '\N{REPLACEMENT CHARACTER}'
                 for c in line)  # fmt: skip
