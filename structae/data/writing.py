"""A reading -> one .npy file of uint8 images, resumable.

Rows are appended, and now and then flushed to the disk together with a note
of how many there are; an interrupted file is cut back to the last note. The
header, which holds the number of rows, is written last.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import time
from collections.abc import Iterator
from concurrent import futures
from typing import IO, Any, NamedTuple

import numpy as np

from structae import files
from structae.data import originals
from structae.data.reading import Reading

HEADER_BYTES = 128
# The next step, for `structae data prepare` and for a run.
SKIPPING = 'pass --skip-corrupt (to a run: --config.data.skip_corrupt=True)'
_SECONDS_BETWEEN_NOTES = 2.0
# Left free on the disk beyond what the images need.
_MARGIN = 64 << 20


class Written(NamedTuple):
  """Where images are.

  Attributes:
    images: see `manifest.Manifest.images`.
    sha256: over their pixels; '' if they were not read.
    rows: `[N]`, which of the examples they are.
  """

  images: dict[str, Any]
  sha256: str
  rows: np.ndarray


@dataclasses.dataclass
class _Note:
  """How far a file is: rows read, rows written, rows that were corrupt."""

  done: int = 0
  written: int = 0
  corrupt: dict[int, str] = dataclasses.field(default_factory=dict)

  @classmethod
  def load(cls, path: pathlib.Path, images: pathlib.Path, row: int) -> '_Note':
    try:
      content = files.read_object(path)
      corrupt = {int(r): str(why) for r, why in content['corrupt'].items()}
      note = cls(int(content['done']), int(content['written']), corrupt)
      enough = HEADER_BYTES + note.written * row
      return note if images.stat().st_size >= enough else cls()
    except (OSError, ValueError, KeyError, AttributeError):
      return cls()

  def save(self, path: pathlib.Path) -> None:
    fresh = path.with_suffix('.new')
    fresh.write_text(json.dumps(dataclasses.asdict(self)), encoding='utf-8')
    fresh.replace(path)


def write_images(
  opened: Reading,
  folder: pathlib.Path,
  label: str,
  skip_corrupt: bool,
) -> Written:
  """Writes `images.npy` into a folder, from where an earlier attempt stopped.

  Args:
    opened: where the images come from.
    folder: an existing folder.
    label: the words before the progress bar.
    skip_corrupt: whether unreadable pictures are left out.

  Raises:
    ValueError: if there is too little disk, or, without `skip_corrupt`, if
      pictures cannot be read: the message lists them.
  """
  path, note_path = folder / 'images.npy', folder / 'progress.json'
  row_bytes = int(np.prod(opened.image_shape))
  note = _Note.load(note_path, path, row_bytes)
  opened.corrupt.update(note.corrupt)
  _require_disk(folder, (opened.num_examples - note.done) * row_bytes)
  with open(path, 'r+b' if path.exists() else 'w+b') as file:
    digest = _cut_back(file, note.written * row_bytes)
    with originals.progress(opened.num_examples, label, 'images') as bar:
      bar.update(note.done)
      last = time.monotonic()
      for start, block in _blocks(opened, note.done):
        data = _good(opened, start, block)
        digest.update(data)
        file.write(data)
        note.done = start + len(block)
        note.written += len(data) // row_bytes
        bar.update(len(block))
        if time.monotonic() - last > _SECONDS_BETWEEN_NOTES:
          _flush(file)
          note.corrupt = dict(opened.corrupt)
          note.save(note_path)
          last = time.monotonic()
    _require_sound(opened, skip_corrupt)
    rows = np.setdiff1d(np.arange(opened.num_examples), [*opened.corrupt])
    _write_header(file, (len(rows), *opened.image_shape))
    _flush(file)
  note_path.unlink(missing_ok=True)
  place = {
    'path': path.name,
    'offset': HEADER_BYTES,
    'mtime_ns': 0,
    'num_bytes': path.stat().st_size,
  }
  return Written(place, digest.hexdigest(), rows)


def leave_images(opened: Reading) -> Written:
  """Notes where the images lie in the original file, which is not copied."""
  assert opened.in_place is not None
  path = opened.in_place.path.resolve()
  stat = path.stat()
  place = {
    'path': str(path),
    'offset': opened.in_place.offset,
    'mtime_ns': stat.st_mtime_ns,
    'num_bytes': stat.st_size,
  }
  return Written(place, '', np.arange(opened.num_examples))


def _cut_back(file: IO[bytes], num_bytes: int) -> 'hashlib._Hash':
  """Leaves so many bytes of pixels, goes to their end, and hashes them."""
  digest = hashlib.sha256()
  file.truncate(HEADER_BYTES + num_bytes)
  file.seek(HEADER_BYTES)
  while block := file.read(1 << 22):
    digest.update(block)
  return digest


def _blocks(opened: Reading, start: int) -> Iterator[tuple[int, np.ndarray]]:
  """Yields blocks from row `start` on; the next is read meanwhile."""
  with futures.ThreadPoolExecutor(1) as thread:

    def read(row: int) -> futures.Future:
      stop = min(row + opened.block, opened.num_examples)
      return thread.submit(opened.read, row, stop)

    starts = range(start, opened.num_examples, opened.block)
    ahead = [read(row) for row in starts[:1]]
    for row, following in zip(starts, [*starts[1:], None]):
      block = ahead.pop().result()
      if following is not None:
        ahead.append(read(following))
      yield row, block


def _good(opened: Reading, start: int, block: np.ndarray) -> memoryview:
  """The bytes of those images of a block that could be read."""
  corrupt = {row - start for row in list(opened.corrupt)}
  good = [row for row in range(len(block)) if row not in corrupt]
  block = block if len(good) == len(block) else block[good]
  return np.ascontiguousarray(block).reshape(-1).data


def _require_disk(folder: pathlib.Path, num_bytes: int) -> None:
  free = shutil.disk_usage(folder).free
  if free < num_bytes + _MARGIN:
    raise ValueError(
      f'{folder.parent}: {num_bytes / 1e9:.2f} GB are needed, '
      f'{free / 1e9:.2f} GB are free; free some, or name another folder '
      'with --cache=DIR.'
    )


def _require_sound(opened: Reading, skip_corrupt: bool) -> None:
  if len(opened.corrupt) == opened.num_examples:
    raise ValueError('None of the images can be read.')
  if opened.corrupt and not skip_corrupt:
    raise ValueError(f'{opened.describe_corrupt()}. Mend them, or {SKIPPING}.')


def _flush(file: IO[bytes]) -> None:
  file.flush()
  os.fsync(file.fileno())


def _write_header(file: IO[bytes], shape: tuple[int, ...]) -> None:
  """Numpy pads this header to 128 bytes, so that its size is known before."""
  file.seek(0)
  np.lib.format.write_array_header_1_0(
    file, {'descr': '|u1', 'fortran_order': False, 'shape': shape}
  )
  if file.tell() != HEADER_BYTES:
    raise RuntimeError(f'The .npy header has {file.tell()} bytes.')
