"""Graphs over variables, held against brute force."""

import itertools
import json
import random

import pytest

from structae.config import ConfigError, graphs
from structae.models import graph as graph_lib
from structae.models.graph import Graph

DIAMOND = 'room; object: room; floor: room; colours: object, floor'


def ways(parents, last):
  """Every way from S_0 to a variable, as the variables on it."""
  if not parents[last]:
    return [(last,)]
  return [(*w, last) for j in parents[last] for w in ways(parents, j)]


def random_parents(seed, num=7):
  """A graph without circles, its variables in any order."""
  rng = random.Random(seed)
  place = rng.sample(range(num), num)
  return tuple(
    tuple(j for j in range(num) if place[j] < place[i] and rng.random() < 0.4)
    for i in range(num)
  )


@pytest.mark.parametrize('seed', range(5))
def test_levels_descendants_and_ends_are_those_of_all_ways(seed):
  parents = random_parents(seed)
  graph = Graph(parents)
  for i in range(len(parents)):
    assert graph.levels[i] == max(map(len, ways(parents, i))) - 1
    behind = [k for k in range(len(parents))
              if any(i in way for way in ways(parents, k))]  # fmt: skip
    assert graph.descendants(i) == tuple(behind)
    assert (i in graph.ends) == (behind == [i])
  seen = [k for end in graph.ends for way in ways(parents, end) for k in way]
  assert graph.unseen() == () and set(seen) == set(range(len(parents)))
  assert sorted(graph.order) == list(range(len(parents)))
  for i, own in enumerate(parents):
    assert all(graph.order.index(j) < graph.order.index(i) for j in own)


@pytest.mark.parametrize('seed', range(5))
def test_a_circle_is_found_where_there_is_one(seed):
  parents = [list(p) for p in random_parents(seed)]
  assert graph_lib.circle(parents) == ()
  graph = Graph(tuple(map(tuple, parents)))
  i = next(i for i in range(7) if len(graph.descendants(i)) > 1)
  j = next(k for k in graph.descendants(i) if k != i)
  parents[i].append(j)
  circle = graph_lib.circle(parents)
  assert len(circle) > 1
  for a, b in itertools.pairwise([*circle, circle[0]]):
    assert a in parents[b]
  with pytest.raises(ValueError, match='form a circle'):
    Graph(tuple(map(tuple, parents)))


def test_a_graph_is_read_from_text_from_numbers_and_from_a_file(tmp_path):
  named = graphs.parse(DIAMOND)
  assert named.names == ('room', 'object', 'floor', 'colours')
  assert named.graph == Graph(((), (0,), (0,), (1, 2)))
  assert str(named) == DIAMOND
  numbers = graphs.parse('1;2:1;U3:U1;4:2,3')
  assert numbers.graph == named.graph and numbers.names[2] == 'U3'
  assert graphs.parse(str(numbers)) == numbers
  file = tmp_path / 'scene.json'
  entries = {'room': [], 'object': ['room'], 'floor': [1], 'colours': [2, 3]}
  file.write_text(json.dumps(entries))
  assert graphs.parse(str(file)) == named


def test_the_image_may_be_made_of_more_than_the_leaves():
  text = 'room; object: room; image: room, object'
  named = graphs.parse(text)
  assert named.names == ('room', 'object') and named.graph.ends == (0, 1)
  assert str(named) == text
  usual = graphs.parse('room; object: room; image: object')
  assert usual == graphs.parse('room; object: room')


def test_the_chain_is_a_graph():
  chain = graph_lib.chain(4)
  assert chain == graphs.parse('1; 2: 1; 3: 2; 4: 3').graph
  assert chain.levels == (0, 1, 2, 3) and chain.ends == (3,)
  assert chain.descendants(2) == (2, 3)


@pytest.mark.parametrize(
  'text, expected',
  [
    ('', 'model.graph is empty; a graph decoder needs one, for example'),
    ('a: b; b: a', 'model.graph has a circle: a -> b -> a; take one arrow out'),
    ('a: a', 'a circle: a -> a'),
    ('room; object: rom', "a parent of object: 'rom' is no variable; did you "
                          'mean room? there are room, object'),
    ('a; b: a, 3', "'3' is no variable; there are a, b"),
    ('a; b: a, 1', 'b lists one of'),
    ('a; b: a; image: a', 'no way leads from b to the image; add it to'),
    ('a; b: a; image', 'image stands 1 times; expected it once, with'),
    ('a; a: a', 'two variables are called a'),
    ('a; 1: a', '1 stands in place 2; a number is the place'),
    ('a; U7: a', 'U7 stands in place 2'),
    ('a b; c: a', "'a b' is no name of a variable; expected letters"),
    ('a;; b: a', "'' is no name of a variable"),
    ('none.json', "'none.json': No such file or directory"),
    ('a\nb.json', 'No such file'),
    (';'.join(map(str, range(1, 1026))), 'has 1025 variables; expected no'),
  ],
)  # fmt: skip
def test_what_is_no_graph_is_refused_in_one_line(text, expected):
  with pytest.raises(ConfigError) as caught:
    graphs.parse(text)
  assert expected in str(caught.value) and '\n' not in str(caught.value)


@pytest.mark.parametrize(
  'content, expected',
  [
    ('{', 'is no JSON'),
    ('[["a", []]]', 'is no graph; expected each variable with a list'),
    ('{}', 'is no graph'),
    ('{"a": [[]]}', 'is no graph'),
    ('{"a": [], "a": []}', 'two variables are called a'),
  ],
)
def test_a_file_that_holds_none_is_refused(tmp_path, content, expected):
  file = tmp_path / 'graph.json'
  file.write_text(content)
  with pytest.raises(ConfigError, match=expected):
    graphs.parse(str(file))
