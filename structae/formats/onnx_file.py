"""A trained model as two ONNX files, for ONNX Runtime and its kin.

session = onnxruntime.InferenceSession('DIR/decoder.onnx')
images = session.run(None, {'codes': codes})[0]
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from structae import extras, files, formats, portable
from structae.model import Model

ENCODER = 'encoder.onnx'  # images [B, H, W, C] in [0, 1] to codes
DECODER = 'decoder.onnx'  # codes [B, K, D] to images in [0, 1]
_OPSET = 17
_EPSILON = 1e-5  # of group norms


def write(
  folder: str | os.PathLike, model: Model, batch: int | None = None
) -> Path:
  """Writes the encoder and the decoder as ONNX, whole or not at all.

  `encoder.onnx` maps `images`, float32 `[B, H, W, C]` in [0, 1], to `codes`
  `[B, K, D]`, the means of their posteriors; `decoder.onnx` maps `codes` back
  (feature vectors `[B, X]` alike).

  Args:
    folder: where to; it must be new, or empty.
    model: the model to write.
    batch: the number B of examples; any, by default.

  Returns:
    The folder.

  Raises:
    ValueError: if there is something already.
    extras.Missing: if the onnx package is not installed.
  """
  onnx = extras.require('onnx', 'export', 'writing ONNX')
  size: int | str = batch or 'B'
  images = onnx.helper.make_tensor_value_info(
    'images', onnx.TensorProto.FLOAT, [size, *model.image_shape]
  )
  codes = onnx.helper.make_tensor_value_info(
    'codes', onnx.TensorProto.FLOAT, [size, *model.code_shape]
  )
  encoder = _encoder(_Graph(onnx), *portable.encoder_layers(model))
  decoder = _decoder(_Graph(onnx), *formats.decoder_layers(model))
  with files.new_folder(folder) as place:
    encoder.save(place / ENCODER, images, codes)
    decoder.save(place / DECODER, codes, images)
  return Path(folder)


class _Graph:
  """Operations one after another, each named by the value that it gives."""

  def __init__(self, onnx: Any):
    self._onnx = onnx
    self._nodes: list[Any] = []
    self._arrays: list[Any] = []

  def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
    """Adds an operation; gives its output."""
    (name,) = self.ops(kind, *inputs, num=1, **attributes)
    return name

  def ops(
    self, kind: str, *inputs: str, num: int, **attributes: Any
  ) -> list[str]:
    """Adds an operation of several outputs."""
    names = [f'{kind.lower()}_{len(self._nodes)}_{i}' for i in range(num)]
    make = self._onnx.helper.make_node
    self._nodes.append(make(kind, inputs, names, **attributes))
    return names

  def constant(self, values: Any, dtype: Any = np.float32) -> str:
    """Adds an array."""
    name = f'constant_{len(self._arrays)}'
    array = np.ascontiguousarray(values, dtype)
    self._arrays.append(self._onnx.numpy_helper.from_array(array, name))
    return name

  def shape(self, *sizes: int) -> str:
    """Adds a shape; 0 stands for a size that stays."""
    return self.constant(sizes, np.int64)

  def save(self, path: Path, inputs: Any, outputs: Any) -> None:
    """Writes the graph, whose last value is the output."""
    helper = self._onnx.helper
    last = self._nodes[-1].output[0]
    self._nodes.append(helper.make_node('Identity', [last], [outputs.name]))
    graph = helper.make_graph(
      self._nodes, path.stem, [inputs], [outputs], self._arrays
    )
    opset = [helper.make_opsetid('', _OPSET)]
    made = helper.make_model(graph, opset_imports=opset, ir_version=8)
    self._onnx.checker.check_model(made, full_check=True)
    self._onnx.save(made, path)


def _encoder(
  graph: _Graph, plan: portable.Plan, arrays: Sequence[np.ndarray]
) -> _Graph:
  take = iter(arrays).__next__
  *_, channels = plan['image']
  x = 'images'
  if len(plan['image']) == 1:
    x = graph.op('Reshape', x, graph.shape(0, 1, 1, channels))
  maps = [graph.op('Transpose', x, perm=[0, 3, 1, 2])]
  for block in plan['blocks']:
    x = _conv(graph, maps[-1], take, 2 if block['down'] == 'stride' else 1)
    if block['down'] == 'largest':
      x = graph.op('MaxPool', x, kernel_shape=[2, 2], strides=[2, 2])
    maps.append(_normalized(graph, x, take, block['groups'], plan))
  codes = []
  for head in plan['heads']:
    x = maps[head['block']]
    if head['reads'] == 'largest':
      x = graph.op('ReduceMax', x, axes=[2, 3], keepdims=0)
    else:
      x = graph.op('Transpose', x, perm=[0, 2, 3, 1])
      x = graph.op('Flatten', x)
    codes.append(_dense(graph, x, head['layers'], take, plan))
  graph.op(
    'Reshape',
    graph.op('Concat', *codes, axis=1),
    graph.shape(0, *plan['code']),
  )
  return graph


def _decoder(
  graph: _Graph, plan: portable.Plan, arrays: Sequence[np.ndarray]
) -> _Graph:
  take = iter(arrays).__next__
  codes = graph.op('Flatten', 'codes')
  start = plan['start']
  x = _start(graph, codes, start, take, plan)
  side, channels = start['side'], start['channels']
  for block in plan['blocks']:
    if block['condition']:
      numbers = _reads(graph, codes, block['reads'])
      numbers = _dense(graph, numbers, block['layers'], take, plan)
      x = _CONDITIONS[block['condition']](graph, x, numbers, side, channels)
    if block['up']:
      side *= 2
    if block['up'] == 'bilinear':
      scales = graph.constant([1, 1, 2, 2])
      x = graph.op(
        'Resize', x, '', scales, mode='linear',
        coordinate_transformation_mode='half_pixel',
      )  # fmt: skip
    grows = block['up'] == 'zeros'
    x = (_conv_transpose if grows else _conv)(graph, x, take)
    channels = block['outputs']
    if block['groups']:
      x = _normalized(graph, x, take, block['groups'], plan)
  if plan['mean'] == 'sigmoid':
    x = graph.op('Sigmoid', x)
  if len(plan['image']) == 1:
    graph.op('Flatten', x)
    return graph
  if plan['mean'] == 'identity':
    x = graph.op('Clip', x, graph.constant(0), graph.constant(1))
  graph.op('Transpose', x, perm=[0, 2, 3, 1])
  return graph


def _start(
  graph: _Graph,
  codes: str,
  start: dict[str, Any],
  take: Callable[[], np.ndarray],
  plan: portable.Plan,
) -> str:
  """S_0 of each example."""
  side, channels = start['side'], start['channels']
  if start['layers']:
    numbers = _reads(graph, codes, start['reads'])
    numbers = _dense(graph, numbers, start['layers'], take, plan)
    x = graph.op('Reshape', numbers, graph.shape(0, side, side, channels))
    return graph.op('Transpose', x, perm=[0, 3, 1, 2])
  x = graph.constant(take().transpose(2, 0, 1)[None])
  num = graph.op('Shape', codes, start=0, end=1)
  whole = graph.op('Concat', num, graph.shape(channels, side, side), axis=0)
  return graph.op('Expand', x, whole)


def _reads(graph: _Graph, codes: str, numbers: Sequence[int]) -> str:
  return graph.op('Gather', codes, graph.constant(numbers, np.int64), axis=1)


def _affine(
  graph: _Graph, x: str, numbers: str, side: int, channels: int
) -> str:
  """S <- alpha S + beta, the same for every pixel; alpha = exp(logit)."""
  beta, logit = graph.ops('Split', numbers, num=2, axis=1)
  pixel = graph.shape(0, channels, 1, 1)
  alpha = graph.op('Reshape', graph.op('Exp', logit), pixel)
  beta = graph.op('Reshape', beta, pixel)
  return graph.op('Add', graph.op('Mul', x, alpha), beta)


def _join(graph: _Graph, x: str, numbers: str, side: int, channels: int) -> str:
  """The same features beside the channels of every pixel."""
  pixel = graph.op('Unsqueeze', numbers, graph.constant([2, 3], np.int64))
  wide = graph.op('Expand', pixel, graph.shape(1, 1, side, side))
  return graph.op('Concat', x, wide, axis=1)


_CONDITIONS = {'affine': _affine, 'join': _join}


def _dense(
  graph: _Graph,
  x: str,
  layers: portable.Layers,
  take: Callable[[], np.ndarray],
  plan: portable.Plan,
) -> str:
  """Dense layers with activations between them."""
  for depth in range(len(layers)):
    if depth:
      x = _activated(graph, x, plan)
    x = graph.op('Gemm', x, graph.constant(take()), graph.constant(take()))
  return x


def _conv(
  graph: _Graph, x: str, take: Callable[[], np.ndarray], stride: int = 1
) -> str:
  """A convolution that keeps the size of the map, but for its stride."""
  kernel, bias = take(), take()
  return graph.op(
    'Conv', x, graph.constant(kernel.transpose(3, 2, 0, 1)),
    graph.constant(bias), pads=[len(kernel) // 2] * 4, strides=[stride] * 2,
  )  # fmt: skip


def _conv_transpose(
  graph: _Graph, x: str, take: Callable[[], np.ndarray]
) -> str:
  """A convolution of the map with a zero behind every pixel."""
  kernel, bias = take(), take()
  return graph.op(
    'ConvTranspose', x,
    graph.constant(kernel[::-1, ::-1].transpose(2, 3, 0, 1)),
    graph.constant(bias), strides=[2, 2], pads=[1] * 4,
    output_padding=[1, 1],
  )  # fmt: skip


def _normalized(
  graph: _Graph,
  x: str,
  take: Callable[[], np.ndarray],
  groups: int,
  plan: portable.Plan,
) -> str:
  """Group norm, as an instance norm of groups, and the activation."""
  scale, bias = (graph.constant(take()[:, None, None]) for _ in range(2))
  shape = graph.op('Shape', x)
  whole = graph.op('Reshape', x, graph.shape(0, groups, -1))
  ones, zeros = graph.constant([1] * groups), graph.constant([0] * groups)
  whole = graph.op(
    'InstanceNormalization', whole, ones, zeros, epsilon=_EPSILON
  )
  x = graph.op('Reshape', whole, shape)
  x = graph.op('Add', graph.op('Mul', x, scale), bias)
  return _activated(graph, x, plan)


def _activated(graph: _Graph, x: str, plan: portable.Plan) -> str:
  if plan['activation'] == 'elu':
    return graph.op('Elu', x)
  return graph.op('Mul', x, graph.op('Tanh', graph.op('Softplus', x)))
