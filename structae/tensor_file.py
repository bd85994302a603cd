"""Tensors of a .safetensors file, whose header is checked before it is used.

The library reads them; it does not refuse what this module does.
"""

import json
import math
import os
from typing import IO, Any

import numpy as np

from structae import files

_MOST_HEADER = 2**20  # bytes: about 10,000 tensors
_MOST_AXES, _MOST_LENGTH = 16, 2**48
_TYPES = {
  'F64': '<f8',
  'F32': '<f4',
  'F16': '<f2',
  'I64': '<i8',
  'I32': '<i4',
  'I16': '<i2',
  'I8': '|i1',
  'U64': '<u8',
  'U32': '<u4',
  'U16': '<u2',
  'U8': '|u1',
  'BOOL': '|b1',
}


def read(
  path: str | os.PathLike,
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
  """Reads a file.

  Args:
    path: the file.

  Returns:
    Its tensors by name, and its metadata.

  Raises:
    ValueError: if it is damaged, or its tensors are not one after the other
      all that it holds; one line that names it.
  """
  with files.one_line(path, '.safetensors file') as stream:
    return unpack(stream)


def unpack(stream: IO[bytes]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
  """As `read`, of an open file; raises whatever a damaged one causes.

  Source: https://github.com/huggingface/safetensors, the format.
  """
  from safetensors import numpy as safetensors

  content = stream.read()
  size = int.from_bytes(content[:8], 'little')
  if size > _MOST_HEADER:
    raise ValueError(f'its header exceeds {_MOST_HEADER} bytes.')
  header = _parse(content[8 : 8 + size].decode('utf-8'))
  metadata = header.pop('__metadata__', {})
  _check(header, len(content) - 8 - size)
  return safetensors.load(content), metadata


def _check(header: dict[str, Any], num_bytes: int) -> None:
  """Refuses tensors that are not one after the other all of the content."""
  start = 0
  for _, entry in sorted(header.items(), key=_begin):
    shape, itemsize = entry['shape'], np.dtype(_TYPES[entry['dtype']]).itemsize
    good = len(shape) <= _MOST_AXES and all(type(n) is int for n in shape)
    if not good or not all(0 <= n < _MOST_LENGTH for n in shape):
      raise ValueError('a tensor has an impossible shape.')
    stop = start + math.prod(shape) * itemsize
    if entry['data_offsets'] != [start, stop] or stop > num_bytes:
      raise ValueError('its tensors overlap, or do not lie where they should.')
    start = stop
  if start != num_bytes:
    raise ValueError('it holds bytes of no tensor.')


def _begin(item: tuple[str, dict[str, Any]]) -> tuple[int, int]:
  begin, end = item[1]['data_offsets']
  return int(begin), int(end)


def _parse(text: str) -> dict[str, Any]:
  try:
    header = json.loads(text, object_pairs_hook=_distinct)
  except RecursionError:
    raise ValueError('its header nests too deeply.') from None
  if not isinstance(header, dict):
    raise ValueError('its header is no JSON object.')
  return header


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
  if len(dict(pairs)) != len(pairs):
    raise ValueError('two of its tensors have the same name.')
  return dict(pairs)
