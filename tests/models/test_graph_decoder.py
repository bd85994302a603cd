"""The decoder along a graph: against the chain, and against its equation."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.models import decoders, graph_decoder
from structae.models.graph import Graph, chain
from structae.nn import blocks
from structae.nn.backbone import Backbone

SIZE, WIDTH = 16, 8
BACKBONE = Backbone(num_blocks=4, width=WIDTH, num_groups=2)
STRIDED = dataclasses.replace(BACKBONE, strided=True)
# 0 -> 1, 2; (1, 2) -> 3; 4 stands alone, at the lowest resolution.
PARENTS = ((), (0,), (0,), (1, 2), ())
NUM = len(PARENTS)
CODES = jax.random.normal(jax.random.key(1), (2, NUM, 2))

pytestmark = pytest.mark.usefixtures('barely_optimized')


def decoder(graph=None, backbone=BACKBONE, level_blocks=()):
  return graph_decoder.GraphDecoder(
    SIZE, graph or Graph(PARENTS), str_tfm=(4,), level_blocks=level_blocks,
    backbone=backbone,
  )  # fmt: skip


@pytest.fixture(scope='module')
def variables():
  return jax.jit(decoder().init)(jax.random.key(0), CODES)


def stages(module, variables, codes):
  return module.apply(variables, codes, method='stages')


def of_chain(params, starts):
  """The parameters of a chain as those of the graph 1 -> 2 -> ... -> K."""
  found = {name: params[name] for name in ('start', 'str_tfm_networks', 'out')}
  for name, run in params.items():
    if name.startswith('run_'):
      first = int(name.removeprefix('run_'))
      for i in range(len(run['block']['conv']['bias'])):
        number = first + i
        variable = sum(start <= number for start in starts)
        node = found.setdefault(f'variable_{variable}', {})
        node[f'block_{number}'] = jax.tree.map(
          lambda p, i=i: p[i], run['block']
        )
  return found


@pytest.mark.parametrize(
  'starts, given, backbone',
  [
    ((1, 3), (), BACKBONE),
    ((1, 2, 3), (), BACKBONE),
    ((1, 2), (1, 3), BACKBONE),
    ((1, 2, 3, 4), (), STRIDED),
  ],
)
def test_the_chain_is_a_graph(starts, given, backbone):
  num_stages = len(starts)
  codes = CODES[:, :num_stages]
  line = decoders.StructuralDecoder(
    SIZE, num_stages, str_tfm=(4,), stage_blocks=given, backbone=backbone
  )
  params = jax.jit(line.init)(jax.random.key(2), codes)['params']
  module = decoder(chain(num_stages), backbone, given)
  expected = line.apply({'params': params}, codes, method='stages')
  own = {'params': of_chain(params, starts)}
  built = jax.eval_shape(module.init, jax.random.key(0), codes)
  sizes = lambda tree: sorted(
    (str(path), leaf.shape)
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
  )
  assert sizes(built) == sizes(own)
  *maps, logits = stages(module, own, codes)
  np.testing.assert_allclose(logits, expected[-1], atol=1e-5)
  for found, after in zip(maps, starts[1:]):
    np.testing.assert_allclose(found, expected[after - 2], atol=1e-5)


def test_it_is_its_equation(variables):
  """S_i = f_i(PA_i, U_i) by recursion, from stock layers, one at a time."""
  params = variables['params']
  ups = decoders.upsample_before(SIZE, 4)
  assert ups == (1, 3, 4)
  starts = {0: 1, 1: 2, 2: 3}  # of the three levels, over four blocks
  sizes = {1: 2, 2: 4, 3: 4, 4: 8}  # of what enters a block
  level = lambda i: 1 + max(map(level, PARENTS[i]), default=-1)

  def resized(x, side):
    shape = (len(x), side, side, x.shape[-1])
    return jax.image.resize(x, shape, 'bilinear')

  def merge(maps, side, params):
    x = jnp.concatenate([resized(x, side) for x in maps], -1)
    if len(maps) == 1:
      return x
    kernel, bias = params['merge']['kernel'], params['merge']['bias']
    return x @ kernel[0, 0] + bias

  def affine(i):
    own = jax.tree.map(lambda p: p[i],
                       params['str_tfm_networks']['networks'])  # fmt: skip
    out = blocks.MLP((4, 2 * WIDTH)).apply({'params': own}, CODES[:, i])
    beta, logit = jnp.split(out[:, None, None], 2, -1)
    return jnp.exp(logit), beta

  def f(i):
    own, first = params.get(f'variable_{i + 1}', {}), starts[level(i)]
    maps = [f(j) for j in PARENTS[i]]
    maps = maps or [jnp.broadcast_to(params['start'], (2, 2, 2, WIDTH))]
    alpha, beta = affine(i)
    x = alpha * merge(maps, sizes[first], own) + beta
    for b in range(first, starts.get(level(i) + 1, 4)):
      if b in ups:
        x = resized(x, 2 * x.shape[1])
      block = blocks.ConvBlock(WIDTH, backbone=Backbone(num_groups=2))
      x = block.apply({'params': own[f'block_{b}']}, x)
    return x

  *maps, logits = stages(decoder(), variables, CODES)
  for i in range(NUM):
    np.testing.assert_allclose(maps[i], f(i), atol=1e-5)
  x = resized(merge([f(3), f(4)], sizes[4], params), SIZE)
  x = blocks.conv(3, 3).apply({'params': params['out']}, x)
  np.testing.assert_allclose(logits, x, atol=1e-5)


def test_a_variable_changes_its_descendants_and_nothing_else(variables):
  graph = Graph(PARENTS)
  apply = jax.jit(lambda codes: stages(decoder(), variables, codes))
  *before, image = apply(CODES)
  for j in range(NUM):
    *after, changed = apply(CODES.at[:, j].add(0.5))
    for i in range(NUM):
      same = np.array_equal(before[i], after[i])
      assert same == (i not in graph.descendants(j)), (i, j)
    assert not np.array_equal(image, changed)


def test_the_order_of_evaluation_does_not_matter(variables):
  class Otherwise(Graph):
    order = (4, 0, 2, 1, 3)

  assert Graph(PARENTS).order == (0, 4, 1, 2, 3)
  a = stages(decoder(), variables, CODES)
  b = stages(decoder(Otherwise(PARENTS)), variables, CODES)
  for x, y in zip(a, b):
    np.testing.assert_array_equal(x, y)


def test_levels_may_have_unequal_blocks():
  graph = Graph(((), (0,), (0, 1)))
  spans = lambda *blocks: graph_decoder.spans(graph, 12, blocks)
  assert spans() == ((1, 4), (5, 8), (9, 11))
  assert spans(6, 5, 1) == ((1, 6), (7, 11), (12, 11))
  module = decoder(graph, level_blocks=(1, 1, 2))
  params = jax.eval_shape(module.init, jax.random.key(0), CODES[:, :3])
  assert {*params['params']['variable_3']} == {'merge', 'block_3'}


def test_feature_vectors_come_out():
  module = graph_decoder.GraphDecoder(
    1, Graph(PARENTS), channels=7, str_tfm=(4,), backbone=BACKBONE
  )
  variables = jax.jit(module.init)(jax.random.key(0), CODES)
  assert module.apply(variables, CODES).shape == (2, 1, 1, 7)
