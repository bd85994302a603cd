"""Scores of a made-up model whose variables are the factors of its images."""

import dataclasses

import numpy as np
import pytest

from structae.evaluation import score as runner
from structae.evaluation import score_file
from structae.evaluation.codes import Codes
from structae.evaluation.inputs import Inputs
from structae.figures import matrices

OF_RUNS = ('variable_effect', 'order')
SIZES, NAMES = (4, 3, 2, 1), ('sign', 'many', 'colour', 'constant')


def images_of(numbers):
  """The sign turns what the others do; the colour adds; nothing is noise."""
  sign, many, colour, _ = np.unravel_index(numbers, SIZES)
  parts = (sign - 1.5) * (many - 1), (sign - 1.5) * (colour - 0.5), 9 * colour
  images = 100 + 8 * np.stack(parts, axis=1)[:, None, None]
  return images.round().astype(np.uint8)


def made_up(order=(0, 1, 2), **changes):
  """A model that encodes factor `order[k]` as variable k, with its codes."""
  numbers = np.tile(np.arange(24), 40)
  factors = np.stack(np.unravel_index(numbers, SIZES), axis=1)
  values = factors[:, list(order)].astype(np.float32)
  unused = np.random.default_rng(0).normal(size=(len(numbers), 1))
  codes = np.concatenate([values, unused], axis=1)[..., None]

  def decode(codes):
    back = np.zeros((len(codes), 4), int)
    back[:, list(order)] = codes[:, :3, 0].round()
    return render(back)

  train = Codes(codes, None, factors, NAMES, SIZES, numbers, {})
  lines = []
  inputs = Inputs(train, decode=decode, render=render, log=lines.append)
  return dataclasses.replace(inputs, **changes), lines


def render(factors):
  return images_of(np.ravel_multi_index(tuple(factors.T), SIZES))


def lacking(factors):
  raise ValueError('made_up does not show every combination.')


def test_variables_without_effect_are_found(tmp_path):
  inputs, lines = made_up()
  found = runner.score(OF_RUNS, inputs)
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
  (path,) = matrices.draw(tmp_path, found['matrices'])
  assert path.name == 'variable_effect.png'


@pytest.mark.parametrize('order, sign', [((0, 1, 2), 1), ((2, 1, 0), -1)])
def test_order_goes_from_high_level_to_low_level(order, sign):
  found = runner.score(['order'], made_up(order)[0])
  assert sign * found['scores']['order_correlation']['value'] > 0.5
  levels = found['details']['order']['factor_levels']
  assert levels['colour'] < 0.1 and levels['many'] > 0.9
  assert 'constant' not in levels


@pytest.mark.parametrize(
  'changes, reason',
  [
    ({'in_order': False}, 'reads its variables in no order'),
    ({'render': lacking}, 'does not show every combination'),
  ],
)
def test_without_an_order_the_score_is_missing(changes, reason):
  inputs, lines = made_up(**changes)
  found = runner.score(OF_RUNS, inputs)
  entry = found['scores']['order_correlation']
  assert entry['value'] is None and reason in entry['missing']
  assert found['scores']['used_variables']['value'] == 3
  assert score_file.missing(found) == lines == [f'order: {entry["missing"]}']


def test_degenerate_codes_are_missing_too():
  inputs, lines = made_up()
  codes = inputs.train
  same = codes._replace(factors=np.zeros_like(codes.factors))
  runner.score(['order'], dataclasses.replace(inputs, train=same))
  assert lines.pop() == 'order: no factor varies.'
  same.factors[:, 0] = codes.factors[:, 0]
  runner.score(['order'], dataclasses.replace(inputs, train=same))
  assert lines.pop() == 'order: fewer than two factors vary.'
  one = codes._replace(codes=np.ones_like(codes.codes))
  found = runner.score(OF_RUNS, dataclasses.replace(inputs, train=one))
  assert all(entry['value'] is None for entry in found['scores'].values())
  assert 'all images are the same' in lines[0]


def test_probes_read_the_factors_that_vary():
  values = np.repeat([0, 1], 40)
  codes = np.random.default_rng(0).normal(size=(80, 4, 1))
  codes[:, 1, 0] += 100 * values
  factors = np.stack([values, np.full(80, 3)], axis=1)
  train = Codes(codes, None, factors, ('a', 'b'), (2, 4), np.arange(80), {})
  found = runner.score(['probe'], Inputs(train, train))['scores']
  assert list(found) == ['probe_a']
  assert (found['probe_a']['value'], found['probe_a']['chance']) == (1, 0.5)
  none = train._replace(factors=np.zeros_like(factors))
  assert not runner.score(['probe'], Inputs(none, none))['scores']


@pytest.mark.parametrize('kind', [np.float32, np.uint8])
def test_reconstructions_are_compared_with_examples(kind):
  examples = np.random.default_rng(0).integers(0, 256, (50, 3)).astype(kind)
  pixels = examples / (255 if kind == np.uint8 else 1)
  mse = float(np.mean((pixels - pixels.mean(0)) ** 2))
  codes = np.zeros((50, 2, 1))
  test = Codes(codes, None, np.zeros((50, 0), int), (), (), np.arange(50), {})
  errors = {'loss': 9.0, 'floor': 2.0, 'mse': mse / 4}
  inputs = Inputs(
    test,
    test,
    examples=lambda indices: examples[indices],
    reconstruct=lambda indices: {
      name: np.full(len(indices), value) for name, value in errors.items()
    },
  )
  found = runner.score(['reconstruction'], inputs)['scores']
  values = {name: entry['value'] for name, entry in found.items()}
  loss = {'test_loss': 9.0}
  if kind == np.uint8:
    loss = {'test_bce': 9.0, 'test_bce_above_floor': 7.0}
    assert found['test_bce']['floor'] == 2.0
  assert values == pytest.approx(
    {**loss, 'test_mse': mse / 4, 'explained_variance': 0.75}
  )
  assert found['test_mse']['interval'] == pytest.approx([mse / 4] * 2)
  alike = np.repeat(examples[:1], 50, axis=0)
  inputs = dataclasses.replace(inputs, examples=lambda indices: alike)
  entry = runner.score(['reconstruction'], inputs)['scores']
  assert entry['explained_variance']['value'] is None
  assert 'alike' in entry['explained_variance']['missing']
