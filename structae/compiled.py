"""A trained model as two compiled functions, for programs without structae.

    with open('DIR/decoder.stablehlo', 'rb') as file:
      decode = jax.export.deserialize(bytearray(file.read())).call
    images = decode(codes)

Each file holds its weights. Whatever reads StableHLO takes the program itself,
`jax.export.deserialize(...).mlir_module()`.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from structae import extras, files
from structae.model import Model

ENCODER = 'encoder.stablehlo'  # images [B, H, W, C] in [0, 1] to codes
DECODER = 'decoder.stablehlo'  # codes [B, K, D] to images in [0, 1]
_PLATFORMS = ('cpu', 'cuda', 'rocm', 'tpu')


def write(
  folder: str | os.PathLike, model: Model, batch: int | None = None
) -> Path:
  """Writes the encoder and the decoder as StableHLO, whole or not at all.

  `encoder.stablehlo` maps float32 images `[B, H, W, C]` in [0, 1] to codes
  `[B, K, D]`, the means of their posteriors; `decoder.stablehlo` maps codes
  back (feature vectors `[B, X]` alike), on CPUs, GPUs and TPUs.

  Args:
    folder: where to; it must be new, or empty.
    model: the model to write.
    batch: the number B of examples; any, by default.

  Returns:
    The folder.

  Raises:
    ValueError: if there is something already.
    extras.Missing: if flatbuffers, which jax writes them with, is not
      installed.
  """
  extras.require('flatbuffers', 'export', 'writing StableHLO')
  with files.new_folder(folder) as place:
    _write(place / ENCODER, model.encode, model.image_shape, batch)
    _write(place / DECODER, model.decode_mean, model.code_shape, batch)
  return Path(folder)


def _write(
  path: Path,
  function: Callable[[Any], Any],
  shape: tuple[int, ...],
  batch: int | None,
) -> None:
  (num,) = jax.export.symbolic_shape(str(batch or 'B'))
  made = jax.export.export(jax.jit(function), platforms=_PLATFORMS)
  example = jax.ShapeDtypeStruct((num, *shape), 'float32')
  path.write_bytes(made(example).serialize())
