"""What the paper claims, and what was measured here of each claim.

A claim is that one score is below or above another. It *shows* if the 95 %
interval of the paired difference, over three seeds or more, lies on its side of
zero; it *does not show* if the interval holds zero or lies on the other side;
with fewer seeds it *cannot be told at this scale*. Each is looked up where both
sides have the most seeds, and among these in the first of `ORDER`, so that
larger studies take the place of smaller ones.

Source: Leeb et al., https://arxiv.org/abs/2006.07796.
"""

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from structae.evaluation import uncertainty

ORDER = ('record', 'paper', 'extrapolation', 'families', 'hour', 'graph')


@dataclasses.dataclass(frozen=True)
class Claim:
  """One score is lower or higher than another.

  Attributes:
    words: the claim.
    place: where the paper makes it.
    left: a model and its score.
    right: the same of the other side; or a number.
    sign: 1 if the left is claimed to be higher, else -1.
    unit: what the numbers are.
    decimals: of the numbers shown.
    times: what they are multiplied by.
    authors: what is known of the authors' own numbers.
  """

  words: str
  place: str
  left: tuple[str, str]
  right: tuple[str, str] | float
  sign: int
  unit: str
  decimals: int = 2
  times: float = 1.0
  authors: str = ''


def _pair(score: str, a: str, b: str) -> dict[str, Any]:
  return {'left': (a, score), 'right': (b, score)}


_BCE: dict[str, Any] = {'sign': -1, 'unit': 'nats above the entropy',
                        'decimals': 0}  # fmt: skip
_DISTANCE: dict[str, Any] = {
  'sign': -1,
  'unit': 'scene distance of hybrids × 1000',
  'decimals': 1,
  'times': 1000,
}
_BALL: dict[str, Any] = {'sign': -1, 'unit': 'MSE × 1000 on balls',
                         'decimals': 1, 'times': 1000}  # fmt: skip
_VIEWS: dict[str, Any] = _BALL | {'unit': 'MSE × 1000 on the views'}
_DCI: dict[str, Any] = {'sign': 1, 'unit': 'DCI disentanglement'}
_BITS: dict[str, Any] = {'sign': -1, 'unit': 'dependence, nats'}

CLAIMS = (
  Claim('A structural decoder reconstructs better than an hourglass', '4',
        **_pair('test_bce_above_floor', 'SAE-12', 'AE'), **_BCE,
        authors='3459 against 3475 nats'),
  Claim('A ladder reconstructs better than an hourglass of the same loss', '4',
        **_pair('test_bce_above_floor', 'VLAE-12', 'VAE'), **_BCE,
        authors='3480 against 3496 nats'),
  Claim('An adaptive decoder reconstructs slightly better than SAE-12', '4',
        **_pair('test_bce_above_floor', 'AdaAE-12', 'SAE-12'), **_BCE,
        authors='3460 against 3459 nats: not over five seeds'),
  Claim('A variational loss costs an hourglass reconstruction', '4',
        **_pair('test_bce_above_floor', 'AE', 'VAE'), **_BCE,
        authors='3475 against 3496 nats'),
  Claim("SAE-12's hybrids are better than an AE's", '4',
        **_pair('scene_distance_hybrid', 'SAE-12', 'AE'), **_DISTANCE,
        authors='FID 31.5 against 58.9'),
  Claim("SAE-12's hybrids are better than those of AdaAE-12", '4',
        **_pair('scene_distance_hybrid', 'SAE-12', 'AdaAE-12'), **_DISTANCE,
        authors='FID 31.5 against 63.0'),
  Claim('Of a VAE, hybrids are better than samples of the prior', '4',
        left=('VAE', 'scene_distance_hybrid'),
        right=('VAE', 'scene_distance_prior'), **_DISTANCE,
        authors='FID 46.9 against 57.2'),
  Claim('Of VLAE-12, hybrids are better than samples of the prior', '4',
        left=('VLAE-12', 'scene_distance_hybrid'),
        right=('VLAE-12', 'scene_distance_prior'), **_DISTANCE,
        authors='FID 31.8 against 42.6'),
  Claim('SAE-12 is more disentangled than an AE', '4.1',
        **_pair('disentanglement', 'SAE-12', 'AE'), **_DCI,
        authors='.974 against .307'),
  Claim('SAE-12 is more disentangled than a VAE', '4.1',
        **_pair('disentanglement', 'SAE-12', 'VAE'), **_DCI,
        authors='.974 against .314'),
  Claim('SAE-12 is more disentangled than AdaAE-12', '4.1',
        **_pair('disentanglement', 'SAE-12', 'AdaAE-12'), **_DCI,
        authors='.974 against .299'),
  Claim('SAE-12 is more disentangled than SAE-6, of wider variables', '4.1',
        **_pair('disentanglement', 'SAE-12', 'SAE-6'), **_DCI,
        authors='.974 against .864'),
  Claim("The numbers of an SAE-12's codes depend less than an AE's", '2.1, 4.1',
        **_pair('pairwise_information', 'SAE-12', 'AE'), **_BITS),
  Claim('High-level factors come first in SAE-12', '4.1',
        left=('SAE-12', 'order_correlation'), right=0.0, sign=1,
        unit='order, −1 … 1'),
  Claim('High-level factors come first in SAE-4', '4.1',
        left=('SAE-4', 'order_correlation'), right=0.0, sign=1,
        unit='order, −1 … 1'),
  Claim('SAE-12 leaves variables unused, without a penalty', 'A.3.1',
        left=('SAE-12', 'used_variables'), right=12.0, sign=-1,
        unit='variables in use of 12', decimals=0),
  Claim('The decoder learns a missing shape better than the encoder', '4.2',
        left=('SAE-12', 'mse_shape_decoder'),
        right=('SAE-12', 'mse_shape_encoder'), **_BALL,
        authors='.42 against 7.70'),
  Claim('The decoder of SAE-12 learns it better than that of a VAE', '4.2',
        **_pair('mse_shape_decoder', 'SAE-12', 'VAE'), **_BALL,
        authors='.42 against .44'),
  Claim('The decoder learns missing views better than the encoder', 'A.3.3',
        left=('SAE-12', 'mse_camera_decoder'),
        right=('SAE-12', 'mse_camera_encoder'), **_VIEWS),
  Claim('SAE-12 learns missing views better than VLAE-12', 'A.3.3',
        **_pair('mse_camera_decoder', 'SAE-12', 'VLAE-12'), **_VIEWS),
)  # fmt: skip

