"""Files that are either whole or absent."""

import os
import tempfile
from pathlib import Path


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
  """Writes a file so that readers see the old or the new content, no mixture.

  Args:
    path: where; folders that are missing are made.
    content: what.
  """
  path = Path(path)
  path.parent.mkdir(parents=True, exist_ok=True)
  handle, name = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
  try:
    with os.fdopen(handle, 'wb') as file:
      file.write(content)
    # mkstemp keeps others out; a picture is as public as its folder.
    os.chmod(name, 0o666 & ~_umask())
    os.replace(name, path)
  except BaseException:
    os.unlink(name)
    raise


def _umask() -> int:
  mask = os.umask(0)
  os.umask(mask)
  return mask
