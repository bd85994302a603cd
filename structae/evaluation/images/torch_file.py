"""Reads the tensors of a PyTorch weight file, and runs nothing of it.

A `.pth` file is a pickle, a program for a small stack machine that may call
any function of any installed module. Here the program is only parsed, and a
machine of a dozen instructions follows it, that knows strings, numbers, dicts
and the three names a dict of tensors needs. Any other name is refused.

Both layouts are read: the zip archive (PyTorch 1.6 on) and the older stream
of five pickles followed by the raw storages.

Source: https://pytorch.org/docs/stable/notes/serialization.html.
"""

import io
import math
import pathlib
import pickletools
import struct
import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

import numpy as np

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {
  'torch FloatStorage': '<f4',
  'torch DoubleStorage': '<f8',
  'torch HalfStorage': '<f2',
  'torch LongStorage': '<i8',
  'torch IntStorage': '<i4',
}
_CALLS = {
  'collections OrderedDict',
  'torch._utils _rebuild_tensor_v2',
  'torch._utils _rebuild_parameter',
}
_CONSTANTS = {
  'NONE': None,
  'NEWTRUE': True,
  'NEWFALSE': False,
}
_VALUES = {
  'BINUNICODE',
  'SHORT_BINUNICODE',
  'BINUNICODE8',
  'BININT',
  'BININT1',
  'BININT2',
  'LONG1',
  'BINFLOAT',
}
_MARK = object()


class _Name(NamedTuple):
  name: str


class _Storage(NamedTuple):
  key: str
  dtype: str
  size: int


class _Tensor(NamedTuple):
  storage: _Storage
  offset: int
  shape: tuple[int, ...]
  strides: tuple[int, ...]


def read_torch(path: str | pathlib.Path) -> dict[str, np.ndarray]:
  """Reads a dict of tensors that PyTorch saved.

  Args:
    path: a `.pth` or `.pt` file of a `state_dict`.

  Returns:
    Every tensor by its name.

  Raises:
    ValueError: if the file is damaged, or is not a plain dict of tensors.
  """
  path = pathlib.Path(path)
  try:
    if zipfile.is_zipfile(path):
      with zipfile.ZipFile(path) as archive:
        return _read_zip(archive)
    with path.open('rb') as stream:
      return _read_legacy(stream)
  except OSError:
    raise
  except Exception as error:  # a foreign program may fail anywhere
    raise ValueError(
      f'{path} is not a readable PyTorch dict of tensors: {error}'
    ) from error


def _read_zip(archive: zipfile.ZipFile) -> dict[str, np.ndarray]:
  program = [n for n in archive.namelist() if n.endswith('data.pkl')]
  if len(program) != 1:
    raise ValueError(f'it holds {len(program)} files data.pkl, not 1.')
  root = program[0].removesuffix('data.pkl')
  if root + 'byteorder' in archive.namelist():
    if archive.read(root + 'byteorder') != b'little':
      raise ValueError('its numbers are big-endian.')

  def read(storage: _Storage) -> np.ndarray:
    entry = archive.getinfo(f'{root}data/{storage.key}')
    dtype = np.dtype(storage.dtype)
    # Stored entries are as long as they claim; compressed ones need not be.
    if entry.compress_type != zipfile.ZIP_STORED:
      raise ValueError(f'its entry {entry.filename} is compressed.')
    if entry.file_size != storage.size * dtype.itemsize:
      raise ValueError(
        f'storage {storage.key} has {entry.file_size} bytes, not '
        f'{storage.size * dtype.itemsize}.'
      )
    return np.frombuffer(archive.read(entry), dtype)

  return _to_arrays(_run(io.BytesIO(archive.read(program[0]))), read)


def _read_legacy(stream: BinaryIO) -> dict[str, np.ndarray]:
  if stream.read(1) != b'\x80':
    raise ValueError('it is neither a zip archive nor a pickle.')
  stream.seek(0)
  if _run(stream) != _LEGACY_MAGIC:
    raise ValueError('its first pickle is not the magic number of PyTorch.')
  _run(stream)  # the version of the protocol
  system = _run(stream)
  if not (isinstance(system, dict) and system['little_endian'] is True):
    raise ValueError('its numbers are big-endian.')
  tensors = _run(stream)
  storages = {t.storage.key: t.storage for _, t in _items(tensors)}
  arrays = {}
  keys = _run(stream)
  if not isinstance(keys, list):
    raise ValueError('its list of storages is missing.')
  for key in keys:
    storage = storages[key]
    (size,) = struct.unpack('<q', stream.read(8))
    dtype = np.dtype(storage.dtype)
    if size != storage.size:
      raise ValueError(f'storage {key} has {size} numbers, not {storage.size}.')
    raw = stream.read(size * dtype.itemsize)
    if len(raw) != size * dtype.itemsize:
      raise ValueError(f'it ends within storage {key}; fetch it again.')
    arrays[key] = np.frombuffer(raw, dtype)
  return _to_arrays(tensors, lambda storage: arrays[storage.key])


