"""Graphs over variables as text: `room; object: room; colours: room, object`.

Each variable with its parents, in the order of the code. Variables are called
by names, or by their numbers from 1 on (`1; 2: 1; 3: 1, 2`). `image: object`
names the variables of whose maps the image is made; without it they are those
that are nobody's parents. A file holds the same as a JSON object:
`{"room": [], "object": ["room"], "colours": ["room", "object"]}`.

Imports no jax, so that a mistake is answered at once.
"""

import difflib
import json
import pathlib
import re
from typing import NamedTuple

from structae.config.errors import ConfigError
from structae.models.graph import Graph, circle

FIELD = 'model.graph'
_IMAGE = 'image'
_EXAMPLE = "for example 'room; object: room; colours: room, object'"
_MOST_CHARACTERS = 100_000
_MOST_VARIABLES = 1024


class NamedGraph(NamedTuple):
  """A graph, and what its variables are called.

  Attributes:
    names: K names, `U3` where the third has none.
    graph: the graph.
  """

  names: tuple[str, ...]
  graph: Graph

  def __str__(self) -> str:
    """The graph as text, which `parse` reads."""
    names, ends = self.names, self.graph.ends
    entries = list(zip(names, self.graph.parents))
    if ends != Graph(self.graph.parents).ends:
      entries.append((_IMAGE, ends))
    return '; '.join(
      f'{name}: {", ".join(names[j] for j in parents)}' if parents else name
      for name, parents in entries
    )


def parse(text: str) -> NamedGraph:
  """Reads a graph.

  Args:
    text: as above, or the name of a file that ends in `.json`.

  Returns:
    The graph.

  Raises:
    ConfigError: one line that names what is wrong, and what was expected.
  """
  entries = _of_file(text) if text.endswith('.json') else _of_text(text)
  if len(entries) > _MOST_VARIABLES:
    raise ConfigError(
      f'{FIELD} has {len(entries)} variables; expected no more than '
      f'{_MOST_VARIABLES}'
    )
  names = _names([name for name, _ in entries if name != _IMAGE])
  parents = [
    tuple(_number(parent, names, name) for parent in listed)
    for name, listed in entries
  ]
  for (name, listed), numbers in zip(entries, parents):
    if len(set(numbers)) < len(numbers):
      raise ConfigError(f'{FIELD}: {name} lists one of {listed} twice')
  ends = [p for (name, _), p in zip(entries, parents) if name == _IMAGE]
  if len(ends) > 1 or ends == [()]:
    raise ConfigError(
      f'{FIELD}: {_IMAGE} stands {len(ends)} times; expected it once, with '
      'variables, or not at all'
    )
  own = tuple(p for (name, _), p in zip(entries, parents) if name != _IMAGE)
  return NamedGraph(names, _checked(names, own, ends[0] if ends else ()))


def _checked(
  names: tuple[str, ...],
  parents: tuple[tuple[int, ...], ...],
  ends: tuple[int, ...],
) -> Graph:
  if found := circle(parents):
    way = ' -> '.join(names[i] for i in (*found, found[0]))
    raise ConfigError(f'{FIELD} has a circle: {way}; take one arrow out')
  graph = Graph(parents, ends)
  if unseen := graph.unseen():
    raise ConfigError(
      f'{FIELD}: no way leads from {names[unseen[-1]]} to the image; add it to '
      f'the variables of {_IMAGE}, or to the parents of another'
    )
  return graph


def _of_text(text: str) -> list[tuple[str, list[str]]]:
  entries = []
  for entry in text.split(';'):
    name, colon, listed = (part.strip() for part in entry.partition(':'))
    parents = [parent.strip() for parent in listed.split(',')]
    entries.append((name, parents if colon and parents != [''] else []))
  if not text.strip():
    raise ConfigError(
      f'{FIELD} is empty; a graph decoder needs one, {_EXAMPLE}'
    )
  return entries


def _of_file(path: str) -> list[tuple[str, list[str]]]:
  """The entries of a JSON object, in their order."""
  try:
    with pathlib.Path(path).expanduser().open(encoding='utf-8') as file:
      text = file.read(_MOST_CHARACTERS)
    content = json.loads(text, object_pairs_hook=list)
  except (OSError, RuntimeError) as error:
    reason = getattr(error, 'strerror', None) or error
    raise ConfigError(f'{FIELD}: {path!r:.200}: {reason}') from error
  except (ValueError, RecursionError) as error:
    raise ConfigError(f'{FIELD}: {path!r:.200} is no JSON: {error}') from error
  good = isinstance(content, list) and all(
    isinstance(pair, tuple)
    and isinstance(pair[1], list)
    and all(type(parent) in (str, int) for parent in pair[1])
    for pair in content
  )
  if not good or not content:
    raise ConfigError(
      f'{FIELD}: {path!r:.200} is no graph; expected each variable with a list '
      'of its parents, such as {"room": [], "object": ["room"]}'
    )
  return [
    (name, [str(parent) for parent in listed]) for name, listed in content
  ]


def _names(given: list[str]) -> tuple[str, ...]:
  """What variables are called: a number, from 1 on, is one's place."""
  names: list[str] = []
  for place, name in enumerate(given, 1):
    number = _place(name)
    if number is not None and number != place:
      raise ConfigError(
        f'{FIELD}: {name:.80} stands in place {place}; a number is the place '
        'of a variable: give it a name, or bring them in order'
      )
    if number is None and not re.fullmatch(r'[^\W\d]\w*', name):
      raise ConfigError(
        f'{FIELD}: {name!r:.80} is no name of a variable; expected letters, '
        f'digits and _, {_EXAMPLE}'
      )
    names.append(f'U{place}' if number else name)
    if names.index(names[-1]) != place - 1:
      raise ConfigError(f'{FIELD}: two variables are called {name:.80}')
  return tuple(names)


def _place(name: str) -> int | None:
  """3 of '3' and of 'U3'; None of other names."""
  match = re.fullmatch(r'U?([1-9][0-9]{0,5})', name)
  return int(match[1]) if match else None


def number(name: str | int, names: tuple[str, ...]) -> int:
  """The number of a variable, counted from 0.

  Args:
    name: its name, or `U3`, `3` for the third.
    names: of all variables.

  Raises:
    ConfigError: if there is none; the message names those that there are.
  """
  name = str(name)
  if name in names:
    return names.index(name)
  place = _place(name)
  if place and place <= len(names):
    return place - 1
  close = difflib.get_close_matches(name, names, 1)
  hint = f'did you mean {close[0]}? ' if close else ''
  raise ConfigError(
    f'{name!r:.80} is no variable; {hint}there are {", ".join(names):.500}'
  )


def _number(parent: str, names: tuple[str, ...], child: str) -> int:
  try:
    return number(parent, names)
  except ConfigError as error:
    raise ConfigError(f'{FIELD}: a parent of {child}: {error}') from None
