"""Models for other programs, written from their lists of layers."""

import numpy as np

from structae import portable
from structae.model import Model


def decoder_layers(model: Model) -> tuple[portable.Plan, list[np.ndarray]]:
  """As `portable.decoder_layers`, of a chain of blocks.

  Raises:
    ValueError: if the decoder is shaped like a graph.
  """
  if model.config.model.decoder == 'graph':
    raise ValueError(
      'a graph decoder is exported as safetensors or stablehlo alone.'
    )
  return portable.decoder_layers(model)
