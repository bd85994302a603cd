"""Pieces of a page: semantic HTML, everything from outside escaped."""

import base64
import dataclasses
import hashlib
import html
import os
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from structae.config import flat
from structae.evaluation import definitions
from structae.pages import wording

# No request leaves the page, and no script runs but its own, whatever a file of
# the run may have put in it. Plots carry style attributes.
_POLICY = (
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
  "script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
)

# The columns of scores, and what of an entry stands elsewhere than in its
# details.
_HEADS = ('value', 'chance', 'range')
_SHOWN = ('value', 'definition', 'missing', 'chance', 'score', 'of', 'group',
          'range', 'better')  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Section:
  """A titled part of a page.

  Attributes:
    title: its heading, plain text.
    content: markup; a section without is left out.
    note: plain text under the heading.
    id: what a link names it by; by default its number on the page.
  """

  title: str
  content: str
  note: str = ''
  id: str = ''


def page(
  title: str,
  header: str,
  sections: Iterable[Section],
  scripts: Sequence[str] = (),
) -> str:
  """A whole page, with its style and scripts inside.

  Args:
    title: plain text.
    header: markup of what stands first.
    sections: what follows, listed in a table of contents.
    scripts: files of this package, run as one script in this order.
  """
  read = lambda name: (
    resources.files('structae.pages').joinpath(name).read_text('utf-8')
  )
  style = read('page.css')
  script = '\n'.join(map(read, scripts))
  body = _body(header, [s for s in sections if s.content])
  digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
  policy = _POLICY.format(digest=digest)
  run = f'<script>{script}</script>\n' if script else ''
  return f"""<!DOCTYPE html>
<html lang="en" class="no-script">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{text(title)}</title>
<style>
{style}</style>
</head>
<body>
{body}
{run}</body>
</html>
"""


def _body(header: str, sections: Sequence[Section]) -> str:
  """The parts of a page, numbered, below their contents."""
  names = [s.id or f'part-{i + 1}' for i, s in enumerate(sections)]
  links = ''.join(
    f'<li><a href="#{name}">{text(section.title)}</a></li>\n'
    for name, section in zip(names, sections)
  )
  contents = f'<nav aria-label="Contents"><ul>\n{links}</ul></nav>\n'
  parts = ''.join(
    f'<section id="{name}">\n<h2>{text(section.title)}</h2>\n'
    + (f'<p class="note">{text(section.note)}</p>\n' if section.note else '')
    + f'{section.content}\n</section>\n'
    for name, section in zip(names, sections)
  )
  return (
    f'<main>\n{header}{contents if len(sections) > 1 else ""}{parts}</main>'
  )


def text(value: Any) -> str:
  """Any value as text inside an element or an attribute."""
  # Names of files may hold bytes that are no UTF-8, as halves of pairs.
  whole = str(value).encode('utf-8', 'replace').decode()
  return html.escape(whole)


def figure(picture: str, caption: str = '', *, large: bool = False) -> str:
  """A picture (an `<img>` or `<svg>`) with its caption.

  Args:
    picture: markup.
    caption: plain text.
    large: whether it is too fine for a phone, on which it then scrolls.
  """
  caption = f'<figcaption>{text(caption)}</figcaption>' if caption else ''
  kind = ' class="large" tabindex="0"' if large else ''
  return f'<figure{kind}>{picture}{caption}</figure>'


def image(uri: str, alt: str, *, hidden: bool = False) -> str:
  """An image; `alt` says what it shows."""
  mark = ' hidden' if hidden else ''
  return f'<img src="{uri}" alt="{text(alt)}" decoding="sync"{mark}>'


def plot(svg: str, alt: str) -> str:
  """A plot from `canvas.svg`, named for those who do not see it."""
  return svg.replace('<svg', f'<svg role="img" aria-label="{text(alt)}"', 1)


def tiles(scores: Mapping[str, Mapping[str, Any]]) -> str:
  """The headline scores."""
  items = ''.join(
    f'<div><dt>{text(wording.score_name(name, score))}</dt>'
    f'<dd>{wording.number(score["value"])}{_beside(score)}</dd></div>\n'
    for name, score in scores.items()
  )
  return f'<dl class="tiles">\n{items}</dl>\n' if items else ''


