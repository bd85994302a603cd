"""Which images a run does without: `shape=ball`, `floor_hue=0,1;shape=cube`.

`FACTOR=VALUE,VALUE;FACTOR=VALUE`: an image is held out if it shows, of every
factor that is named, one of the values that are listed for it. So `,` is or,
and `;` is and: the second example holds out the cubes on floors of the first
two hues, and neither other cubes nor other shapes on such floors. A whole
number counts the values of a factor from 0; any other text is a value itself,
as `structae data info` lists them.

Imports no jax, so that a mistake is answered at once.
"""

import difflib
import re
from collections.abc import Sequence

from structae.data.data_set import Factors

# What the paper leaves out of 3D-Shapes to see whether a model extrapolates:
# the ball, or the two extreme camera angles on either side.
# Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 3.2, A.3.3.
NAMED = {'shape': 'shape=ball', 'camera': 'orientation=0,1,13,14'}


def parse(text: str, factors: Factors) -> dict[str, tuple[int, ...]]:
  """Reads what is held out.

  Args:
    text: as above, or a key of `NAMED`.
    factors: of the data set: by name, what their values mean.

  Returns:
    By the name of a factor, in the order of the set's, the places of its
    values, ascending.

  Raises:
    ValueError: one line that names what is unknown, and what there is.
  """
  found: dict[str, tuple[int, ...]] = {}
  for name, values in entries(text):
    if name not in factors:
      close = difflib.get_close_matches(name, factors, 1)
      hint = f'did you mean {close[0]}? ' if close else ''
      there = (
        f'there are {", ".join(factors):.300}' if factors else 'it has none'
      )
      raise ValueError(f'{name!r:.80} is no factor of the data; {hint}{there}')
    places = {_place(value, name, factors[name]) for value in values}
    found[name] = tuple(sorted(places))
  if all(len(places) == len(factors[name]) for name, places in found.items()):
    raise ValueError('every value is held out, and no image is left')
  return {name: found[name] for name in factors if name in found}


def entries(text: str) -> list[tuple[str, list[str]]]:
  """The factors that a text names, each with its values as they are written.

  Raises:
    ValueError: one line, if it has another form.
  """
  found: list[tuple[str, list[str]]] = []
  for entry in NAMED.get(text, text).split(';'):
    name, equals, listed = entry.partition('=')
    values = [value.strip() for value in listed.split(',')]
    if not equals or not name.strip() or not all(values):
      raise ValueError(
        f'{entry.strip()!r:.80} is no FACTOR=VALUE,VALUE; expected, for '
        'example, floor_hue=0,1;shape=cube'
      )
    if name.strip() in (known for known, _ in found):
      raise ValueError(
        f'{name.strip()!r:.80} is named twice; expected its values in one '
        'list, with commas'
      )
    found.append((name.strip(), values))
  return found


def written(text: str, factors: Factors) -> str:
  """What `parse` reads in one spelling, whatever was given."""
  if text in NAMED:
    return text
  return ';'.join(
    f'{name}={",".join(_spelled(factors[name], place) for place in places)}'
    for name, places in parse(text, factors).items()
  )


def unnamed(names: Sequence[str], sizes: Sequence[int]) -> Factors:
  """Factors of which only the numbers of values are known."""
  return {name: tuple(range(size)) for name, size in zip(names, sizes)}


def _place(text: str, name: str, values: Sequence) -> int:
  words = [str(value) for value in values]
  if re.fullmatch('[0-9]+', text):
    place = int(text[:9])
    if place < len(values):
      return place
  elif text in words:
    return words.index(text)
  listed = ', '.join(words[:12]) + ', ...' * (len(words) > 12)
  raise ValueError(
    f'{text!r:.80} is no value of {name}; it has {len(values)} ({listed}): '
    'give one, or a whole number that counts them from 0'
  )


def _spelled(values: Sequence, place: int) -> str:
  """A word where the set has one; a number is a place."""
  value = values[place]
  return value if isinstance(value, str) else str(place)
