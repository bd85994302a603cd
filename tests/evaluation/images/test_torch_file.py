"""Weight files written instruction by instruction, honest and hostile."""

import io
import struct
import zipfile

import numpy as np
import pytest

from structae.evaluation.images import torch_file

_NAME = b'ctorch._utils\n_rebuild_tensor_v2\n'
_DICT = b'ccollections\nOrderedDict\n'


def _text(text):
  raw = text.encode()
  return b'X' + struct.pack('<i', len(raw)) + raw


def _shared(depth=200):
  """A tuple of a tuple, twice, and so on: its hash or text takes for ever."""
  return b')' + b'q\x00h\x00\x86' * depth


def _int(value):
  return b'J' + struct.pack('<i', value)


def _tuple(*items):
  return b'(' + b''.join(items) + b't'


def _tensor(shape, strides, offset=0, size=6, key='0', view=b''):
  storage = _tuple(
    _text('storage'),
    b'ctorch\nFloatStorage\n',
    _text(key),
    _text('cpu'),
    _int(size),
    view,
  )
  arguments = _tuple(
    storage + b'Q',
    _int(offset),
    _tuple(*map(_int, shape)),
    _tuple(*map(_int, strides)),
    b'\x89' + _DICT + b')R',
  )
  return _NAME + arguments + b'R'


def _program(*entries):
  body = b''.join(_text(name) + value for name, value in entries)
  return b'\x80\x02' + _DICT + b')R(' + body + b'u.'


def _zip(path, program, compression=zipfile.ZIP_STORED, more=()):
  with zipfile.ZipFile(path, 'w', compression) as archive:
    archive.writestr('archive/data.pkl', program)
    archive.writestr('archive/data/0', np.arange(6, dtype='<f4').tobytes())
    for name in more:
      archive.writestr(name, b'')
  return path


def _legacy(path, program):
  stream = io.BytesIO()
  magic = 0x1950A86A20F9469CFC6C.to_bytes(10, 'little')
  stream.write(b'\x80\x02\x8a\x0a' + magic + b'.')
  stream.write(b'\x80\x02M\xe9\x03.')
  stream.write(b'\x80\x02}(' + _text('little_endian') + b'\x88u.')
  stream.write(program)
  stream.write(b'\x80\x02](' + _text('0') + b'e.')
  raw = np.arange(6, dtype='<f4').tobytes()
  stream.write(struct.pack('<q', 6) + raw)
  path.write_bytes(stream.getvalue())
  return path


@pytest.mark.parametrize('write', [_zip, _legacy])
def test_views_of_one_storage_are_read_in_both_layouts(write, tmp_path):
  program = _program(
    ('rows', _tensor((2, 3), (3, 1))),
    ('columns', _tensor((3, 2), (1, 3))),
    ('tail', _tensor((2,), (1,), offset=4)),
    ('scalar', _tensor((), (), offset=2)),
    ('empty', _tensor((0, 4), (4, 1))),
  )
  tensors = torch_file.read_torch(write(tmp_path / 'w.pth', program))
  np.testing.assert_array_equal(tensors['rows'], [[0, 1, 2], [3, 4, 5]])
  np.testing.assert_array_equal(tensors['columns'], [[0, 3], [1, 4], [2, 5]])
  np.testing.assert_array_equal(tensors['tail'], [4, 5])
  assert tensors['scalar'] == 2 and tensors['scalar'].shape == ()
  assert tensors['empty'].shape == (0, 4)


@pytest.mark.parametrize(
  'call', [b'cos\nsystem\n', b'cbuiltins\neval\n', b'ctorch\nload\n']
)
@pytest.mark.parametrize('write', [_zip, _legacy])
def test_calls_are_refused_and_not_made(call, write, tmp_path):
  trace = tmp_path / 'trace'
  attack = call + _tuple(_text(f'touch {trace}')) + b'R'
  path = write(tmp_path / 'w.pth', _program(('w', attack)))
  with pytest.raises(ValueError, match='which no dict of tensors needs'):
    torch_file.read_torch(path)
  assert not trace.exists()