def _items(tensors: object) -> list[tuple[str, _Tensor]]:
  if not isinstance(tensors, dict):
    raise ValueError('it is not a dict of tensors.')
  for name, tensor in tensors.items():
    if not (isinstance(name, str) and isinstance(tensor, _Tensor)):
      raise ValueError(f'its entry {name!r} is not a tensor.')
  return list(tensors.items())


def _to_arrays(
  tensors: object, read: Callable[[_Storage], np.ndarray]
) -> dict[str, np.ndarray]:
  return {name: _view(t, read(t.storage)) for name, t in _items(tensors)}


def _view(tensor: _Tensor, storage: np.ndarray) -> np.ndarray:
  """The part of a storage that a tensor shows, checked to lie inside."""
  _, offset, shape, strides = tensor
  numbers = (offset, *shape, *strides)
  if len(shape) != len(strides) or min(numbers) < 0:
    raise ValueError(f'a tensor has shape {shape} and strides {strides}.')
  if 0 in shape:
    return np.zeros(shape, storage.dtype)
  last = offset + sum((n - 1) * s for n, s in zip(shape, strides))
  # Strides of 0 could repeat a few numbers into any size.
  if last >= len(storage) or math.prod(shape) > len(storage):
    raise ValueError(f'a tensor of shape {shape} reaches past its storage.')
  return np.lib.stride_tricks.as_strided(
    storage[offset:], shape, [s * storage.itemsize for s in strides]
  ).copy()


def _run(stream: BinaryIO) -> object:
  """Follows one pickle to its end and returns what it describes."""
  stack: list = []
  memo: dict[int, object] = {}

  def since_mark() -> list:
    start = len(stack) - 1 - stack[::-1].index(_MARK)
    items = stack[start + 1 :]
    del stack[start:]
    return items

  # Parsing alone: `genops` yields opcodes with their arguments.
  argument: Any
  for opcode, argument, _ in pickletools.genops(stream):
    match opcode.name:
      case 'PROTO' | 'FRAME':
        pass
      case 'STOP':
        return stack.pop()
      case 'MARK':
        stack.append(_MARK)
      case name if name in _CONSTANTS:
        stack.append(_CONSTANTS[name])
      case name if name in _VALUES:
        stack.append(argument)
      case 'EMPTY_DICT':
        stack.append({})
      case 'EMPTY_LIST':
        stack.append([])
      case 'EMPTY_TUPLE':
        stack.append(())
      case 'TUPLE':
        stack.append(tuple(since_mark()))
      case 'TUPLE1' | 'TUPLE2' | 'TUPLE3':
        count = int(opcode.name[-1])
        stack[-count:] = [tuple(stack[-count:])]
      case 'BINPUT' | 'LONG_BINPUT':
        memo[argument] = stack[-1]
      case 'MEMOIZE':
        memo[len(memo)] = stack[-1]
      case 'BINGET' | 'LONG_BINGET':
        stack.append(memo[argument])
      case 'APPENDS':
        items = since_mark()
        stack[-1].extend(items)
      case 'APPEND':
        item = stack.pop()
        stack[-1].append(item)
      case 'SETITEMS':
        items = since_mark()
        stack[-1].update(zip(items[::2], items[1::2], strict=True))
      case 'SETITEM':
        value, key = stack.pop(), stack.pop()
        stack[-1][key] = value
      case 'GLOBAL':
        stack.append(_name(argument))
      case 'STACK_GLOBAL':
        attribute, module = stack.pop(), stack.pop()
        stack.append(_name(f'{module} {attribute}'))
      case 'BINPERSID':
        stack.append(_storage(stack.pop()))
      case 'REDUCE':
        arguments, name = stack.pop(), stack.pop()
        stack.append(_call(name, arguments))
      case 'BUILD':
        stack.pop()  # attributes of the dict, such as its version
      case name:
        raise ValueError(f'its pickle uses {name}, which no tensor needs.')
  raise ValueError('its pickle has no end.')


def _name(name: str) -> _Name:
  if name not in _CALLS and name not in _DTYPES:
    raise ValueError(f'it asks for {name!r}, which no dict of tensors needs.')
  return _Name(name)


def _storage(identity: tuple) -> _Storage:
  kind, name, key, _, size, *view = identity
  if kind != 'storage' or name.name not in _DTYPES or any(view):
    raise ValueError(f'it refers to {identity!r}, which is no storage.')
  return _Storage(key, _DTYPES[name.name], size)


def _call(name: _Name, arguments: tuple) -> object:
  match name.name, arguments:
    case 'collections OrderedDict', ():
      return {}
    case 'torch._utils _rebuild_tensor_v2', (_Storage(), *_):
      return _Tensor(*arguments[:4])
    case 'torch._utils _rebuild_parameter', (_Tensor() as tensor, *_):
      return tensor
  raise ValueError(f'it calls {name} with {arguments!r}.')
