"""Files that are either whole or not there, and read with care.

JSON and archives of arrays have one reader each: whatever is in a file, it ends
in one line that names it, in a time and a memory that its size bounds. Archives
of arrays are written with a seal, so that a bit that flipped in the list of
their entries is seen.
"""

import contextlib
import hashlib
import json
import math
import os
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np

_MOST_DIRECTORY = 2**20  # bytes: about 10,000 entries of an archive
MOST_GROWTH = 200_000_000  # bytes by which content may exceed an archive
_MOST_TEXT = 200  # characters of a message
_MOST_JSON = 2**27  # bytes
_MOST_VALUES = 2_000_000  # of a JSON text: about 200 MB of objects
_SEAL = b'structae '  # begins the comment of archives that are written here


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
  """Gives a temporary path that takes the place of `path` at the end.

  Whoever reads `path` sees the old file or the new one, never a part; after an
  error the old one stays.

  Args:
    path: the file to write.

  Yields:
    Where to write it.
  """
  path = Path(path)
  path.parent.mkdir(parents=True, exist_ok=True)
  temporary = path.with_name(f'.{path.stem}.{os.getpid()}{path.suffix}')
  try:
    yield temporary
    with open(temporary, 'rb+') as file:
      os.fsync(file.fileno())
    os.replace(temporary, path)
  finally:
    temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(folder: str | os.PathLike) -> Iterator[Path]:
  """Gives a temporary folder that becomes `folder` at the end.

  Args:
    folder: the folder to make; its parents are made where they are missing.

  Yields:
    Where to write its files.

  Raises:
    ValueError: if there is something already, but an empty folder.
  """
  folder = Path(folder).absolute()
  if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
    raise ValueError(f'{folder} exists; give a new folder, or move it away.')
  folder.parent.mkdir(parents=True, exist_ok=True)
  temporary = folder.with_name(f'.{folder.name}.{os.getpid()}.tmp')
  try:
    temporary.mkdir()
    yield temporary
    if folder.exists():
      folder.rmdir()  # empty
    os.rename(temporary, folder)
  finally:
    shutil.rmtree(temporary, ignore_errors=True)


def refusal(folder: Path) -> str:
  """Why nothing can be written into a folder; empty if something can.

  Permissions alone do not show a file system that takes no files.
  """
  try:
    with tempfile.TemporaryDirectory(prefix='.structae-', dir=folder):
      return ''
  except OSError as error:
    return error.strerror or str(error)


# What `replacing` calls a temporary: its stem, its process, its suffix.
_TEMPORARY = re.compile(r'\.(.+)\.(\d+)(\.[^.]+)?')


def stale(folder: Path) -> Iterator[tuple[Path, str]]:
  """What `replacing` left in a folder when its process was killed.

  Args:
    folder: where to look; files of live processes are passed over.

  Yields:
    The temporary, and the name of the file that it was to become.
  """
  for path in sorted(folder.glob('.*')):
    match = _TEMPORARY.fullmatch(path.name)
    if match and path.is_file() and not _is_alive(int(match[2])):
      yield path, match[1] + (match[3] or '')


def _is_alive(process: int) -> bool:
  if os.name == 'nt':
    return True  # where to ask for a process is to end it
  try:
    os.kill(process, 0)
  except (ProcessLookupError, OverflowError):
    return False
  except PermissionError:  # of another user
    pass
  return True


def write_text(path: str | os.PathLike, text: str) -> None:
  """Writes a text file, whole or not at all."""
  with replacing(path) as temporary:
    temporary.write_text(text, encoding='utf-8')


def sha256(path: str | os.PathLike, start: int = 0) -> str:
  """The SHA-256 of a file from byte `start` on, in hexadecimal digits."""
  with open(path, 'rb') as file:
    file.seek(start)
    return hashlib.file_digest(file, 'sha256').hexdigest()


def size(stream: IO[bytes]) -> int:
  """The number of bytes of an open file."""
  return os.fstat(stream.fileno()).st_size