def _beside(score: Mapping[str, Any]) -> str:
  """What a score is read against: its floor, or its chance."""
  value, floor = score['value'], score.get('floor')
  chance = score.get('chance')
  if value is not None and floor is not None:
    return f'<small>{wording.number(value - floor)} above the floor</small>'
  return (
    '' if chance is None else f'<small>chance {wording.number(chance)}</small>'
  )


def definition(name: str, score: Mapping[str, Any]) -> str:
  """The name of a score; its definition unfolds."""
  paragraphs = [
    str(score[k]) for k in ('definition', 'missing') if score.get(k)
  ]
  details = [
    f'{key} = {wording.number(value) if isinstance(value, float) else value}'
    for key, value in score.items()
    if key not in _SHOWN and isinstance(value, int | float | str)
  ]
  paragraphs += [', '.join(details)] if details else []
  body = ''.join(f'<p>{text(part)}</p>' for part in paragraphs)
  name = text(wording.words(name))
  if not body:
    return name
  return f'<details><summary>{name}</summary>{body}</details>'


def score_table(scores: Mapping[str, Mapping[str, Any]]) -> str:
  """All scores of one run by their groups, definitions one click away."""
  if not scores:
    return ''
  heads = ''.join(
    f'<th scope="col" class="value {head}">{head}</th>' for head in _HEADS
  )
  groups = ''.join(
    f'<tr class="group"><th scope="rowgroup" colspan="{len(_HEADS) + 1}">'
    f'{text(title)}</th></tr>\n'
    + ''.join(_score_row(name, score) for name, score in entries.items())
    for title, entries in definitions.grouped(scores).items()
  )
  return wide(
    f'<table class="scores"><thead><tr><th scope="col">score</th>{heads}</tr>'
    f'</thead>\n<tbody>\n{groups}</tbody></table>',
    'Scores',
  )


def _score_row(name: str, score: Mapping[str, Any]) -> str:
  row, chance = definitions.find(name, score), score.get('chance')
  arrow = definitions.arrow(name, score)
  cells = (
    f'{wording.number(score["value"])} <span class="arrow">{arrow}</span>',
    '' if chance is None else wording.number(chance),
    text(definitions.range_words(row)) if row else '',
  )
  values = ''.join(
    f'<td class="value {head}">{cell}</td>' for head, cell in zip(_HEADS, cells)
  )
  head = f'<th scope="row">{definition(name, score)}</th>'
  return f'<tr>{head}{values}</tr>\n'


def settings(title: str, values: Mapping[str, Any]) -> str:
  """A folded table of nested settings."""
  rows = ''.join(
    f'<tr><th scope="row">{breakable(name)}</th><td>{text(value)}</td></tr>\n'
    for name, value in flat(values).items()
  )
  if not rows:
    return ''
  table = f'<table class="settings"><tbody>\n{rows}</tbody></table>'
  return (
    f'<details><summary>{text(title)}</summary>{wide(table, title)}</details>'
  )


def breakable(name: str) -> str:
  """A dotted name that may go on in the next line where its words end."""
  return text(name).replace('.', '.<wbr>').replace('_', '_<wbr>')


def link(path: Path, name: str, folder: Path) -> str:
  """A link to a file from a page in a folder; its name alone where it is not.

  Args:
    path: the file.
    name: plain text.
    folder: where the page will lie.
  """
  if not path.is_file():
    return text(name)
  relative = os.path.relpath(path.resolve(), folder.resolve())
  address = urllib.parse.quote(os.fsencode(relative))
  return f'<a href="{address}">{text(name)}</a>'


def wide(table: str, name: str) -> str:
  """A table that scrolls by itself where the page is too narrow for it."""
  return (
    f'<div class="wide" role="region" aria-label="{text(name)}" tabindex="0">'
    f'{table}</div>'
  )


def side_by_side(figures: Sequence[str], *, narrow: bool = False) -> str:
  """Figures in two columns, three if `narrow`; in one on a phone."""
  content = '\n'.join(figure for figure in figures if figure)
  kind = 'side-by-side narrow' if narrow else 'side-by-side'
  return f'<div class="{kind}">{content}</div>' if content else ''
