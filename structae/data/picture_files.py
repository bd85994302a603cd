"""Finding pictures under a directory, which may not be that of pictures."""

import os
import pathlib
from collections.abc import Iterator

from structae.data import picture_bounds

# So many other files mean that a directory is not one of pictures, unless
# they are few beside the pictures: annotations, for example.
_MOST_OTHERS = 20_000
_OTHERS_PER_PICTURE = 10


def suffixes() -> set[str]:
  """The endings of names of pictures that are read, '.png' and so on."""
  from PIL import Image

  known = {*picture_bounds.FORMATS, 'MPO'}  # of some phones, read as JPEG
  endings = Image.registered_extensions()
  return {suffix for suffix, name in endings.items() if name in known}


def walk(directory: pathlib.Path) -> Iterator[pathlib.Path]:
  """Lists all files under a directory; links to directories are not followed.

  Args:
    directory: where the search begins; it goes to its depths.

  Yields:
    Files, in no order.

  Raises:
    ValueError: once it has passed far more other files than pictures, as under
      the root of a file system, where a search would take minutes.
  """
  known, others, found = suffixes(), 0, 0
  for place, _, names in os.walk(directory):
    for name in names:
      is_picture = os.path.splitext(name)[1].lower() in known
      found += is_picture
      others += not is_picture
      if others > max(_MOST_OTHERS, _OTHERS_PER_PICTURE * found):
        raise ValueError(
          f'{directory}: {others:,} of its first {others + found:,} files are '
          'no pictures; name the directory that holds the pictures.'
        )
      path = pathlib.Path(place, name)
      if os.path.isfile(path):  # which raises nothing
        yield path


def find(directory: pathlib.Path) -> list[pathlib.Path]:
  """Lists the pictures under a directory, sorted by path.

  Links that lead out of the directory are passed over.

  Args:
    directory: searched to its depths.

  Raises:
    ValueError: as `walk`.
  """
  known, root = suffixes(), directory.resolve()
  return sorted(
    (
      file
      for file in walk(directory)
      if file.suffix.lower() in known and file.resolve().is_relative_to(root)
    ),
    key=lambda file: file.relative_to(directory).as_posix(),
  )