@pytest.mark.parametrize(
  ('entry', 'message'),
  [
    (_tensor((7,), (1,)), 'past its storage'),
    (_tensor((2,), (6,)), 'past its storage'),
    (_tensor((2,), (1,), offset=5), 'past its storage'),
    (_tensor((2**30, 2**30), (0, 0)), 'past its storage'),
    (_tensor((2,), (-1,), offset=3), 'strides'),
    (b')' + b'\x85' * 3000 + b'Q', 'not a readable'),
    (_tensor((2,), (1, 1)), 'strides'),
    (_tensor((2,), (1,), size=9), '24 bytes, not 36|6 numbers, not 9'),
    (_tensor((2,), (1,), view=_int(3)), 'which is no storage'),
    (_text('seven'), 'is not a tensor'),
    (b'(i__main__\nX\n', 'INST'),
    (_NAME + b')R', 'it calls'),
    (_NAME + _shared() + b'R', 'it calls'),
    (_shared(), 'is not a tensor'),
    (_shared() + b'Q', 'which is no storage'),
    (b'}' + _shared() + b'Ns', 'are not strings'),
    (b'}(' + _shared() + b'NNNu', 'are not strings'),
    (_DICT + b')R' + _shared() + b'Ns', 'are not strings'),
    (_DICT + b'](' + _shared() + b'N\x86e\x85R', 'damaged'),
    (_NAME + b'(' + b'N' * 17 + b'tR', 'impossible arguments'),
    (b'\x90', 'ADDITEMS'),
    (b'\x82\x01', 'EXT1'),
    (b'\xff', 'opcode 255'),
    (b'N\x8e' + b'\xff' * 4, 'BINBYTES8'),
    (b'Nr' + b'\xff' * 4, 'is not a tensor'),
    (b'\x8d' + b'\x7f' * 8, 'damaged'),
    (b'\x95' + b'\x7f' * 8, 'are not strings'),
    (_tensor((2,), (1,), size=2**30), 'larger than the file'),
    (_tensor((2,) * 17, (1,) * 17), 'impossible'),
    (
      _tensor((2,), (1,)).replace(_int(2), b'\x8a\xff' + b'\x7f' * 255),
      'impossible',
    ),
    (_text('storage') + b'Q', 'not a readable'),
    (b'h\x05', 'not a readable'),
    (b'uu', 'not a readable'),
  ],
)
@pytest.mark.parametrize('write', [_zip, _legacy])
def test_what_is_no_dict_of_tensors_is_one_clear_line(
  entry, message, write, tmp_path
):
  path = write(tmp_path / 'w.pth', _program(('w', entry)))
  with pytest.raises(ValueError, match=message) as raised:
    torch_file.read_torch(path)
  line = str(raised.value).removeprefix(str(path))
  assert line.startswith(' is not a readable PyTorch') and len(line) < 200


@pytest.mark.parametrize('write', [_zip, _legacy])
def test_every_truncation_is_noticed(write, tmp_path):
  path = write(tmp_path / 'w.pth', _program(('w', _tensor((6,), (1,)))))
  whole = path.read_bytes()
  for length in range(0, len(whole), 7):
    path.write_bytes(whole[:length])
    with pytest.raises(ValueError, match='not a readable PyTorch'):
      torch_file.read_torch(path)


def test_a_build_changes_nothing_here(tmp_path):
  # Elsewhere it sets attributes of what it is applied to.
  state = b'N}(' + _text('__code__') + b'Nu\x86b'
  tensor = _tensor((6,), (1,)).replace(_NAME, _NAME + state)
  path = _zip(tmp_path / 'w.pth', _program(('w', tensor)))
  np.testing.assert_array_equal(torch_file.read_torch(path)['w'], range(6))


def test_many_tensors_of_one_storage_share_its_memory(tmp_path):
  program = _program(*((f'w{i}', _tensor((6,), (1,))) for i in range(100)))
  tensors = torch_file.read_torch(_zip(tmp_path / 'w.pth', program))
  first, *rest = tensors.values()
  assert all(np.shares_memory(first, other) for other in rest)


@pytest.mark.parametrize('write', [_zip, _legacy])
def test_tensors_agree_on_their_storage(write, tmp_path):
  two = [('a', _tensor((2,), (1,))), ('b', _tensor((2,), (1,), size=5))]
  path = write(tmp_path / 'w.pth', _program(*two))
  with pytest.raises(ValueError, match='disagree'):
    torch_file.read_torch(path)


@pytest.mark.parametrize('write', [_zip, _legacy])
def test_long_programs_are_refused(write, tmp_path):
  program = _program(*((f'w{i}', _tensor((6,), (1,))) for i in range(4000)))
  with pytest.raises(ValueError, match='more than 524288|damaged'):
    torch_file.read_torch(write(tmp_path / 'w.pth', program))


def test_archives_are_not_opened_if_they_list_or_hold_too_much(tmp_path):
  program = _program(('w', _tensor((6,), (1,))))
  names = [f'{i}{"-" * 60_000}' for i in range(20)]
  with pytest.raises(ValueError, match='list of entries'):
    torch_file.read_torch(_zip(tmp_path / 'w.pth', program, more=names))
  path = _zip(tmp_path / 'w.pth', program)
  with zipfile.ZipFile(path, 'a') as archive:
    archive.writestr('zeros', b'')
    archive.getinfo('zeros').file_size = 2**31
  with pytest.raises(ValueError, match='would unpack to 2147'):
    torch_file.read_torch(path)


def test_compressed_entries_are_refused(tmp_path):
  # They might unpack to any size.
  program = _program(('w', _tensor((6,), (1,))))
  path = _zip(tmp_path / 'w.pth', program, compression=zipfile.ZIP_DEFLATED)
  with pytest.raises(ValueError, match='compressed'):
    torch_file.read_torch(path)


@pytest.mark.parametrize('zipped', [False, True])
def test_it_reads_what_pytorch_writes(zipped, tmp_path):
  torch = pytest.importorskip('torch', reason='torch writes the file here')
  network = torch.nn.Sequential(
    torch.nn.Conv2d(3, 4, (1, 2)), torch.nn.BatchNorm2d(4)
  )
  state = network.state_dict()
  state['turned'] = torch.arange(12.0).reshape(3, 4).T[1:]
  state['half'] = torch.nn.Parameter(torch.ones(2, dtype=torch.half))
  path = tmp_path / 'w.pth'
  torch.save(state, path, _use_new_zipfile_serialization=zipped)
  actual = torch_file.read_torch(path)
  assert list(actual) == list(state)
  for name, value in state.items():
    expected = value.detach().numpy()
    np.testing.assert_array_equal(actual[name], expected, strict=True)