@contextlib.contextmanager
def one_line(path: str | os.PathLike, kind: str) -> Iterator[BinaryIO]:
  """Opens a file, and turns whatever its content causes into one line.

  Args:
    path: the file.
    kind: what it should be.

  Yields:
    The open file.

  Raises:
    ValueError: if the block raises anything, or `path` is no plain file.
    OSError: if the file cannot be opened.
  """
  if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would wait for ever
    raise ValueError(f'{path} is not a readable {kind}: it is no plain file.')
  with open(path, 'rb') as stream:
    try:
      yield stream
    except Exception as error:  # what numpy, zipfile and zlib raise varies
      raise ValueError(
        f'{path} is not a readable {kind}: {reason(error)}'
      ) from None


def reason(error: Exception) -> str:
  """Why a file cannot be read, as the end of a line."""
  # Other errors may hold foreign values, whose text can be of any length.
  known = type(error) is ValueError and len(str(error)) < _MOST_TEXT
  return str(error) if known else f'damaged ({type(error).__name__}).'


def shown(text: object, most: int = 60) -> str:
  """A foreign name as part of a line: so long at most, and printable."""
  part = os.fsencode(str(text)[:most]).decode('utf-8', 'replace')
  return ''.join(c if c.isprintable() else '?' for c in part)


def parse_json(text: str) -> Any:
  """The value of a JSON text of unknown origin.

  Raises:
    ValueError: if it is none, nests too deeply, or holds too many values or an
      integer beyond 64 bits; one line, which repeats nothing of it.
  """
  if sum(map(text.count, ',[{')) > _MOST_VALUES:
    raise ValueError(f'it holds more than {_MOST_VALUES} values.')
  try:
    return json.loads(text, parse_int=_integer)
  except RecursionError:
    raise ValueError('it nests too deeply.') from None


def _integer(digits: str) -> int:
  if len(digits) > 20:
    raise ValueError('it holds an integer beyond 64 bits.')
  return int(digits)


def read_object(path: Path) -> dict[str, Any]:
  """A JSON object from a file.

  Raises:
    ValueError: if the file holds none; one line that names it.
  """
  try:
    with one_line(path, 'file of JSON') as stream:
      if size(stream) > _MOST_JSON:
        raise ValueError(f'it exceeds {_MOST_JSON} bytes.')
      content = parse_json(stream.read().decode('utf-8'))
  except OSError as error:
    raise ValueError(f'{path} cannot be read: {error.strerror}.') from error
  if not isinstance(content, dict):
    raise ValueError(f'{path} must hold a JSON object.')
  return content


def seal(content: Mapping[str, Any]) -> str:
  """The SHA-256 of a JSON object, whatever the order and the spaces of it."""
  text = json.dumps(content, sort_keys=True, separators=(',', ':'))
  return hashlib.sha256(text.encode()).hexdigest()


def open_zip(
  stream: IO[bytes],
  most_growth: int | None = MOST_GROWTH,
  most_directory: int = _MOST_DIRECTORY,
) -> zipfile.ZipFile:
  """Opens an archive whose list of entries and whose content are not too large.

  Args:
    stream: the open file.
    most_growth: the number of bytes by which the content may exceed the file;
      None if it is read in parts.
    most_directory: the number of bytes of the list of entries.

  Returns:
    The archive.

  Raises:
    ValueError: if the list or the content is larger, two entries have the same
      name, the end is not where it claims, or the archive was written here and
      its list has changed since.
    zipfile.BadZipFile: if it is no archive.
  """
  # ZipFile makes an object of every entry before they can be counted, and
  # offers the size of their list in no other way.
  end: Any = zipfile._EndRecData(stream)  # type: ignore[attr-defined]
  if end is None:
    raise zipfile.BadZipFile('no zip archive')
  if end[zipfile._ECD_SIZE] > most_directory:  # type: ignore[attr-defined]
    raise ValueError(f'its list of entries exceeds {most_directory} bytes.')
  archive = zipfile.ZipFile(stream)
  num_bytes = stream.seek(0, os.SEEK_END)
  # Else the comment, which is the seal, and the list might vanish unseen.
  last = end[zipfile._ECD_LOCATION] + zipfile.sizeEndCentDir  # type: ignore[attr-defined]
  if last + len(archive.comment) != num_bytes:
    raise ValueError('bytes follow its end.')
  if len(archive.infolist()) != end[zipfile._ECD_ENTRIES_TOTAL]:  # type: ignore[attr-defined]
    raise ValueError('its list of entries is not as long as it claims.')
  content = sum(entry.file_size for entry in archive.infolist())
  if most_growth is not None and content > num_bytes + most_growth:
    raise ValueError(f'{num_bytes} bytes would unpack to {content}.')
  if len(archive.infolist()) != len(set(archive.namelist())):
    raise ValueError('two of its entries have the same name.')
  comment = archive.comment
  if comment.startswith(_SEAL) and comment != _entries_seal(archive):
    raise ValueError('the list of its entries has changed since it was made.')
  return archive


