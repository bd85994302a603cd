"""A model as plain lists of layers, for programs without jax.

The plan of a decoder says what to do, in JSON: the start S_0 and the blocks S_i
= f_i(S_{i-1}, U_i), each with the numbers of a code that it reads. A block that
has `parents` reads those maps (0 is S_0, i the output of block i) in place of
the one before, doubled to `side` pixels; several are concatenated and pass a
1x1 convolution. The plan of an encoder has blocks, too, and heads, each with
the block that it reads. Weights are the parameters, one after another in the
order in which the plan names them. The browser reads them, see
`pages/decoder.js`, and what writes other formats, see `formats`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from structae.config import graphs
from structae.model import Model
from structae.models import decoders, encoders, graph_decoder, ladder

Plan = dict[str, Any]
Layers = list[tuple[int, int]]
_WHOLE: Any = ...  # of an array that holds one layer
_NO_BLOCK = {'up': None, 'inputs': 0, 'outputs': 0, 'groups': 0}


def decoder(model: Model) -> tuple[Plan, np.ndarray]:
  """The decoder of a model of images, small enough for a page.

  Args:
    model: the model; not one of feature vectors.

  Returns:
    The plan, which JSON can hold, and the weights `[P]` float16.

  Raises:
    ValueError: if the model is one of feature vectors, or a weight is beyond
      the range of float16.
  """
  if len(model.image_shape) != 3:
    raise ValueError(
      f'the model decodes vectors of {model.image_shape[0]} numbers, expected '
      'one of images.'
    )
  plan, arrays = decoder_layers(model)
  return plan, _halves(arrays)


def decoder_layers(model: Model) -> tuple[Plan, list[np.ndarray]]:
  """Lists the layers of a decoder.

  Args:
    model: the model.

  Returns:
    The plan, which JSON can hold, and the weights, float32.
  """
  taken = _Weights()
  settings, params = model.config.model, model.params['decoder']
  parts = {
    'structural': _structural,
    'adaptive': _structural,
    'ladder': _ladder,
    'hourglass': _hourglass,
    'graph': _graph,
  }[settings.decoder]
  start, blocks = parts(model, params, taken)
  gaussian = model.config.objective.likelihood == 'gaussian'
  plan = {
    'image': list(model.image_shape),
    'code': list(model.code_shape),
    'activation': settings.activation,
    'mean': 'identity' if gaussian else 'sigmoid',
    'start': start,
    'blocks': blocks,
  }
  if settings.decoder == 'graph':
    plan['names'] = list(model.variable_names)
  return plan, taken.arrays


def encoder_layers(model: Model) -> tuple[Plan, list[np.ndarray]]:
  """Lists the layers of an encoder, as far as the means of posteriors need it.

  Heads are networks that read the output of a block (0: the image), all of its
  numbers in the order row, column, channel, or the largest of each channel;
  their outputs, one after another, are the code.

  Args:
    model: the model.

  Returns:
    The plan, which JSON can hold, and the weights, float32.
  """
  taken = _Weights()
  settings, params = model.config.model, model.params['encoder']
  variables, dim = model.code_shape
  blocks = _trunk(model, params['trunk'], taken) if 'trunk' in params else []
  if settings.encoder == 'ladder':
    rungs = ladder.inference_rungs(variables, settings.num_blocks)
    heads = [
      {
        'block': block,
        'reads': 'largest',
        'layers': taken.dense(params['rungs'], which, keep=dim),
      }
      for which, block in enumerate(reversed(rungs))
    ]
  else:
    network = params['mlp' if settings.encoder == 'mlp' else 'head']
    layers = taken.dense(network, keep=settings.num_latents)
    heads = [{'block': len(blocks), 'reads': 'all', 'layers': layers}]
  plan = {
    'image': list(model.image_shape),
    'code': list(model.code_shape),
    'activation': settings.activation,
    'blocks': blocks,
    'heads': heads,
  }
  return plan, taken.arrays


def _trunk(
  model: Model, params: Mapping[str, Any], taken: '_Weights'
) -> list[dict[str, Any]]:
  settings = model.config.model
  pools = encoders.pool_after(model.config.data.size, settings.num_blocks)
  down = 'stride' if settings.resampling == 'strided' else 'largest'
  blocks = []
  for i in range(1, settings.num_blocks + 1):
    conv, norm = (params[f'block_{i}'][name] for name in ('conv', 'norm'))
    taken.take(conv['kernel'], conv['bias'], norm['scale'], norm['bias'])
    kernel, _, inputs, outputs = conv['kernel'].shape
    blocks.append(
      {
        'kernel': kernel,
        'inputs': inputs,
        'outputs': outputs,
        'down': down if i in pools else None,
        'groups': settings.num_groups,
      }
    )
  return blocks


class _Weights:
  """Parameters in the order in which they are named."""

  def __init__(self) -> None:
    self.arrays: list[np.ndarray] = []

  def take(self, *arrays: Any) -> None:
    self.arrays += [np.asarray(array, np.float32) for array in arrays]

  def dense(
    self,
    params: Mapping[str, Any],
    which: Any = _WHOLE,
    keep: int | None = None,
  ) -> Layers:
    """The layers of an MLP; `which` of a batch of MLPs, the first outputs."""
    names = [f'hidden_{i}' for i in range(len(params) - 1)] + ['out']
    layers = []
    for name in names:
      cut = slice(keep if name == 'out' else None)
      kernel = np.asarray(params[name]['kernel'])[which][:, cut]
      self.take(kernel, np.asarray(params[name]['bias'])[which][cut])
      layers.append((int(kernel.shape[0]), int(kernel.shape[1])))
    return layers


def _halves(arrays: list[np.ndarray]) -> np.ndarray:
  """All weights in one array of half precision."""
  weights = np.concatenate([array.ravel() for array in arrays])
  largest = float(np.abs(weights).max())
  if not largest <= float(np.finfo(np.float16).max):
    raise ValueError(
      f'a weight of the decoder is {largest:g}, beyond the range of float16.'
    )
  return weights.astype(np.float16)


def _structural(
  model: Model, params: Mapping[str, Any], taken: _Weights
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
  settings = model.config.model
  num_variables, dim = model.code_shape
  num_stages = settings.num_stages or num_variables
  start = _constant(params, taken)
  starts = decoders.stage_starts(
    settings.num_blocks, num_stages, tuple(settings.stage_blocks)
  )
  networks = params['str_tfm_networks']['networks']
  ups = decoders.upsample_before(model.config.data.size, settings.num_blocks)
  runs = sorted({1, *ups})
  blocks = []
  for i in range(1, settings.num_blocks + 1):
    first = max(run for run in runs if run <= i)
    condition: dict[str, Any] = {}
    if i in starts:
      stage = starts.index(i)
      whole = settings.decoder == 'adaptive'
      reads = range(num_variables) if whole else [stage]
      condition = _condition('affine', networks, stage, reads, dim, taken)
    if i == settings.num_blocks:
      conv, norm, which = params['out'], None, _WHOLE
    else:
      block = params[f'run_{first}']['block']
      conv, norm, which = block['conv'], block['norm'], i - first
    blocks.append(_block(model, i, conv, norm, which, taken) | condition)
  return start, blocks


def _graph(
  model: Model, params: Mapping[str, Any], taken: _Weights
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
  settings, (_, dim) = model.config.model, model.code_shape
  size, num_blocks = model.image_shape[0], settings.num_blocks
  graph = graphs.parse(settings.graph).graph
  spans = graph_decoder.spans(graph, num_blocks, tuple(settings.stage_blocks))
  networks = params['str_tfm_networks']['networks']
  start = _constant(params, taken)
  blocks: list[dict[str, Any]] = []
  place: dict[int, int] = {}  # of the map of each variable

  def entered(parents: Any, first: int, own: Mapping[str, Any]) -> dict:
    if len(parents) > 1:
      taken.take(own['merge']['kernel'], own['merge']['bias'])
    side = graph_decoder.side_before(first, size, num_blocks)
    return {'parents': [place[j] for j in parents] or [0], 'side': side}

  for i in graph.order:
    first, last = spans[i]
    own = params.get(f'variable_{i + 1}', {})
    begin = entered(graph.parents[i], first, own)
    begin |= _condition('affine', networks, i, [i], dim, taken)
    for number in range(first, last + 1):
      block = own[f'block_{number}']
      conv, norm = block['conv'], block['norm']
      blocks.append(_block(model, number, conv, norm, _WHOLE, taken) | begin)
      begin = {}
    if begin:  # a variable without blocks
      blocks.append(_NO_BLOCK | begin)
    place[i] = len(blocks)
  begin = entered(graph.ends, num_blocks, params)
  last_block = _block(model, num_blocks, params['out'], None, _WHOLE, taken)
  return start, [*blocks, last_block | begin]


def _ladder(
  model: Model, params: Mapping[str, Any], taken: _Weights
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
  num_variables, dim = model.code_shape
  start = _constant(params, taken)
  every = model.config.model.num_blocks // num_variables
  conditions = {
    1 + i * every: ('join', params['rungs'], i, [i], dim)
    for i in range(num_variables)
  }
  return start, _chain(model, params['chain'], conditions, taken)


def _hourglass(
  model: Model, params: Mapping[str, Any], taken: _Weights
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
  start = {
    'side': min(decoders.START, model.config.data.size),
    'channels': model.config.model.width,
    'reads': list(range(model.config.model.num_latents)),
    'layers': taken.dense(params['start']),
  }
  return start, _chain(model, params['chain'], {}, taken)


def _chain(
  model: Model,
  params: Mapping[str, Any],
  conditions: Mapping[int, Any],
  taken: _Weights,
) -> list[dict[str, Any]]:
  num_blocks = model.config.model.num_blocks
  blocks = []
  for i in range(1, num_blocks + 1):
    condition = {}
    if i in conditions:
      kind, networks, which, variables, dim = conditions[i]
      condition = _condition(kind, networks, which, variables, dim, taken)
    last = i == num_blocks
    conv = params['out'] if last else params[f'block_{i}']['conv']
    norm = None if last else params[f'block_{i}']['norm']
    blocks.append(_block(model, i, conv, norm, _WHOLE, taken) | condition)
  return blocks


def _constant(params: Mapping[str, Any], taken: _Weights) -> dict[str, Any]:
  taken.take(params['start'])
  side, _, channels = params['start'].shape
  return {'side': side, 'channels': channels, 'reads': [], 'layers': None}


def _condition(
  kind: str,
  networks: Mapping[str, Any],
  which: int,
  variables: Any,
  dim: int,
  taken: _Weights,
) -> dict[str, Any]:
  """How the numbers of some variables enter a block, before it doubles."""
  return {
    'condition': kind,
    'reads': [k * dim + d for k in variables for d in range(dim)],
    'layers': taken.dense(networks, which),
  }


def _block(
  model: Model, number: int, conv: Any, norm: Any, which: Any, taken: _Weights
) -> dict[str, Any]:
  settings = model.config.model
  kernel = np.asarray(conv['kernel'])[which]
  taken.take(kernel, np.asarray(conv['bias'])[which])
  if norm is not None:
    taken.take(*(np.asarray(norm[name])[which] for name in ('scale', 'bias')))
  doubles = number in decoders.upsample_before(
    model.config.data.size, settings.num_blocks
  )
  up = 'zeros' if settings.resampling == 'strided' else 'bilinear'
  return {
    'condition': None,
    'reads': [],
    'layers': [],
    'up': up if doubles else None,
    'inputs': int(kernel.shape[2]),
    'outputs': int(kernel.shape[3]),
    'groups': 0 if norm is None else settings.num_groups,
  }
