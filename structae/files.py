"""Files that are either whole or not there, and read with care."""

import contextlib
import hashlib
import json
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

# What numpy, zipfile and zlib raise on a damaged archive of arrays.
DAMAGED = (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error)


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


def sha256(path: str | os.PathLike) -> str:
  """The SHA-256 of a file, in hexadecimal digits."""
  with open(path, 'rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()


def read_object(path: Path) -> dict[str, Any]:
  """A JSON object from a file.

  Raises:
    ValueError: if the file holds none; one line that names it.
  """
  try:
    content = json.loads(path.read_text('utf-8'))
  except (OSError, ValueError, RecursionError) as error:
    raise ValueError(f'{path} cannot be read as JSON: {error}.') from error
  if not isinstance(content, dict):
    raise ValueError(f'{path} must hold a JSON object.')
  return content


def read_arrays(path: Path) -> dict[str, np.ndarray]:
  """The arrays of an .npz file by name; nothing in it is unpickled.

  Raises:
    ValueError: if it is damaged; one line that names it.
  """
  try:
    with np.load(path, allow_pickle=False) as file:
      return {name: file[name] for name in file.files}
  except DAMAGED as error:
    raise ValueError(f'{path} cannot be read: {error}.') from error
