"""Scores as a file, `scores.json`, and as lines to read.

A file holds `scores`, `matrices` and `details` by name, besides what the codes
were (`codes`) and what computed them (`versions`); see `score.score`.
"""

import json
import math
import os
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from structae import files
from structae.evaluation import definitions

PARTS = ('scores', 'matrices', 'details')
_DIGESTS = 'sha256'  # of the codes of each part
_ROWS = 15  # columns of the numbers of rows
_LEAST_ROOM = 60  # columns without which a definition is not shown
_LONGEST = 10_000  # letters of a line where there is no terminal


def save(path: str | os.PathLike, content: dict[str, Any]) -> None:
  """Writes scores as JSON, whole or not at all.

  Args:
    path: the file; its folder is made where it is missing.
    content: what to write.

  Raises:
    ValueError: if a number is not finite.
  """
  text = json.dumps(content, indent=1, allow_nan=False)
  files.write_text(path, text + '\n')


def load(path: str | os.PathLike) -> dict[str, Any]:
  """Reads scores and checks their form.

  Args:
    path: the file.

  Returns:
    Its content; empty if there is no such file.

  Raises:
    ValueError: names what in the file is broken.
  """
  path = Path(path)
  if not path.exists():
    return {}
  content = files.read_object(path)
  for part in (*PARTS, 'versions'):
    if not isinstance(content.get(part, {}), dict):
      raise ValueError(f'{path}: {part!r} must be an object.')
  for name, score in content.get('scores', {}).items():
    _check_entry(path, name, score)
  for name, matrix in content.get('matrices', {}).items():
    _check_matrix(path, name, matrix)
  if 'scores' not in content:
    raise ValueError(f"{path} holds no 'scores'.")
  return content


def _is_number(value: Any) -> bool:
  is_number = isinstance(value, int | float) and not isinstance(value, bool)
  return is_number and math.isfinite(value)


# What members of an entry are, where they are there and not null.
_FORMS: dict[str, tuple[str, Callable[[Any], bool]]] = {
  **dict.fromkeys(
    ('value', 'floor', 'chance', 'mean', 'std'), ('a number', _is_number)
  ),
  **dict.fromkeys(
    ('definition', 'missing', 'metric', 'score', 'of', 'group', 'better'),
    ('text', lambda value: isinstance(value, str)),
  ),
  **dict.fromkeys(
    ('seeds', 'range', 'interval'),
    ('a list', lambda value: isinstance(value, list)),
  ),
}


def _check_entry(path: Path, name: str, entry: Any) -> None:
  if not isinstance(entry, dict) or 'value' not in entry:
    raise ValueError(
      f'{path}: score {name!r:.80} must be an object with a "value"; got '
      f'{entry!r:.60}.'
    )
  for key, (form, is_one) in _FORMS.items():
    if entry.get(key) is not None and not is_one(entry[key]):
      raise ValueError(
        f'{path}: score {name!r:.80} has {entry[key]!r:.60} as its "{key}"; '
        f'expected {form}.'
      )


def _check_matrix(path: Path, name: str, matrix: Any) -> None:
  try:
    shape = np.asarray(matrix['values'], float).shape
    named = (len(matrix['rows']), len(matrix['columns']))
  except (TypeError, KeyError, ValueError) as error:
    raise ValueError(
      f'{path}: matrix {name!r} needs "values", "rows" and "columns".'
    ) from error
  if shape != named:
    raise ValueError(
      f'{path}: matrix {name!r} is {shape} but has names for {named}.'
    )


def merge(
  path: str | os.PathLike, content: dict[str, Any]
) -> tuple[dict[str, Any], str]:
  """Adds scores to those that a file holds of the same codes.

  A score that is missing now does not replace one that was found before.

  Args:
    path: the file; it is not written.
    content: the new scores.

  Returns:
    What the file should hold, and a line that says if scores of other codes
    were dropped; else an empty one.

  Raises:
    ValueError: if the file is broken, or holds scores of another step or
      configuration than the codes are of.
  """
  try:
    old = load(path)
  except ValueError as error:
    raise ValueError(f'{path} holds no scores; move it away.') from error
  if not Path(path).is_file():
    return content, ''
  kept = {key: dict(old.get(key, {})) for key in PARTS}
  was = old.get('codes', content['codes'])
  versions = dict(old.get('versions', {}))
  for key in ('step', 'config_hash'):
    mine = content['codes']['meta'].get(key)
    if None not in (mine, old.get(key)) and mine != old[key]:
      raise ValueError(
        f'the codes are of {key} {mine}, the scores in {path} of {old[key]}; '
        'encode again, or give another --output.'
      )
  if not _are_same(was, json.loads(json.dumps(content['codes']))):
    return content, f'{path} held scores of other codes; replaced.'
  new = content['versions']
  if any(
    versions.get(name, version) != version for name, version in new.items()
  ):
    for entry in kept['scores'].values():
      entry.setdefault('versions', versions)
  found = {
    name: entry
    for name, entry in content['scores'].items()
    if not (
      is_missing(entry) and not is_missing(kept['scores'].get(name, entry))
    )
  }
  merged = {key: {**kept[key], **content[key]} for key in PARTS}
  merged['scores'] = {**kept['scores'], **found}
  digests = {**was.get(_DIGESTS, {}), **content['codes'].get(_DIGESTS, {})}
  merged['codes'] = {
    **content['codes'],
    **({_DIGESTS: digests} if digests else {}),
  }
  return {**old, **content, **merged, 'versions': {**versions, **new}}, ''


