"""Named tensors from files of three formats, without running any of them."""

import json
import pathlib
from collections.abc import Mapping

import numpy as np

from structae.evaluation.images import torch_file

_SAFE_DTYPES = {'F16': '<f2', 'F32': '<f4', 'F64': '<f8', 'I64': '<i8'}


def read_tensors(path: pathlib.Path) -> Mapping[str, np.ndarray]:
  """Reads named tensors.

  Args:
    path: a `.pth` or `.pt` (PyTorch), `.npz` or `.safetensors` file.

  Returns:
    Every tensor by its name.

  Raises:
    ValueError: if the file has another ending, or is damaged.
  """
  match path.suffix:
    case '.pth' | '.pt':
      return torch_file.read_torch(path)
    case '.npz':
      return _read_npz(path)
    case '.safetensors':
      return _read_safetensors(path)
  raise ValueError(
    f'{path} must be a .pth, .npz or .safetensors file, got {path.suffix!r}.'
  )


def _read_npz(path: pathlib.Path) -> dict[str, np.ndarray]:
  try:
    with np.load(path, allow_pickle=False) as archive:
      return {name: archive[name] for name in archive.files}
  except Exception as error:  # numpy, zipfile and zlib raise what they like
    raise ValueError(f'{path} is not a readable .npz file: {error}') from error


def _read_safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
  """Eight bytes of length, a JSON header, then the arrays one by one.

  Source: https://github.com/huggingface/safetensors, "Format".
  """
  raw = memoryview(path.read_bytes())
  start = 8 + int.from_bytes(raw[:8], 'little')

  def read(entry: dict) -> np.ndarray:
    first, last = entry['data_offsets']
    numbers = np.frombuffer(
      raw[start:][first:last], _SAFE_DTYPES[entry['dtype']]
    )
    return numbers.reshape(entry['shape'])

  try:
    header = json.loads(bytes(raw[8:start]))
    header.pop('__metadata__', None)
    return {name: read(entry) for name, entry in header.items()}
  except (ValueError, KeyError, TypeError, AttributeError) as error:
    raise ValueError(
      f'{path} is not a readable .safetensors file: {error!r}'
    ) from error
