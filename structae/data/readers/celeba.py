"""CelebA: a zip of aligned 178x218 JPEGs, and text tables beside it."""

import csv
import pathlib
import threading
import zipfile

import numpy as np

from structae.data import archives, catalog, decoding, pixels
from structae.data.readers import reading


def read_celeba(
  data_set: catalog.DataSet,
  paths: dict[str, pathlib.Path],
  side: int,
) -> reading.Reading:
  """Opens CelebA.

  Args:
    data_set: its catalog entry.
    paths: original name -> file; partition and identity may be missing.
    side: side of the centred square that is kept; 128 keeps rows 45 to 172
      and columns 25 to 152 of the aligned picture.

  Returns:
    A reading with the 40 attributes as factors; `partition` (0 training, 1
    validation, 2 test) and `identity` as extras where their files exist.

  Raises:
    ValueError: if a file is damaged, or the tables and pictures disagree.
  """
  attributes = paths['list_attr_celeba.txt']
  names, table, factor_names = _attributes(attributes)
  if tuple(factor_names) != data_set.factor_names:
    raise ValueError(f'{attributes}: its columns are not the 40 attributes.')
  if data_set.num_examples is not None:
    reading.require_length(len(names), data_set.num_examples, attributes)
  if not np.isin(table, (-1, 1)).all():
    raise ValueError(f'{attributes}: attributes must be -1 or 1.')
  extras = {}
  for extra, original in (
    ('partition', 'list_eval_partition.txt'),
    ('identity', 'identity_CelebA.txt'),
  ):
    if original in paths:
      extras[extra] = _column(paths[original], names)
  path = paths['img_align_celeba.zip']
  archive = archives.open_zip(path)
  members = _members(archive, names, path)
  lock = threading.Lock()
  corrupt: dict[int, str] = {}

  def load(row: int) -> bytes:
    with lock:
      try:
        return archive.read(members[row])
      except (zipfile.BadZipFile, EOFError) as error:
        raise ValueError(str(error)) from error

  def read(start: int, stop: int) -> np.ndarray:
    out = np.empty((stop - start, side, side, 3), np.uint8)
    decoding.decode_rows(
      start, load, lambda p: pixels.centre_crop(p, side, side), out, corrupt
    )
    return out

  return reading.Reading(
    num_examples=len(names),
    image_shape=(side, side, 3),
    read=read,
    factor_names=data_set.factor_names,
    factor_sizes=data_set.factor_sizes,
    factors=(table > 0).astype(np.int32),
    extras=extras,
    block=1024,
    corrupt=corrupt,
  )


def _members(
  archive: zipfile.ZipFile, names: list[str], where: object
) -> list[zipfile.ZipInfo]:
  found = {
    pathlib.PurePosixPath(info.filename).name: info
    for info in archive.infolist()
  }
  missing = [name for name in names if name not in found]
  if missing:
    raise ValueError(
      f'{where}: {len(missing):,} pictures are missing, the first is '
      f'{missing[0]}; fetch it again.'
    )
  return [found[name] for name in names]


def _attributes(path: pathlib.Path) -> tuple[list[str], np.ndarray, list[str]]:
  """Reads the published table (a count, a header, rows) or the .csv form."""
  rows = _rows(path)
  if path.suffix == '.csv':
    header, body = rows[0][1:], rows[1:]
  else:
    header, body = rows[1], rows[2:]
    count = rows[0][0]
    if count != str(len(body)):
      raise ValueError(
        f'{path}: cut off: it announces {count} rows and has {len(body)}.'
      )
  names, table = _split(body, path)
  if table.shape[1] != len(header):
    raise ValueError(
      f'{path}: {table.shape[1]} columns, but {len(header)} names.'
    )
  return names, table, header


def _column(path: pathlib.Path, names: list[str]) -> np.ndarray:
  rows = _rows(path)
  found, table = _split(rows[1:] if path.suffix == '.csv' else rows, path)
  if found != names:
    raise ValueError(
      f'{path}: lists other pictures than the attributes do '
      f'({len(found):,} against {len(names):,}).'
    )
  return table[:, 0]


def _rows(path: pathlib.Path) -> list[list[str]]:
  try:
    text = path.read_text(encoding='utf-8')
  except UnicodeDecodeError as error:
    raise ValueError(f'{path}: no text file.') from error
  if text.lstrip()[:5].lower() in ('<html', '<!doc'):
    raise ValueError(
      f'{path}: this is a web page (Google Drive serves one when its quota is '
      'spent); fetch the file again with a browser.'
    )
  lines = [line for line in text.splitlines() if line.strip()]
  if len(lines) < 2:
    raise ValueError(f'{path}: too short; fetch it again.')
  if path.suffix == '.csv':
    return list(csv.reader(lines))
  return [line.split() for line in lines]


def _split(
  body: list[list[str]], path: pathlib.Path
) -> tuple[list[str], np.ndarray]:
  try:
    table = np.array([[int(v) for v in row[1:]] for row in body], np.int32)
  except ValueError as error:
    raise ValueError(f'{path}: not a table of numbers ({error}).') from error
  return [row[0] for row in body], table.reshape(len(body), -1)
