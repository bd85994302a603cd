"""What the scores of a run say, in sentences and in names for its numbers."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from structae.figures import grids
from structae.pages import wording
from structae.run import Run

# Shares of a factor's entropy that a number of a code knows.
_CARRIES = 0.1  # from here on the number is named after the factor
_HOLDS = 0.25  # from here on the factor is said to be in it
# The way from chance to 1 that a probe must go for a factor to be learned.
_LEARNED = 0.05
_USED = 0.01  # of the variance of images: below, a variable hardly shows


class Known(NamedTuple):
  """What the numbers of a code know about the factors.

  Attributes:
    numbers: their names, `U₃`.
    factors: the names of the factors, as columns of scores.
    shares: `[numbers, factors]`, of the factor's entropy, 0 to 1.
    effects: of the variable of each number on images, a share of their
      variance; empty where it is not known.
  """

  numbers: list[str]
  factors: list[str]
  shares: np.ndarray
  effects: Sequence[float] = ()

  def hardly_shows(self, number: int) -> bool:
    """Whether the decoder makes next to nothing of a number."""
    return bool(self.effects) and self.effects[number] < _USED


def sentences(run: Run) -> list[str]:
  """What a run has learned and what not, of those scores that it has.

  Args:
    run: a finished run.

  Returns:
    Sentences, the most important first.
  """
  found = [_reconstructions(run), *_factors(run), _used(run), _hybrids(run)]
  found += [_breaks(run), _dependence(run)]
  return [sentence for sentence in found if sentence]


def carried(run: Run) -> list[str]:
  """What each number of a code carries, such as 'floor hue'; '' if unclear.

  Args:
    run: a finished run.

  Returns:
    One name for each number; none if the scores do not tell.
  """
  known = _known(run)
  if known is None:
    return []
  names = []
  for i, row in enumerate(known.shares):
    first, *others = np.argsort(-row, kind='stable')[:2]
    of = [
      j for j in (first, *others) if row[j] >= max(_CARRIES, row[first] / 2)
    ]
    name = ', '.join(_words(known.factors[j]) for j in of)
    names.append('little effect' if known.hardly_shows(i) else name)
  return names


def places(content: Mapping[str, Any]) -> str:
  """In which numbers of a code each factor is, in one sentence.

  Args:
    content: of `scores.json`, with or without a run around it.

  Returns:
    The sentence; empty if the scores do not tell.
  """
  known = _of_scores(content)
  if known is None:
    return ''
  found = []
  for factor, share in zip(known.factors, known.shares.T):
    order = np.argsort(-share, kind='stable')
    held = [known.numbers[i] for i in order if share[i] >= _HOLDS]
    place = ' and '.join(held) or 'no number alone'
    found.append(f'{_words(factor)} in {place}')
  return f'Where factors are: {"; ".join(found)}.'


def _known(run: Run) -> Known | None:
  known = _of_scores(run.score_content)
  if known is None:
    return None
  rows = run.matrices['mutual_information']['rows']
  return known._replace(effects=_effects(run, [str(row) for row in rows]))


def _of_scores(content: Mapping[str, Any]) -> Known | None:
  """What scores of codes tell; nothing of effects on images."""
  matrix = content.get('matrices', {}).get('mutual_information')
  details = content.get('details', {}).get('mig')
  entropy = details.get('entropy') if isinstance(details, dict) else None
  if matrix is None or not isinstance(entropy, list):
    return None
  nats = np.asarray(matrix['values'], float)
  positive = all(isinstance(x, int | float) and x > 0 for x in entropy)
  if not positive or nats.shape[1:] != (len(entropy),):
    return None
  if not nats.size or not np.isfinite(nats).all():
    return None
  whole = np.asarray(entropy, float)
  num = content.get('scores', {}).get('mig', {}).get('n')
  excess = _excess(whole, details.get('num_bins'), num)
  return Known(
    [grids.number_name(str(row)) for row in matrix['rows']],
    [str(column) for column in matrix['columns']],
    np.maximum(nats - excess, 0) / whole,
  )


def _excess(entropy: np.ndarray, num_bins: Any, num: Any) -> np.ndarray:
  """Nats that numbers which know nothing show, for each factor `[F]`.

  (bins - 1) (values - 1) / 2N of N codes; much, where these are few.

  Source: Miller, Note on the bias of information estimates, 1955.
  """
  if not isinstance(num_bins, int) or not isinstance(num, int) or num < 1:
    return np.zeros_like(entropy)
  return (num_bins - 1) * (np.exp(entropy) - 1) / (2 * num)


def _effects(run: Run, rows: list[str]) -> list[float]:
  """The effect of the variable that each number is of: `U_3` of `U_3.1`."""
  matrix = run.matrices.get('variable_effect')
  if matrix is None:
    return []
  values = np.asarray(matrix['values'], float)
  if values.shape[1:] != (1,):
    return []
  effects = dict(zip(map(str, matrix['rows']), values[:, 0].tolist()))
  found = [effects.get(row.partition('.')[0]) for row in rows]
  return [x for x in found if x is not None] if None not in found else []


def _factors(run: Run) -> list[str]:
  """Where each factor is, and which were not learned."""
  known = _known(run)
  if known is None:
    return []
  learned, missed = [], []
  for factor, share in zip(known.factors, known.shares.T):
    probe = run.scores.get(f'probe_{factor}', {})
    if _is_missed(probe, share):
      missed.append(f'{_words(factor)}{_probed(probe)}')
    else:
      name = wording.words(factor)
      learned.append(f'{name}: {_place(share, known)}{_probed(probe)}.')
  return learned + ([f'Not learned: {"; ".join(missed)}.'] if missed else [])


def _is_missed(probe: dict[str, Any], share: np.ndarray) -> bool:
  value, chance = probe.get('value'), probe.get('chance')
  if value is None or chance is None:
    return bool(share.max() < _LEARNED)
  return value - chance < _LEARNED * (1 - chance)


def _place(share: np.ndarray, known: Known) -> str:
  """In which numbers a factor is, and how surely."""
  order = [int(i) for i in np.argsort(-share, kind='stable')[:3]]
  held = [i for i in order if share[i] >= _HOLDS]
  hardly = ', of which the picture shows little'
  places = [
    f'{_percent(share[i])} of it is in {known.numbers[i]}'
    + (hardly if known.hardly_shows(i) else '')
    for i in held
  ]
  if places:
    return '; '.join(places)
  first = order[0]
  return f'spread out, {_percent(share[first])} of it in {known.numbers[first]}'


def _probed(probe: dict[str, Any]) -> str:
  value, chance = probe.get('value'), probe.get('chance')
  if value is None:
    return ''
  beside = '' if chance is None else f' (chance {_percent(chance)})'
  return f'; read right from {_percent(value)} of whole codes{beside}'


def _reconstructions(run: Run) -> str:
  value = _value(run, 'explained_variance')
  if value is None:
    return ''
  if value <= 0:
    return (
      'Reconstructions explain none of the variance of test images: one '
      'picture for all would be nearer.'
    )
  return (
    f'Reconstructions explain {_percent(value)} of the variance of test '
    'images; one picture for all would explain none of it.'
  )


def _used(run: Run) -> str:
  effects = run.matrices.get('variable_effect')
  used = _value(run, 'used_variables')
  if used is None or effects is None:
    return ''
  return (
    f'{used:.0f} of {len(effects["rows"])} variables are used: each makes '
    f'{_percent(_USED)} or more of the variance of images.'
  )


# Distances of hybrids and of reconstructions, the better known first.
_DISTANCES = (
  ('fid_hybrid', 'fid_rec', 'the test images (FID)'),
  (
    'scene_distance_hybrid',
    'scene_distance_reconstruction',
    'the nearest true scene (mean squared error)',
  ),
)


def _hybrids(run: Run) -> str:
  for name, other, origin in _DISTANCES:
    hybrid, beside = _value(run, name), _value(run, other)
    if hybrid is not None and beside:
      return (
        f'Hybrids lie {wording.number(hybrid)} from {origin}, reconstructions '
        f'{wording.number(beside)}: hybrids are {hybrid / beside:.1f} times as '
        'far.'
      )
  return ''


def _breaks(run: Run) -> str:
  """Which variable alone leads farthest from the scenes of the data."""
  found = {
    str(entry.get('of')): entry
    for entry in run.scores.values()
    if entry.get('score') == 'scene_break' and entry.get('value') is not None
  }
  worst = max(found, key=lambda name: found[name]['value'], default='')
  # Where the interval holds zero, none is seen to break anything.
  low = (found.get(worst, {}).get('interval') or [0.0])[0]
  if not low > 0:
    return ''
  added = wording.number(found[worst]['value'])
  return (
    f'Of all variables {grids.number_name(worst)} breaks hybrids most: taken '
    f'alone from another example, it adds {added} to the distance from the '
    'nearest true scene.'
  )


def _dependence(run: Run) -> str:
  score = run.scores.get('pairwise_information', {})
  value, chance = score.get('value'), score.get('chance')
  if value is None or chance is None:
    return ''
  return (
    f'Two numbers of a code share {wording.number(value)} nats on average; if '
    f'they were independent, {wording.number(chance)} would be seen. Hybrid '
    'samples suppose that it is little.'
  )


def _value(run: Run, name: str) -> float | None:
  return run.scores.get(name, {}).get('value')


def _words(factor: str) -> str:
  return factor.replace('_', ' ')


def _percent(share: float) -> str:
  number = f'{100 * share:.0f}'
  if 0.99 < share < 1:  # what is not all is not said to be
    number = f'{min(100 * share, 99.9):.1f}'
  return f'{number}\N{NO-BREAK SPACE}%'
