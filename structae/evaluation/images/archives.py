"""Files of unknown origin: bounded zip archives, and errors of one line."""

import contextlib
import os
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

_MOST_DIRECTORY = 2**20  # bytes: about 10,000 entries
_MOST_TEXT = 200  # characters of a message


def size(stream: BinaryIO) -> int:
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
    ValueError: if the block raises anything.
    OSError: if the file cannot be opened.
  """
  with open(path, 'rb') as stream:
    try:
      yield stream
    except Exception as error:  # what numpy, zipfile and zlib raise varies
      # Other errors may hold foreign values, whose text can be of any length.
      known = type(error) is ValueError and len(str(error)) < _MOST_TEXT
      reason = error if known else f'damaged ({type(error).__name__}).'
      raise ValueError(f'{path} is not a readable {kind}: {reason}') from None


def open_zip(
  stream: BinaryIO, most_growth: int | None = 200_000_000
) -> zipfile.ZipFile:
  """Opens an archive whose list of entries and whose content are not too large.

  Args:
    stream: the open file.
    most_growth: the number of bytes by which the content may exceed the file;
      None if it is read in parts.

  Returns:
    The archive.

  Raises:
    ValueError: if the list or the content is larger.
    zipfile.BadZipFile: if it is no archive.
  """
  # ZipFile makes an object of every entry before they can be counted, and
  # offers the size of their list in no other way.
  end: Any = zipfile._EndRecData(stream)  # type: ignore[attr-defined]
  if end is None:
    raise zipfile.BadZipFile('no zip archive')
  if end[zipfile._ECD_SIZE] > _MOST_DIRECTORY:  # type: ignore[attr-defined]
    raise ValueError(f'its list of entries exceeds {_MOST_DIRECTORY} bytes.')
  archive = zipfile.ZipFile(stream)
  content = sum(entry.file_size for entry in archive.infolist())
  if most_growth is not None and content > size(stream) + most_growth:
    raise ValueError(f'{size(stream)} bytes would unpack to {content}.')
  return archive
