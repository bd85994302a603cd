"""The original files of a set: finding, verifying and opening them."""

import dataclasses
import hashlib
import os
import pathlib
import sys

import platformdirs
import tqdm

from structae.data import archives, picture_files, pictures, tfds_directory
from structae.data.data_set import DataSet, File
from structae.data.reading import Originals, Reading

_BLOCK = 1 << 22
_MOST_DESCRIBED = 2  # missing files in one line
# The next step, for `structae data prepare` and for a run.
UNVERIFIED = 'pass --no-verify (to a run: --config.data.verify=False)'


@dataclasses.dataclass(frozen=True)
class Found:
  """An original file as it was found.

  Attributes:
    name: its published name, or its path for the user's own.
    path: where it is.
    num_bytes: its size.
    mtime_ns: when it was last changed.
    sha256: its checksum; '' if it was not read.
    md5: its MD5, likewise.
  """

  name: str
  path: pathlib.Path
  num_bytes: int
  mtime_ns: int
  sha256: str = ''
  md5: str = ''


def default_place(name: str) -> pathlib.Path:
  """Where the original files of a set are looked for by default."""
  return platformdirs.user_data_path('structae') / name


def find(data_set: DataSet, place: pathlib.Path) -> dict[str, pathlib.Path]:
  """Finds the original files of a set.

  Args:
    data_set: its row.
    place: a directory that holds them, or the file itself.

  Returns:
    Published name -> path. Optional files that are missing are left out. For
    a set without published files, its name -> place; for what TensorFlow
    Datasets prepared, 'tfds' -> its directory.

  Raises:
    ValueError: naming what to fetch, from where, and where to put it.
  """
  if data_set.needs_path:
    return {data_set.name: _existing(place)}
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
    wanted = '; '.join(file.describe() for file in missing[:_MOST_DESCRIBED])
    if (more := len(missing) - _MOST_DESCRIBED) > 0:
      wanted += f'; and {more} more, see structae data info {data_set.name}'
    raise ValueError(
      f'{data_set.title}: missing in {place}: {wanted}. Put it there, or name '
      f'its place: structae data prepare {data_set.name} '
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


def _find_one(file: File, place: pathlib.Path) -> pathlib.Path | None:
  names = (file.name, *file.aliases)
  for name in names:
    if (place / name).is_file():
      return place / name
  return None


def identify(paths: dict[str, pathlib.Path]) -> list[Found]:
  """Notes size and time of files, without reading them.

  A directory counts as the sum of its files, and has a checksum over their
  names, sizes and times.
  """
  return [_identify_one(name, path) for name, path in paths.items()]


def _identify_one(name: str, path: pathlib.Path) -> Found:
  path = path.resolve()
  if not path.is_dir():
    stat = path.stat()
    return Found(name, path, stat.st_size, stat.st_mtime_ns)
  digest = hashlib.sha256()
  num_bytes, newest = 0, 0
  for file in sorted(picture_files.walk(path)):
    stat = file.stat()
    inside = file.relative_to(path).as_posix()
    line = f'{inside}\0{stat.st_size}\0{stat.st_mtime_ns}\n'
    digest.update(os.fsencode(line))  # a name need not be UTF-8
    num_bytes += stat.st_size
    newest = max(newest, stat.st_mtime_ns)
  return Found(name, path, num_bytes, newest, digest.hexdigest())


def verify(
  data_set: DataSet, sources: list[Found]
) -> tuple[list[Found], list[str]]:
  """Checks sizes first, then checksums.

  Returns:
    The files with their checksums, and warnings for the user.

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
    if source.name in known:
      _check_size(source, known[source.name])
  checked, warnings = [], []
  for source in map(with_checksums, sources):
    if source.name in known:
      warnings += _wrong_checksums(source, known[source.name])
    checked.append(source)
  return checked, warnings


def _wrong_checksums(source: Found, file: File) -> list[str]:
  """Warnings, or an error where the published file was never replaced."""
  warnings = []
  for kind in ('sha256', 'md5'):
    actual, expected = getattr(source, kind), getattr(file, kind)
    if expected and actual != expected:
      message = f'{source.path}: {kind} is {actual}, expected {expected}'
      if file.strict:
        raise ValueError(
          f'{message}; fetch it again, or {UNVERIFIED} if it was changed on '
          'purpose.'
        )
      warnings.append(f'{message}; its authors once replaced it.')
  return warnings


def with_checksums(source: Found) -> Found:
  """The same with its checksums; a file is read for them, whatever it is."""
  if source.sha256:
    return source
  sha256, md5 = checksums(source.path)
  return dataclasses.replace(source, sha256=sha256, md5=md5)


def _is_alias(source: Found, file: File) -> bool:
  # Other forms have other checksums, and none of them is published.
  names = [pathlib.PurePosixPath(alias).name for alias in file.aliases]
  return source.path.name in names


def _check_size(source: Found, file: File) -> None:
  if file.num_bytes in (None, source.num_bytes):
    return
  archives.refuse_web_page(source.path)
  raise ValueError(
    f'{source.path}: {source.num_bytes:,} bytes, expected '
    f'{file.num_bytes:,}; fetch it again, or {UNVERIFIED} if it was changed '
    'on purpose.'
  )


def open_original(
  data_set: DataSet,
  paths: dict[str, pathlib.Path],
  size: int,
  crop: int | str | None = None,
) -> Reading:
  """Opens the original files of a data set.

  None needs TensorFlow, no archive is extracted, and no pickle is loaded.

  Args:
    data_set: its row.
    paths: what `find` returned.
    size: the side of the images that come out, in pixels.
    crop: one of `data_set.crop.choices`, None for its default.

  Returns:
    A reading whose images are [size, size, C].

  Raises:
    ValueError: if the files are damaged or not what they should be.
  """
  read = tfds_directory.read if 'tfds' in paths else data_set.read
  assert read is not None, f'{data_set.name} is made here'
  opened = read(data_set, Originals(paths, size, data_set.checked_crop(crop)))
  opened = dataclasses.replace(
    opened,
    factor_names=opened.factor_names or data_set.factor_names,
    factor_sizes=opened.factor_sizes or data_set.factor_sizes,
  )
  return opened if opened.image_shape[0] == size else _resized(opened, size)


def _resized(opened: Reading, size: int) -> Reading:
  return dataclasses.replace(
    opened,
    image_shape=(size, size, opened.image_shape[2]),
    read=lambda start, stop: pictures.resize(opened.read(start, stop), size),
    in_place=None,
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
