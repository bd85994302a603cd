"""What is held out, as text: against the sentence that says what it means."""

import itertools

import numpy as np
import pytest

from structae.commands import config_flags
from structae.commands.parser import Parser
from structae.config import ConfigError
from structae.data import catalog, hold_out, splits

FACTORS = {
  'hue': (0.0, 0.1, 0.2),
  'shape': ('cube', 'ball'),
  'angle': (-30.0, 0.0, 30.0),
}
NAMES = tuple(FACTORS)
GRID = [*itertools.product(*(range(len(v)) for v in FACTORS.values()))]


def shown(words):
  """The places in the grid of images that show all of these values."""
  return {
    i
    for i, places in enumerate(GRID)
    if all(FACTORS[n][places[NAMES.index(n)]] in v for n, v in words.items())
  }


@pytest.mark.parametrize(
  'text, words',
  [
    ('shape=ball', {'shape': ['ball']}),
    ('shape=1', {'shape': ['ball']}),
    ('hue=0,2', {'hue': [0.0, 0.2]}),
    (' hue = 2 , 0.0 ', {'hue': [0.0, 0.2]}),
    ('hue=0,1;shape=cube', {'hue': [0.0, 0.1], 'shape': ['cube']}),
    ('angle=-30.0;hue=1;shape=ball',
     {'angle': [-30.0], 'hue': [0.1], 'shape': ['ball']}),
    ('shape=cube,ball;hue=0', {'shape': ['cube', 'ball'], 'hue': [0.0]}),
  ],
)  # fmt: skip
def test_a_comma_is_or_and_a_semicolon_is_and(text, words):
  values = hold_out.parse(text, FACTORS)
  rows = splits.matching(np.array(GRID), NAMES, values)
  assert {*np.flatnonzero(rows)} == shown(words)
  spelled = hold_out.written(text, FACTORS)
  assert hold_out.parse(spelled, FACTORS) == values
  assert hold_out.written(spelled, FACTORS) == spelled


def test_the_paper_s_are_names_of_it():
  factors = catalog.get('shapes3d').factors
  assert hold_out.parse('shape', factors) == {'shape': (2,)}
  assert hold_out.parse('camera', factors) == {'orientation': (0, 1, 13, 14)}
  assert hold_out.written('shape', factors) == 'shape'


def read(*args):
  parser = Parser('test')
  config_flags.add(parser)
  return config_flags.read(parser, args)[0].config


def test_what_is_the_same_is_spelled_the_same():
  flag = '--config.data.hold_out='
  a = read('sae12:mpi3d_toy', flag + 'object_shape=sphere;object_color=red,0')
  b = read('sae12:mpi3d_toy', flag + 'object_color=0,2; object_shape=5')
  assert a.data.hold_out == 'object_color=white,red;object_shape=sphere'
  assert a == b


@pytest.mark.parametrize(
  'text, expected',
  [
    ('shap=ball', "'shap' is no factor of the data; did you mean shape? there "
                  'are floor_hue, wall_hue'),
    ('shape=sphere', "'sphere' is no value of shape; it has 4 (cube, cylinder, "
                     'ball, capsule): give one, or a whole number that counts'),
    ('shape=4', "'4' is no value of shape; it has 4"),
    ('shape=-1', "'-1' is no value of shape"),
    ('shape=', "'shape=' is no FACTOR=VALUE,VALUE; expected, for example"),
    ('shape=ball;', "'' is no FACTOR=VALUE"),
    ('shape=ball;shape=cube', "'shape' is named twice; expected its values in"),
    ('shape=0,1,2,3', 'every value is held out'),
    ('ball', "data.hold_out is 'ball'; shapes3d_synth offers none, shape, "
             'camera or values of factors: FACTOR=VALUE'),
  ],
)  # fmt: skip
def test_what_is_not_there_is_named_before_jax(text, expected):
  with pytest.raises(ConfigError) as caught:
    read('sae12:quick', f'--config.data.hold_out={text}')
  assert expected in str(caught.value) and '\n' not in str(caught.value)