def _are_same(was: Any, now: Mapping[str, Any]) -> bool:
  """Whether two descriptions are of the same codes.

  Files of before digests were kept are of the same codes where a run made
  these, whose step and configuration have been compared.
  """
  if not isinstance(was, dict):
    return False
  before, after = was.get(_DIGESTS, {}), now.get(_DIGESTS, {})
  if not isinstance(before, dict):
    return False
  if after and not before and was != now and not now.get('meta'):
    return False
  alike = all(before[part] == after[part] for part in before.keys() & after)
  described = [
    {k: v for k, v in x.items() if k != _DIGESTS} for x in (was, now)
  ]
  return alike and described[0] == described[1]


def is_missing(entry: dict[str, Any]) -> bool:
  """Whether a score could not be computed; its `missing` says why."""
  return entry.get('value') is None


def missing(content: dict[str, Any]) -> list[str]:
  """A line per reason why scores are missing, which names their metrics."""
  metrics: dict[str, list[str]] = {}
  for name, entry in content['scores'].items():
    if 'missing' in entry:
      metrics.setdefault(entry['missing'], []).append(entry.get('metric', name))
  return [
    f'{", ".join(dict.fromkeys(names))}: {reason}'
    for reason, names in metrics.items()
  ]


def table(content: dict[str, Any], columns: int = 0) -> str:
  """Scores as lines to read.

  Args:
    content: what a file holds.
    columns: of the terminal; 0 puts every definition on the line of its score.

  Returns:
    The groups of scores, in them a line per score: its name, its value, an
    arrow up where higher is better and down where lower is, the value of
    shuffled codes, the rows it was taken over (fitted and held out; `*` if they
    were drawn from all parts together), and its definition, or why it is
    missing. In a narrow terminal definitions are left out, then rows.
  """
  scores = content['scores']
  width = max([len('score'), *map(len, scores)])
  head = f'{"score":{width}} {"value":>11}   {"chance":>8}'
  with_rows = not columns or columns >= len(head) + _ROWS + 1
  if with_rows:
    head += f' {"rows":>{_ROWS}}'
  room = columns - len(head) - 2 if columns else _LONGEST
  defined = room >= _LEAST_ROOM
  lines = [f'{head}  definition' if defined else head]
  for title, entries in definitions.grouped(scores).items():
    lines.append(title)
    for name, entry in entries.items():
      start = f'{name:{width}} {_numbers(name, entry)}'
      if with_rows:
        start += f' {_rows(entry):>{_ROWS}}'
      text = _text(entry, defined)
      if defined:
        first, *rest = textwrap.wrap(text, room) or ['']
        lines += [
          f'{start}  {first}',
          *(' ' * (len(head) + 2) + x for x in rest),
        ]
      else:
        below = textwrap.wrap(text, columns - 2)
        lines += [start.rstrip(), *(f'  {x}' for x in below)]
  if with_rows and any(e.get('points') == 'full' for e in scores.values()):
    lines.append('* points drawn from all parts of the data together')
  if not defined:
    lines.append('what each asks: its definition in scores.json')
  return '\n'.join(lines)


def _numbers(name: str, entry: Mapping[str, Any]) -> str:
  """The value of a score, which way is better, and chance."""
  value, chance = entry.get('value'), entry.get('chance')
  shown = 'missing' if value is None else _number(value)
  beside = '' if chance is None else f'{chance:.4f}'
  return f'{shown:>11} {definitions.arrow(name, entry):1} {beside:>8}'


def _number(value: float) -> str:
  """Four decimals, or as many digits of a number that these would hide."""
  return f'{value:.2e}' if 1e-7 < abs(value) < 1e-3 else f'{value:.4f}'


def _text(entry: Mapping[str, Any], defined: bool) -> str:
  """What is said of a score: why it is missing, its spread, its definition."""
  text = entry.get('missing') or entry.get('definition', '') * defined
  if entry.get('interval'):
    low, high = entry['interval']
    text = f'95 %: {low:.4g} to {high:.4g}. {text}'.rstrip()
  if not entry.keys() >= {'seeds', 'mean', 'std'}:
    return text
  spread = f'{entry["mean"]:.4f} ± {entry["std"]:.4f}'
  return f'{spread} over {len(entry["seeds"])} seeds. {text}'.rstrip()


def _rows(entry: Mapping[str, Any]) -> str:
  numbers = [entry[key] for key in ('n', 'n_test') if key in entry]
  mark = '*' if entry.get('points') == 'full' else ''
  return '+'.join(map(str, numbers)) + mark
