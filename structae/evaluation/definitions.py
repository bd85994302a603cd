"""The registry in words: of an entry of `scores.json`, and as a document.

python -m structae.evaluation.definitions
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from structae.evaluation import registry
from structae.evaluation.registry import SCORES, SETS, Score

ARROWS = {1: '↑', -1: '↓', 0: ''}
_MARKS = ('<!-- scores -->', '<!-- end of scores -->')
_OTHERS = 'Other scores'


def find(name: str, entry: Mapping[str, Any] | None = None) -> Score | None:
  """The row of the registry that an entry of `scores.json` is of.

  Args:
    name: of the entry. It counts where the entry does not say which row it is
      of, as in files written before entries did.
    entry: what stands under that name.

  Returns:
    The row, or None if there is none.
  """
  known = (entry or {}).get('score')
  if known is not None:
    return SCORES.get(known)
  if name in SCORES:
    return SCORES[name]
  for score in SCORES.values():
    family, _, of = name.partition(f'{score.name}_')
    anything = score.family in ('factor', 'variable') and of
    if not family and (anything or of in _sets(score)):
      return score
  return None


def _sets(score: Score) -> Iterable[str]:
  return filter(None, SETS) if score.family == 'set' else ()


def direction(name: str, entry: Mapping[str, Any] | None = None) -> int:
  """1 where higher is better, -1 where lower is, 0 where neither is."""
  score = find(name, entry)
  better = score.better if score else None
  return 0 if better is None else 1 if better == 'higher' else -1


def arrow(name: str, entry: Mapping[str, Any] | None = None) -> str:
  """An arrow up where higher is better, down where lower is."""
  return ARROWS[direction(name, entry)]


def grouped(
  scores: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, Mapping[str, Any]]]:
  """Entries of `scores.json` by the titles of their groups, in their order.

  Entries that are of no row come last, as other scores.
  """
  titles = {group: title(group) for group in registry.GROUPS}
  found: dict[str, dict[str, Mapping[str, Any]]] = {
    title: {} for title in (*titles.values(), _OTHERS)
  }
  for name, entry in scores.items():
    score = find(name, entry)
    found[titles[score.group] if score else _OTHERS][name] = entry
  return {title: entries for title, entries in found.items() if entries}


def title(group: str) -> str:
  """`can it be read` as `Can it be read?`."""
  mark = '?' if ' ' in group else ''
  return f'{group.capitalize()}{mark}'


def range_words(score: Score) -> str:
  """The range of a score: `0 to 1`, `0 or more`."""
  low, high = (None if x is None else f'{x:g}' for x in score.range)
  if low is None:
    return 'any number' if high is None else f'at most {high}'
  return f'{low} or more' if high is None else f'{low} to {high}'


def document(text: str) -> str:
  """A document with the tables of all scores between its two marks."""
  before, _, rest = text.partition(_MARKS[0])
  _, _, after = rest.partition(_MARKS[1])
  tables = '\n\n'.join(_table(group) for group in registry.GROUPS)
  return f'{before}{_MARKS[0]}\n{tables}\n{_MARKS[1]}{after}'


def _table(group: str) -> str:
  lines = [
    f'### {title(group)}',
    '',
    '| score | of the metric | definition | range | better | chance | needs |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ]
  for score in SCORES.values():
    if score.group == group:
      cells = (
        f'`{_name(score)}`',
        f'`{score.metric}`',
        score.definition.format(of=score.family.upper()),
        range_words(score),
        score.better or f'neither: {score.why}',
        _chance(score),
        ', '.join(score.needs),
      )
      lines.append(f'| {" | ".join(cells)} |')
  return '\n'.join(lines)


def _name(score: Score) -> str:
  return score.name + (f'_{score.family.upper()}' if score.family else '')


def _chance(score: Score) -> str:
  return f'none: {score.why}' if score.chance is None else str(score.chance)


if __name__ == '__main__':
  path = Path('docs/scores.md')
  path.write_text(document(path.read_text('utf-8')), 'utf-8')