Rows = list[list[str]]


def table(content: Mapping[str, Any]) -> Rows:
  """A row a claim that can be looked up; the first row is the head."""
  head = ['claim', 'here', 'measured', 'difference', 'seeds', 'by', 'section',
          "authors, other data"]  # fmt: skip
  rows = [_row(claim, content) for claim in CLAIMS]
  return [head, *filter(None, rows)]


def _row(claim: Claim, content: Mapping[str, Any]) -> list[str] | None:
  known = [name for name in ORDER if _sides(claim, content.get(name, {}))]
  if not known:
    return None
  num_seeds = lambda name: _num_seeds(*_sides(claim, content[name]))
  name = max(known, key=num_seeds)  # the first of them
  section, num = content[name], num_seeds(name)
  left, right = _sides(claim, section)
  pair = _difference(left, right)
  shown = '–'
  if pair and pair.num >= uncertainty.FEWEST:
    ends = (pair.low, pair.high)
    shown = interval(ends, claim.decimals, claim.times)
  return [
    claim.words,
    verdict(pair, claim.sign),
    _measured(claim, left, right),
    shown,
    str(num),
    f'[{_place(name, section)}](#{section["heading"]})',
    claim.place,
    claim.authors or '–',
  ]


def _place(name: str, section: Mapping[str, Any]) -> str:
  """What was trained, and at which scale."""
  scale = section['scale']
  return name if name == scale else f'{name}, {scale}'


def _sides(claim: Claim, section: Mapping[str, Any]) -> tuple[Any, ...]:
  """The two scores of a claim; empty if one is missing."""
  models = section.get('models', {})
  found = [
    side
    if isinstance(side, float)
    else models.get(side[0], {}).get('scores', {}).get(side[1])
    for side in (claim.left, claim.right)
  ]
  return () if None in found else tuple(found)


def _num_seeds(left: Any, right: Any) -> int:
  """How many seeds both sides have."""
  pair = _difference(left, right)
  return pair.num if pair else min(map(_num, (left, right)))


def _num(side: Any) -> int:
  """The number of seeds of a score; a number has as many as one likes."""
  if isinstance(side, float):
    return 10**9
  return len(side.get('values', ())) or side['num']


def _difference(left: Any, right: Any) -> uncertainty.Difference | None:
  """Left less right on the seeds of both; None if values are not known."""
  values: Mapping[Hashable, float] = left.get('values', {})
  if isinstance(right, float):
    others: Mapping[Hashable, float] = dict.fromkeys(values, right)
  else:
    others = right.get('values', {})
  return uncertainty.paired(values, others)


def verdict(pair: uncertainty.Difference | None, sign: int) -> str:
  """Whether a difference shows what is claimed.

  Args:
    pair: left less right; None if the values are not known.
    sign: 1 if the left is claimed to be higher, else -1.
  """
  if pair is None or pair.num < uncertainty.FEWEST:
    return 'cannot be told at this scale'
  return 'shows' if pair.sign == sign else 'does not show'


def _measured(claim: Claim, left: Any, right: Any) -> str:
  shown = [mean(left, claim.decimals, claim.times)]
  if not isinstance(right, float):
    shown.append(mean(right, claim.decimals, claim.times))
  return f'{" against ".join(shown)} ({claim.unit})'


# Numbers as the page has them.


def number(value: float, decimals: int) -> str:
  """A number without the zero before its point: `.73`, `−1.2`."""
  text = f'{abs(value):,.{decimals}f}'
  if text.startswith('0.'):
    text = text[1:]
  is_zero = not text.strip('0.')
  return f'−{text}' if value < 0 and not is_zero else text


def mean(score: Mapping[str, Any], decimals: int, times: float = 1.0) -> str:
  """A mean over seeds, and its deviation if there are several."""
  text = number(times * score['mean'], decimals)
  deviation = score.get('deviation')
  if deviation is None:
    return text
  return f'{text} ± {number(times * deviation, decimals)}'


def interval(ends: Sequence[float], decimals: int, times: float = 1.0) -> str:
  """Both ends of an interval in brackets."""
  return f'[{", ".join(number(times * x, decimals) for x in ends)}]'
