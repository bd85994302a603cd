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


def _zip(path, program, numbers=range(6), compression=zipfile.ZIP_STORED):
  with zipfile.ZipFile(path, 'w', compression) as archive:
    archive.writestr('archive/data.pkl', program)
    archive.writestr('archive/data/0', np.array(numbers, '<f4').tobytes())
  return path


def _legacy(path, program, numbers=range(6)):
  stream = io.BytesIO()
  magic = 0x1950A86A20F9469CFC6C.to_bytes(10, 'little')
  stream.write(b'\x80\x02\x8a\x0a' + magic + b'.')
  stream.write(b'\x80\x02M\xe9\x03.')
  stream.write(b'\x80\x02}(' + _text('little_endian') + b'\x88u.')
  stream.write(program)
  stream.write(b'\x80\x02](' + _text('0') + b'e.')
  raw = np.array(numbers, '<f4').tobytes()
  stream.write(struct.pack('<q', len(raw) // 4) + raw)
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
    (_text('seven'), "'w' is not a tensor"),
    (b'(i__main__\nX\n', 'INST'),
    (_NAME + b')R', 'it calls'),
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
  assert str(path) in str(raised.value)


@pytest.mark.parametrize('write', [_zip, _legacy])
def test_every_truncation_is_noticed(write, tmp_path):
  path = write(tmp_path / 'w.pth', _program(('w', _tensor((6,), (1,)))))
  whole = path.read_bytes()
  for length in range(0, len(whole), 7):
    path.write_bytes(whole[:length])
    with pytest.raises(ValueError, match='not a readable PyTorch'):
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
