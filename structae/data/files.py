"""Finding the original files, and making sure that they are the right ones."""

import dataclasses
import hashlib
import os
import pathlib
import sys

import platformdirs
import tqdm

from structae.data import catalog, originals
from structae.data.readers import tfds_directory

_BLOCK = 1 << 22
# The next step, for `structae.data prepare` and for a run.
UNVERIFIED = 'pass --no-verify (to a run: --config.data.verify=False)'


@dataclasses.dataclass(frozen=True)
class Source:
  """An original file as it was found.

  Attributes:
    name: its published name, or its path for the user's own.
    path: where it is.
    num_bytes: its size.
    mtime_ns: when it was last changed.
    sha256: its checksum; '' if it was not read.
  """

  name: str
  path: pathlib.Path
  num_bytes: int
  mtime_ns: int
  sha256: str = ''


def default_place(name: str) -> pathlib.Path:
  """Where the original files of a set are looked for if nothing is said."""
  return platformdirs.user_data_path('structae') / name


def describe(file: originals.File) -> str:
  """One file in words: its name, size, checksum and address."""
  parts = []
  if file.num_bytes is not None:
    parts.append(f'{file.num_bytes:,} bytes')
  if file.sha256:
    parts.append(f'sha256 {file.sha256}')
  elif file.md5:
    parts.append(f'md5 {file.md5}')
  details = f' ({", ".join(parts)})' if parts else ''
  return f'{file.name}{details} from {file.urls[0]}'


def find(
  data_set: catalog.DataSet, place: pathlib.Path
) -> dict[str, pathlib.Path]:
  """Finds the original files of a set.

  Args:
    data_set: its catalog entry.
    place: a directory that holds them, or the file itself.

  Returns:
    Published name -> path. Optional files that are missing are left out. For
    `folder`, {'folder': place}; for what TensorFlow Datasets prepared,
    {'tfds': its directory}.

  Raises:
    ValueError: naming what to fetch, from where, and where to put it.
  """
  if data_set.name == 'folder':
    return {'folder': _existing(place)}
  if prepared := tfds_directory.find(data_set, place):
    return {'tfds': prepared}
  if place.is_file():
    if len(data_set.files) == 1:
      return {data_set.files[0].name: place}
    place = place.parent
  found = {}
  for file in data_set.files:
    path = _find_one(file, place)
    if path is not None:
      found[file.name] = path
  missing = [
    file
    for file in data_set.files
    if file.name not in found and not file.optional
  ]
  if missing:
    wanted = '; '.join(describe(file) for file in missing)
    raise ValueError(
      f'{data_set.title}: missing in {place}: {wanted}. Put it there, or say '
      f'where it is: structae data prepare {data_set.name} '
      '--from=DIR. The set shapes3d_synth needs no files.'
    )
  return found


def _existing(place: pathlib.Path) -> pathlib.Path:
  if not place.exists():
    raise ValueError(
      f'{place}: no such directory or file of images; name one with '
      '--from=DIR or --config.data.path=DIR.'
    )
  return place


def _find_one(file: originals.File, place: pathlib.Path) -> pathlib.Path | None:
  names = (file.name, *file.aliases)
  for name in names:
    if (place / name).is_file():
      return place / name
  return None


def identify(paths: dict[str, pathlib.Path]) -> list[Source]:
  """Notes size and time of files, without reading them.

  A directory counts as the sum of its files, and has a checksum over their
  names, sizes and times.
  """
  return [_identify_one(name, path) for name, path in paths.items()]


def _identify_one(name: str, path: pathlib.Path) -> Source:
  path = path.resolve()
  if not path.is_dir():
    stat = path.stat()
    return Source(name, path, stat.st_size, stat.st_mtime_ns)
  digest = hashlib.sha256()
  num_bytes, newest = 0, 0
  for file in sorted(path.rglob('*')):
    if file.is_file():
      stat = file.stat()
      inside = file.relative_to(path).as_posix()
      digest.update(f'{inside}\0{stat.st_size}\0{stat.st_mtime_ns}\n'.encode())
      num_bytes += stat.st_size
      newest = max(newest, stat.st_mtime_ns)
  return Source(name, path, num_bytes, newest, digest.hexdigest())


def verify(
  data_set: catalog.DataSet, sources: list[Source]
) -> tuple[list[Source], list[str]]:
  """Checks sizes first, then checksums.

  Returns:
    The sources with their sha256, and warnings for the user.

  Raises:
    ValueError: if a file is not the published one.
  """
  published = {file.name: file for file in data_set.files}
  known = {
    source.name: published[source.name]
    for source in sources
    if source.name in published
    and not _is_alias(source, published[source.name])
  }
  for source in sources:
    file = known.get(source.name)
    if file and file.num_bytes not in (None, source.num_bytes):
      _refuse_size(source, file)
  checked, warnings = [], []
  for source in sources:
    if source.sha256:
      checked.append(source)
      continue
    sha256, md5 = checksums(source.path)
    file = known.get(source.name)
    for kind, actual, expected in (
      ('sha256', sha256, file.sha256 if file else ''),
      ('md5', md5, file.md5 if file else ''),
    ):
      if not expected or actual == expected:
        continue
      message = f'{source.path}: {kind} is {actual}, expected {expected}'
      if file and file.strict:
        raise ValueError(
          f'{message}; fetch it again, or {UNVERIFIED} if it was changed on '
          'purpose.'
        )
      warnings.append(f'{message}; its authors once replaced it.')
    checked.append(dataclasses.replace(source, sha256=sha256))
  return checked, warnings


def with_checksums(sources: list[Source]) -> list[Source]:
  """Reads every file for its sha256, whatever it should be."""
  return [
    source
    if source.sha256
    else dataclasses.replace(source, sha256=checksums(source.path)[0])
    for source in sources
  ]


def _is_alias(source: Source, file: originals.File) -> bool:
  # Other forms have other checksums, and none of them is published.
  names = [pathlib.PurePosixPath(alias).name for alias in file.aliases]
  return source.path.name in names


def _refuse_size(source: Source, file: originals.File) -> None:
  with open(source.path, 'rb') as opened:
    head = opened.read(512).lstrip().lower()
  if head.startswith((b'<!doctype', b'<html')):
    raise ValueError(
      f'{source.path}: this is a web page, not the file (Google Drive serves '
      'one when its quota is spent); fetch it again with a browser.'
    )
  raise ValueError(
    f'{source.path}: {source.num_bytes:,} bytes, expected '
    f'{file.num_bytes:,}; fetch it again, or {UNVERIFIED} if it was changed '
    'on purpose.'
  )


def checksums(path: pathlib.Path) -> tuple[str, str]:
  """Returns the sha256 and the md5 of a file, reading it once."""
  # MD5 only recognises a published file; it guards against nothing.
  sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
  size = path.stat().st_size
  with (
    open(path, 'rb') as file,
    progress(size, f'checking {path.name}', 'B') as bar,
  ):
    while block := file.read(_BLOCK):
      sha256.update(block)
      md5.update(block)
      bar.update(len(block))
  return sha256.hexdigest(), md5.hexdigest()


def progress(total: int, label: str, unit: str) -> tqdm.tqdm:
  """A progress bar on a terminal; nothing in a log or for small work."""
  quiet = not sys.stderr.isatty() or os.environ.get('STRUCTAE_QUIET') == '1'
  return tqdm.tqdm(
    total=total,
    desc=label,
    unit=unit,
    unit_scale=True,
    disable=quiet,
    leave=False,
  )
