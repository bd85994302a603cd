"""Reads the tensors of a PyTorch weight file, and runs nothing of it.

A `.pth` file is a pickle, a program for a small stack machine that may call
any function of any installed module. The reader below knows only the opcodes
and the names that a dict of tensors needs, and none of these names resolves to
the function it stands for. A file that was made to harm ends in one line, in a
time and a memory that are bounded by its size; its content is never printed.

Both layouts are read: the zip archive (PyTorch 1.6 on) and the older stream
of five pickles followed by the raw storages.

Source: https://pytorch.org/docs/stable/notes/serialization.html.
"""

import io
import math
import os
import pickle
import pickletools
import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from structae import files

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_MOST_PROGRAM = 2**19  # bytes of pickles: about 3,000 tensors
_MOST_ITEMS = 16  # of a shape, or of the arguments of a call
_MOST_NUMBER = 2**48
_OPCODES = (
  'PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE BINUNICODE SHORT_BINUNICODE '
  'BINUNICODE8 BININT BININT1 BININT2 LONG1 BINFLOAT EMPTY_DICT EMPTY_LIST '
  'EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 BINPUT LONG_BINPUT MEMOIZE BINGET '
  'LONG_BINGET APPEND APPENDS GLOBAL STACK_GLOBAL BINPERSID'
).split()


class _Storage(NamedTuple):
  key: str
  dtype: np.dtype
  num_bytes: int


class _Tensor(NamedTuple):
  storage: _Storage
  offset: int
  shape: tuple[int, ...]
  strides: tuple[int, ...]


def read_torch(path: str | os.PathLike) -> dict[str, np.ndarray]:
  """Reads a dict of tensors that PyTorch saved.

  Args:
    path: a `.pth` or `.pt` file of a `state_dict`.

  Returns:
    Every tensor by its name: read-only views of the storages.

  Raises:
    ValueError: if the file is damaged, or is not a plain dict of tensors.
  """
  with files.one_line(path, 'PyTorch dict of tensors') as stream:
    is_zip = zipfile.is_zipfile(stream)
    stream.seek(0)
    return _read_zip(stream) if is_zip else _read_legacy(stream)


def _read_zip(stream: BinaryIO) -> dict[str, np.ndarray]:
  archive = files.open_zip(stream)
  programs = [n for n in archive.namelist() if n.endswith('data.pkl')]
  if len(programs) != 1:
    raise ValueError(f'it holds {len(programs)} files data.pkl, not 1.')
  root = programs[0].removesuffix('data.pkl')

  def read(name: str, most_bytes: int = _MOST_PROGRAM) -> bytes:
    entry = archive.getinfo(root + name)
    # Stored entries are as long as they claim; compressed ones need not be.
    if entry.compress_type != zipfile.ZIP_STORED:
      raise ValueError('one of its entries is compressed.')
    if entry.file_size > most_bytes:
      raise ValueError(
        f'an entry has {entry.file_size} bytes, more than {most_bytes}.'
      )
    return archive.read(entry)

  if (
    root + 'byteorder' in archive.namelist() and read('byteorder') != b'little'
  ):
    raise ValueError('its numbers are big-endian.')
  tensors, storages = _described(io.BytesIO(read('data.pkl')), stream)
  raw = {k: read(f'data/{k}', s.num_bytes) for k, s in storages.items()}
  return {name: _view(tensor, raw) for name, tensor in tensors.items()}


def _read_legacy(stream: BinaryIO) -> dict[str, np.ndarray]:
  head = io.BytesIO(stream.read(_MOST_PROGRAM))
  if head.getvalue()[:1] != b'\x80':
    raise ValueError('it is neither a zip archive nor a pickle.')
  if _Unpickler(head).load() != _LEGACY_MAGIC:
    raise ValueError('its first pickle is not the magic number of PyTorch.')
  _Unpickler(head).load()  # the version of the protocol
  system = _Unpickler(head).load()
  if not isinstance(system, dict) or system.get('little_endian') is not True:
    raise ValueError('its numbers are big-endian.')
  tensors, storages = _described(head, stream)
  keys = _Unpickler(head).load()
  if not isinstance(keys, list) or not all(type(key) is str for key in keys):
    raise ValueError('its list of storages is missing.')
  raw = {}
  stream.seek(head.tell())
  for key in keys:
    _, dtype, num_bytes = storages[key]
    found = int.from_bytes(stream.read(8), 'little') * dtype.itemsize
    if found != num_bytes:
      raise ValueError(f'a storage has {found} bytes, not {num_bytes}.')
    raw[key] = stream.read(num_bytes)
  return {name: _view(tensor, raw) for name, tensor in tensors.items()}


def _described(
  program: BinaryIO, stream: BinaryIO
) -> tuple[dict[str, _Tensor], dict[str, _Storage]]:
  """The tensors by name and the storages by key, which fit into the file."""
  tensors = _Unpickler(program).load()
  if not isinstance(tensors, dict):
    raise ValueError('it is not a dict of tensors.')
  storages: dict[str, _Storage] = {}
  for tensor in tensors.values():
    if not isinstance(tensor, _Tensor):
      raise ValueError('one of its entries is not a tensor.')
    if (
      storages.setdefault(tensor.storage.key, tensor.storage) != tensor.storage
    ):
      raise ValueError('two of its tensors disagree on their storage.')
  if sum(s.num_bytes for s in storages.values()) > files.size(stream):
    raise ValueError('its tensors are larger than the file.')
  return tensors, storages