def _entries_seal(archive: zipfile.ZipFile) -> bytes:
  """A checksum of the names of entries and of their checksums."""
  entries = [[e.filename, e.file_size, e.CRC] for e in archive.infolist()]
  digest = hashlib.sha256(json.dumps(entries).encode())
  return _SEAL + digest.hexdigest().encode()


def write_arrays(
  path: str | os.PathLike,
  arrays: Mapping[str, Any],
  compress: bool = False,
) -> None:
  """Writes an .npz file, whole or not at all, with a seal of what is in it.

  Args:
    path: the file; its folder is made where it is missing.
    arrays: by name; none of Python objects.
    compress: whether it is compressed.
  """
  kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
  with replacing(path) as temporary:
    with zipfile.ZipFile(temporary, 'w', kind) as archive:
      for name, array in arrays.items():
        with archive.open(f'{name}.npy', 'w', force_zip64=True) as stream:
          np.lib.format.write_array(
            stream, np.asanyarray(array), allow_pickle=False
          )
      archive.comment = _entries_seal(archive)


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
  """The arrays of an .npz file by name; nothing in it is unpickled.

  Raises:
    ValueError: if it is damaged, or unpacks to far more than its size; one
      line that names it.
  """
  with one_line(path, '.npz file of arrays') as stream:
    return unpack(stream)


def unpack(stream: IO[bytes], **bounds: Any) -> dict[str, np.ndarray]:
  """As `read_arrays`, of an open file; raises whatever a damaged one causes.

  Args:
    stream: the open file.
    **bounds: of `open_zip`.
  """
  with open_zip(stream, **bounds) as archive:
    return {
      entry.filename.removesuffix('.npy'): read_array(archive, entry)
      for entry in archive.infolist()
      if entry.filename.endswith('.npy')
    }


def read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
  """One array of an .npz file whose header claims no more than is there.

  Raises:
    ValueError: names the array.
  """
  name = shown(entry.filename.removesuffix('.npy'))
  with archive.open(entry) as stream:
    shape, _, dtype = array_header(stream)
    if dtype.hasobject:
      raise ValueError(
        f'{name} is an array of Python objects, which is not read; save '
        'numbers.'
      )
    count = dtype.itemsize * math.prod(shape)
    if not dtype.itemsize or count != entry.file_size - stream.tell():
      raise ValueError(f'{name} has another size than its header claims.')
  with archive.open(entry) as stream:
    return np.lib.format.read_array(stream, allow_pickle=False)


def array_header(
  stream: IO[bytes],
) -> tuple[tuple[int, ...], bool, np.dtype]:
  """The shape, whether in Fortran's order, and the type of an .npy stream.

  Raises:
    ValueError: if it does not begin as one does.
  """
  version = np.lib.format.read_magic(stream)
  read = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
  }
  if version not in read:
    raise ValueError(f'unknown version {version} of the npy format.')
  shape, is_fortran, dtype = read[version](stream)
  if any(length < 0 for length in shape):
    raise ValueError(f'an array has the shape {shape}.')
  return shape, is_fortran, dtype


def map_array(stream: IO[bytes]) -> np.ndarray:
  """Maps the array of an open .npy file, read-only.

  Raises:
    ValueError: if it holds Python objects, or less than its header claims.
  """
  shape, is_fortran, dtype = array_header(stream)
  start, num_bytes = stream.tell(), dtype.itemsize * math.prod(shape)
  if dtype.hasobject or not 0 < num_bytes <= size(stream) - start:
    raise ValueError('it holds no array of numbers as its header claims.')
  order: Any = 'F' if is_fortran else 'C'
  return np.memmap(stream.name, dtype, 'r', start, shape, order)
