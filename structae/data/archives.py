"""Reading inside archives in place: nothing is ever extracted to disk."""

import contextlib
import math
import pathlib
import struct
import tarfile
import zipfile
import zlib
from typing import IO, BinaryIO

import numpy as np

from structae import files

_MOST_DIRECTORY = 2**26  # bytes: about 700,000 pictures
_MOST_GROWTH = 2**30  # of a file of which one array is read
_LOCAL_HEADER = struct.Struct('<4s5H3L2H')


def open_zip(path: pathlib.Path) -> zipfile.ZipFile:
  """Opens a zip or npz file.

  Raises:
    ValueError: if it is none, is a web page, or is cut off.
  """
  stream = open(path, 'rb')
  try:
    return files.open_zip(stream, None, _MOST_DIRECTORY)
  except Exception as error:  # what zipfile raises varies
    stream.close()
    if type(error) is ValueError:
      raise ValueError(f'{path}: {error}') from error
    raise _damaged(path, 'zip') from error


def open_tar(path: pathlib.Path) -> tarfile.TarFile:
  """Opens a tar file, compressed or not.

  Raises:
    ValueError: if it is none, is a web page, or is cut off.
  """
  try:
    return tarfile.open(path)
  except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
    raise _damaged(path, 'tar') from error


def tar_members(
  archive: tarfile.TarFile, where: object
) -> list[tarfile.TarInfo]:
  """Lists the plain files of an archive; links and devices are passed over.

  Raises:
    ValueError: if the archive is cut off.
  """
  try:
    return [member for member in archive.getmembers() if member.isfile()]
  except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
    raise ValueError(
      f'{where}: the archive is cut off or damaged ({error}); fetch it again.'
    ) from error


def _damaged(path: pathlib.Path, kind: str) -> ValueError:
  refuse_web_page(path)
  return ValueError(f'{path}: no {kind} file, or cut off; fetch it again.')


def refuse_web_page(path: pathlib.Path) -> None:
  """Checks that no browser's page was saved in place of a file.

  Raises:
    ValueError: if the file begins as a web page does.
  """
  with open(path, 'rb') as file:
    head = file.read(512).lstrip().lower()
  if head.startswith((b'<!doctype', b'<html')):
    raise ValueError(
      f'{path}: this is a web page (Google Drive serves one when its quota is '
      'spent); fetch the file again with a browser.'
    )


class NpzMember:
  """One array of an .npz file, read without loading it whole.

  Attributes:
    names: the names of all arrays in the file.
    shape: the array's shape.
    dtype: its type.
    offset: where the data begin in the file if they are stored as they are;
      None if they are compressed.
  """

  def __init__(self, path: pathlib.Path, name: str):
    """Opens the array `name`.

    Raises:
      ValueError: if the file is damaged or has no such array, or if the array
        is an object array (those run code when they are loaded).
    """
    self._path = path
    self._archive = open_zip(path)
    self.names = [n.removesuffix('.npy') for n in self._archive.namelist()]
    try:
      self._info = self._archive.getinfo(f'{name}.npy')
    except KeyError as error:
      found = ', '.join(map(files.shown, self.names[:10])) or 'nothing'
      raise ValueError(
        f'{path}: no array {name!r}; there are: {found}.'
      ) from error
    self._stream: BinaryIO | None = None
    self._row = 0
    with self._open() as stream:
      self.shape, fortran, self.dtype = _npy_header(stream, path)
      self._header_bytes = stream.tell()
    if fortran or self.dtype.hasobject:
      raise ValueError(
        f'{path}: {name!r} must be a plain array in C order, got {self.dtype}.'
      )
    num_bytes = self.dtype.itemsize * math.prod(self.shape)
    if self._info.file_size != self._header_bytes + num_bytes:
      raise ValueError(f'{path}: cut off; fetch it again.')
    self.offset = self._find_offset()

  def read(self, start: int, stop: int) -> np.ndarray:
    """Returns rows [start, stop); compressed data are read in order."""
    if self.offset is not None:
      return np.array(self.map()[start:stop])
    row_bytes = self.dtype.itemsize * int(np.prod(self.shape[1:]))
    if self._stream is None or start < self._row:
      self._stream = self._open()
      self._skip(self._header_bytes)
      self._row = 0
    self._skip((start - self._row) * row_bytes)
    data = self._read((stop - start) * row_bytes)
    self._row = stop
    return np.frombuffer(data, self.dtype).reshape(-1, *self.shape[1:])

  def map(self) -> np.memmap:
    """Maps the stored array, read-only, where it lies."""
    return np.memmap(self._path, self.dtype, 'r', self.offset or 0, self.shape)

  def _open(self) -> BinaryIO:
    try:
      return self._archive.open(self._info)  # type: ignore[return-value]
    except Exception as error:  # damaged, encrypted, of unknown compression
      raise _damaged(self._path, 'npz') from error

  def _read(self, num_bytes: int) -> bytes:
    assert self._stream is not None
    try:
      data = self._stream.read(num_bytes)
    except Exception as error:  # what zipfile and its decoders raise varies
      raise ValueError(
        f'{self._path}: damaged ({type(error).__name__}); fetch it again.'
      ) from error
    if len(data) != num_bytes:
      raise ValueError(f'{self._path}: cut off; fetch it again.')
    return data

  def _skip(self, num_bytes: int) -> None:
    while num_bytes:
      num_bytes -= len(self._read(min(num_bytes, 1 << 24)))

  def _find_offset(self) -> int | None:
    if self._info.compress_type != zipfile.ZIP_STORED:
      return None
    # The central directory does not hold the length of the local header.
    with open(self._path, 'rb') as file:
      file.seek(self._info.header_offset)
      header = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    start = self._info.header_offset + _LOCAL_HEADER.size + sum(header[-2:])
    if start + self._info.file_size > self._path.stat().st_size:
      raise ValueError(f'{self._path}: cut off; fetch it again.')
    return start + self._header_bytes


def _npy_header(stream: IO[bytes], where: object) -> tuple:
  try:
    return files.array_header(stream)
  except Exception as error:  # what numpy and zipfile raise varies
    raise ValueError(
      f'{where}: no numpy array: {files.reason(error)}'
    ) from error


def load_npz(
  file: pathlib.Path | BinaryIO, name: str, where: object
) -> np.ndarray:
  """Loads one small array of an .npz file into memory, never a pickle.

  Raises:
    ValueError: if the file is damaged, or lacks the array, or hides a pickle.
  """
  try:
    with contextlib.ExitStack() as stack:
      stream = (
        stack.enter_context(open(file, 'rb'))
        if isinstance(file, pathlib.Path)
        else file
      )
      archive = stack.enter_context(files.open_zip(stream, _MOST_GROWTH))
      return files.read_array(archive, archive.getinfo(f'{name}.npy'))
  except Exception as error:  # what numpy, zipfile and zlib raise varies
    raise ValueError(
      f'{where}: cannot read the array {name!r}: {files.reason(error)}'
    ) from error


def map_npy(path: pathlib.Path) -> np.ndarray:
  """Maps the array of an .npy file, read-only, never a pickle.

  Raises:
    ValueError: if it is none.
  """
  with files.one_line(path, '.npy file of numbers') as stream:
    return files.map_array(stream)