def _view(tensor: _Tensor, raw: dict[str, bytes]) -> np.ndarray:
  """The part of a storage that a tensor shows, checked to lie inside."""
  storage, offset, shape, strides = tensor
  found = len(raw[storage.key])
  if found != storage.num_bytes:
    raise ValueError(f'a storage has {found} bytes, not {storage.num_bytes}.')
  if 0 in shape:
    return np.zeros(shape, storage.dtype)
  numbers = np.frombuffer(raw[storage.key], storage.dtype)
  last = offset + sum((n - 1) * s for n, s in zip(shape, strides))
  # Strides of 0 could repeat a few numbers into any size.
  if last >= len(numbers) or math.prod(shape) > len(numbers):
    raise ValueError('a tensor reaches past its storage.')
  return np.lib.stride_tricks.as_strided(
    numbers[offset:], shape, [s * numbers.itemsize for s in strides]
  )


class _Opcodes(dict):
  """The function of each opcode; any other opcode ends the reading."""

  def __missing__(self, code: int) -> Callable[..., None]:
    names = {ord(o.code): o.name for o in pickletools.opcodes}
    name = names.get(code, f'opcode {code}')
    raise ValueError(f'its pickle uses {name}, which no tensor needs.')


class _Unpickler(pickle._Unpickler):
  """Follows the pickle of a dict of tensors, and no other.

  This is the standard library's unpickler in Python, not its twin in C: that
  one hashes the keys of dicts itself, which takes for ever if they are tuples
  that hold one another twice, and makes room for any index of its memo. A
  weight file has some ten thousand opcodes, so that speed does not matter.
  """

  stack: list[Any]
  pop_mark: Callable[[], list[Any]]
  dispatch = _Opcodes(
    (code, pickle._Unpickler.dispatch[code])
    for code in (ord(getattr(pickle, name)) for name in _OPCODES)
  )

  def find_class(self, module: str, name: str) -> Any:
    """The stand-in of a name; nothing is imported."""
    if (module, name) not in _STAND_INS:
      raise ValueError(
        'it asks for a name which no dict of tensors needs; save the '
        'state_dict alone.'
      )
    return _STAND_INS[module, name]

  def persistent_load(self, identity: Any) -> _Storage:
    """The storage that a tensor refers to."""
    match identity[:7]:  # a tuple of any length costs no more
      case ('storage', np.dtype() as dtype, str(key), _, int(size), *view) if (
        0 <= size < _MOST_NUMBER and view in ([], [None])
      ):
        return _Storage(key, dtype, size * dtype.itemsize)
    raise ValueError('it refers to an object which is no storage.')

  def _build(self) -> None:
    self.stack.pop()  # attributes of the dict, such as its version

  def _reduce(self) -> None:
    function, arguments = self.stack[-2:]
    # One long tuple may be passed on as often as there are opcodes.
    if type(arguments) is not tuple or len(arguments) > _MOST_ITEMS:
      raise ValueError('it calls a function with impossible arguments.')
    self.stack[-2:] = [function(*arguments)]

  def _set_items(self) -> None:
    self._update(self.pop_mark())

  def _set_item(self) -> None:
    value, key = self.stack.pop(), self.stack.pop()
    self._update([key, value])

  def _update(self, items: list[Any]) -> None:
    # Keys of another type may take for ever to hash.
    if len(items) % 2 or not all(type(key) is str for key in items[::2]):
      raise ValueError('its keys are not strings with a value each.')
    self.stack[-1].update(zip(items[::2], items[1::2]))

  dispatch[ord(pickle.BUILD)] = _build
  dispatch[ord(pickle.REDUCE)] = _reduce
  dispatch[ord(pickle.SETITEM)] = _set_item
  dispatch[ord(pickle.SETITEMS)] = _set_items


def _tensor(*arguments: Any) -> _Tensor:
  match arguments:
    case (_Storage() as storage, int(offset), tuple(shape), tuple(strides), *_):
      numbers = (offset, *shape[:_MOST_ITEMS], *strides[:_MOST_ITEMS])
      if len(shape) == len(strides) <= _MOST_ITEMS and all(
        type(n) is int and 0 <= n < _MOST_NUMBER for n in numbers
      ):
        return _Tensor(storage, offset, shape, strides)
      raise ValueError('a tensor has an impossible shape, offset or strides.')
  raise ValueError('it calls _rebuild_tensor_v2 without a storage.')


_STAND_INS: dict[tuple[str, str], Any] = {
  ('torch', 'DoubleStorage'): np.dtype('<f8'),
  ('torch', 'FloatStorage'): np.dtype('<f4'),
  ('torch', 'HalfStorage'): np.dtype('<f2'),
  ('torch', 'LongStorage'): np.dtype('<i8'),
  ('torch', 'IntStorage'): np.dtype('<i4'),
  ('collections', 'OrderedDict'): lambda: {},
  ('torch._utils', '_rebuild_tensor_v2'): _tensor,
  ('torch._utils', '_rebuild_parameter'): lambda tensor, *_: tensor,
}
