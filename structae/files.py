"""Files that are either whole or not there."""

import contextlib
import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

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


def write_text(path: str | os.PathLike, text: str) -> None:
  """Writes a text file, whole or not at all."""
  with replacing(path) as temporary:
    temporary.write_text(text, encoding='utf-8')


def sha256(path: str | os.PathLike) -> str:
  """The SHA-256 of a file, in hexadecimal digits."""
  with open(path, 'rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()
