"""A trained model as a folder for PyTorch: a module and its weights.

PyTorch is not needed to write it.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from structae import files, formats, portable
from structae.model import Model
from structae.models import decoders

MODULE = 'structae_model.py'
LAYERS = 'layers.json'
WEIGHTS = 'model.safetensors'

Named = Iterator[tuple[str, np.ndarray]]
Take = Callable[[], np.ndarray]


def write(folder: str | os.PathLike, model: Model) -> Path:
  """Writes a model for PyTorch, whole or not at all.

  `structae_model.py` rebuilds encoder and decoder from `layers.json` and
  `model.safetensors`, a state_dict; it needs torch and safetensors alone.

  Args:
    folder: where to; it must be new, or empty.
    model: the model to write.

  Returns:
    The folder.

  Raises:
    ValueError: if there is something already.
  """
  from safetensors import numpy as safetensors

  encoder, of_encoder = portable.encoder_layers(model)
  decoder, of_decoder = formats.decoder_layers(model)
  weights = {
    **_prefixed('encoder', _of_encoder(encoder, of_encoder)),
    **_prefixed('decoder', _of_decoder(decoder, of_decoder)),
  }
  for block in decoder['blocks']:
    block['kernel'] = decoders.kernel(model.config.data.size)
  plans = json.dumps({'encoder': encoder, 'decoder': decoder}, indent=1)
  module = resources.files('structae.formats').joinpath('torch_module.py')
  with files.new_folder(folder) as place:
    (place / WEIGHTS).write_bytes(safetensors.save(weights, {'format': 'pt'}))
    files.write_text(place / LAYERS, plans + '\n')
    files.write_text(place / MODULE, module.read_text('utf-8'))
  return Path(folder)


def _prefixed(half: str, named: Named) -> dict[str, np.ndarray]:
  return {f'{half}.{name}': np.ascontiguousarray(a) for name, a in named}


def _of_encoder(plan: portable.Plan, arrays: Sequence[np.ndarray]) -> Named:
  take = iter(arrays).__next__
  for i, block in enumerate(plan['blocks']):
    yield from _block(f'blocks.{i}', block, take)
  for i, head in enumerate(plan['heads']):
    yield from _dense(f'heads.{i}', head['layers'], take)


def _of_decoder(plan: portable.Plan, arrays: Sequence[np.ndarray]) -> Named:
  take = iter(arrays).__next__
  if plan['start']['layers']:
    yield from _dense('first', plan['start']['layers'], take)
  else:
    yield 'start', take().transpose(2, 0, 1)
  for i, block in enumerate(plan['blocks']):
    yield from _dense(f'networks.{i}', block['layers'], take)
    yield from _block(f'blocks.{i}', block, take)


def _dense(name: str, layers: portable.Layers, take: Take) -> Named:
  for i in range(len(layers)):
    # Between two layers stands an activation.
    yield f'{name}.{2 * i}.weight', take().T
    yield f'{name}.{2 * i}.bias', take()


def _block(name: str, block: dict[str, Any], take: Take) -> Named:
  yield f'{name}.conv.weight', take().transpose(3, 2, 0, 1)
  yield f'{name}.conv.bias', take()
  if block['groups']:
    yield f'{name}.norm.weight', take()
    yield f'{name}.norm.bias', take()
