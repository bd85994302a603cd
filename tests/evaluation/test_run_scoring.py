"""Scores of variables, of a made-up run whose variables are its factors."""

from types import SimpleNamespace

import numpy as np
import pytest

from structae import run_scoring
from structae.evaluation import score_file
from structae.evaluation.codes import Codes
from structae.evaluation.registry import RUN_METRICS
from structae.figures import matrices

SIZES, NAMES = (4, 3, 2, 1), ('sign', 'many', 'colour', 'constant')


def images_of(numbers):
  """The sign turns what the others do; the colour adds; nothing is noise."""
  sign, many, colour, _ = np.unravel_index(numbers, SIZES)
  parts = (sign - 1.5) * (many - 1), (sign - 1.5) * (colour - 0.5), 9 * colour
  images = 100 + 8 * np.stack(parts, axis=1)[:, None, None]
  return images.round().astype(np.uint8)


def made_up(decoder='structural', order=(0, 1, 2), grid=True):
  """A run that encodes factor `order[k]` as variable k, and its codes."""
  numbers = np.tile(np.arange(24), 40)
  factors = np.stack(np.unravel_index(numbers, SIZES), axis=1)
  values = factors[:, list(order)].astype(np.float32)
  unused = np.random.default_rng(0).normal(size=(len(numbers), 1))
  codes = np.concatenate([values, unused], axis=1)[..., None]

  def decode(codes):
    back = np.zeros((len(codes), 4), int)
    back[:, list(order)] = codes[:, :3, 0].round()
    return images_of(np.ravel_multi_index(tuple(back.T), SIZES))

  source = SimpleNamespace(
    name='made_up',
    size=24 if grid else 23,
    factor_sizes=SIZES,
    factors=lambda i: np.stack(np.unravel_index(i, SIZES), axis=1),
  )
  run = SimpleNamespace(
    config=SimpleNamespace(model=SimpleNamespace(decoder=decoder)),
    source=source,
    doors=SimpleNamespace(images=images_of),
    decode=decode,
  )
  return run, Codes(codes, None, factors, NAMES, SIZES, numbers, {})


def score(run, codes, names=tuple(RUN_METRICS)):
  lines = []
  return run_scoring.score(run, codes, names, lines.append), lines


def test_variables_without_effect_are_told(tmp_path):
  found, lines = score(*made_up())
  entry = found['scores']['used_variables']
  assert (entry['value'], entry['n'], lines) == (3, 128, [])
  matrix = found['matrices']['variable_effect']
  values = np.array(matrix['values'])
  assert values.shape == (4, 1) and matrix['rows'] == [
    'U_1',
    'U_2',
    'U_3',
    'U_4',
  ]
  assert values[3] == 0 and values[2] == values.max()
  score_file.save(tmp_path / 'scores.json', {**found, 'codes': {}})
  (path,) = matrices.draw(tmp_path, found['matrices'])
  assert path.name == 'variable_effect.png' and path.stat().st_size > 0


@pytest.mark.parametrize('order, sign', [((0, 1, 2), 1), ((2, 1, 0), -1)])
def test_order_goes_from_high_level_to_low_level(order, sign):
  found, _ = score(*made_up(order=order))
  assert sign * found['scores']['order_correlation']['value'] > 0.5
  levels = found['details']['order']['factor_levels']
  assert levels['colour'] < 0.1 and levels['many'] > 0.9
  assert 'constant' not in levels


@pytest.mark.parametrize(
  'run_and_codes, reason',
  [
    (made_up('hourglass'), 'an hourglass decoder reads'),
    (made_up(grid=False), 'does not show every combination'),
  ],
)
def test_without_an_order_the_score_is_missing(run_and_codes, reason):
  found, (line,) = score(*run_and_codes)
  entry = found['scores']['order_correlation']
  assert entry['value'] is None and reason in entry['missing']
  assert reason in line
  assert found['scores']['used_variables']['value'] == 3
  assert score_file.missing(found) == [line]


def test_degenerate_codes_are_missing_too():
  run, codes = made_up()
  same = codes._replace(factors=np.zeros_like(codes.factors))
  found, lines = score(run, same, ['order'])
  assert found['scores']['order_correlation']['value'] is None
  assert lines == ['order: fewer than two factors vary.']
  one = codes._replace(codes=np.ones_like(codes.codes))
  found, lines = score(run, one)
  assert all(entry['value'] is None for entry in found['scores'].values())
  assert 'all images are the same' in lines[0]
