"""Original files -> a prepared folder: once, whole or not at all.

Everything is written to `KEY.partial` and renamed to `KEY` at the end, so
that what has the final name is complete. An interrupted preparation goes on
where it stopped; two at once take turns. The original files are only read.
"""

import contextlib
import dataclasses
import errno
import hashlib
import json
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import filelock
import numpy as np
import platformdirs

from structae import streams
from structae.data import manifest, originals, writing
from structae.data.data_set import DataSet
from structae.data.reading import Reading
from structae.files import sha256


@dataclasses.dataclass(frozen=True)
class Options:
  """How a data set is prepared.

  Attributes:
    size: the side of the images in pixels; 0 is the usual one of the set.
    crop: how pictures become square, one of `DataSet.crop.choices`; None is
      the default of the set.
    verify: whether sizes and checksums must be the published ones.
    skip_corrupt: whether unreadable pictures are left out (and listed)
      instead of being an error.
    copy: whether images are copied even if they can be mapped in place.
  """

  size: int = 0
  crop: int | str | None = None
  verify: bool = True
  skip_corrupt: bool = False
  copy: bool = False


def cache_root() -> pathlib.Path:
  """The folder of all prepared sets (under XDG_CACHE_HOME where it is set)."""
  return platformdirs.user_cache_path('structae') / 'data'


def prepare(
  data_set: DataSet,
  place: pathlib.Path | None = None,
  options: Options | None = None,
  root: pathlib.Path | None = None,
) -> pathlib.Path:
  """Prepares a data set, or finds that it is prepared already.

  Args:
    data_set: its row.
    place: a prepared folder (taken as it is); or where the original files
      are: a directory, a file, or what TensorFlow Datasets prepared. None
      takes what was prepared last, else looks in `originals.default_place`.
    options: what is wanted of it.
    root: the folder of prepared sets.

  Returns:
    The prepared folder.

  Raises:
    ValueError: if files are missing, damaged or not what they should be, or
      if the disk is full. One line each.
  """
  options = _checked(data_set, options or Options())
  root = root or cache_root()
  if place is None:
    if prepared := _latest(data_set, options, root):
      return prepared
    place = originals.default_place(data_set.name)
  if (place / manifest.NAME).is_file():
    _require_same(data_set, options, place)
    return place
  paths = originals.find(data_set, place)
  sources = originals.identify(paths)
  target = root / _key(data_set, sources, options)
  try:
    root.mkdir(parents=True, exist_ok=True)
    with _lock(target):
      if not _is_whole(target, options):
        _make(data_set, paths, sources, options, target)
  except OSError as error:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
      raise ValueError(
        f'{root}: the disk is full; free some space and run it again, '
        'it goes on where it stopped.'
      ) from error
    raise ValueError(f'{error.filename or root}: {error.strerror}.') from error
  return target


def prepared(
  data_set: DataSet, root: pathlib.Path | None = None
) -> list[pathlib.Path]:
  """The folders that were prepared of a data set, whole or damaged."""
  found = (root or cache_root()).glob(f'{data_set.name}-*/{manifest.NAME}')
  # The name of another set may begin alike.
  return sorted(
    path.parent
    for path in found
    if path.parent.name.rsplit('-', 2)[0] == data_set.name
  )


def _checked(data_set: DataSet, options: Options) -> Options:
  if data_set.made_here:
    raise ValueError(f'{data_set.name} is made here and needs no preparation.')
  usual = data_set.image_shape[0] if data_set.image_shape else 64
  size = options.size or usual
  if size < 1 or (data_set.sizes and size not in data_set.sizes):
    allowed = ', '.join(map(str, data_set.sizes)) or 'any number from 1'
    raise ValueError(
      f'{data_set.name} has no size {size}: choose one of {allowed}.'
    )
  return dataclasses.replace(options, size=size)


def _latest(
  data_set: DataSet, options: Options, root: pathlib.Path
) -> pathlib.Path | None:
  """The set as it was prepared last, if it still is whole.

  Raises:
    ValueError: if all there is was prepared with more leniency than is asked.
  """
  prepared: list[tuple[bool, int, pathlib.Path]] = []
  for path in root.glob(f'{data_set.name}-{options.size}-*/{manifest.NAME}'):
    with contextlib.suppress(ValueError):
      found = manifest.load(path.parent)
      if found.name == data_set.name and found.options['crop'] == options.crop:
        strict = _is_strict_enough(found, options)
        prepared.append((strict, path.stat().st_mtime_ns, path.parent))
  if not prepared:
    return None
  strict, _, folder = max(prepared)
  if not strict:
    raise ValueError(
      f'{folder}: was prepared without its checksums or with pictures left '
      f'out; accept it ({originals.UNVERIFIED}; {writing.SKIPPING}), or name '
      'the original files.'
    )
  return folder


def _require_same(
  data_set: DataSet, options: Options, place: pathlib.Path
) -> None:
  found = manifest.load(place)
  if found.name != data_set.name or found.image_shape[0] != options.size:
    raise ValueError(
      f'{place}: holds {found.name} at {found.image_shape[0]} pixels, '
      f'not {data_set.name} at {options.size}.'
    )
  crop = found.options['crop']
  if options.crop is not None and crop != options.crop:
    raise ValueError(
      f'{place}: was prepared with the crop {crop}, not {options.crop}.'
    )


def _key(
  data_set: DataSet, sources: list[originals.Found], options: Options
) -> str:
  """The name of the folder: another source, size or crop is another folder."""
  content: list[Any] = [
    manifest.VERSION,
    data_set.name,
    data_set.factor_sizes,
    options.size,
    options.crop,
  ]
  for source in sources:
    content += [str(source.path), source.num_bytes, source.mtime_ns]
    # Set so early for directories only: names, sizes and times inside.
    content.append(source.sha256)
  if data_set.needs_path:
    content.append('on white')  # pictures were once read without their alpha
  digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:8]
  return f'{data_set.name}-{options.size}-{digest}'


@contextlib.contextmanager
def _lock(target: pathlib.Path) -> Iterator[None]:
  lock = filelock.FileLock(f'{target}.lock')
  try:
    lock.acquire(timeout=0)
  except filelock.Timeout:
    streams.note(f'Waiting for another process that prepares {target.name}.')
    lock.acquire()
  try:
    yield
  finally:
    lock.release()


def _is_whole(target: pathlib.Path, options: Options) -> bool:
  """Whether what is there is undamaged and as it is wanted."""
  try:
    found = manifest.load(target)
    manifest.verify_once(target, found)
    for name in found.arrays:
      manifest.load_array(target, name)
  except ValueError:
    return False
  mapped = pathlib.Path(found.images['path']).is_absolute()
  return not (options.copy and mapped) and _is_strict_enough(found, options)


def _is_strict_enough(found: manifest.Manifest, options: Options) -> bool:
  """What leniency let pass does not serve who asks for the whole."""
  complete = options.skip_corrupt or not found.skipped
  return complete and (found.options['verify'] or not options.verify)


def _make(
  data_set: DataSet,
  paths: dict[str, pathlib.Path],
  sources: list[originals.Found],
  options: Options,
  target: pathlib.Path,
) -> None:
  if options.verify:
    sources, warnings = originals.verify(data_set, sources)
    for warning in warnings:
      streams.note(f'Warning: {warning}')
  opened = originals.open_original(data_set, paths, options.size, options.crop)
  if opened.in_place and not (options.verify or options.copy):
    # Nothing else would distinguish these images from others.
    sources = [originals.with_checksums(source) for source in sources]
  partial = target.with_name(f'{target.name}.partial')
  partial.mkdir(exist_ok=True)
  try:
    _fill(partial, data_set, opened, sources, options)
  except ValueError:
    # The files are wrong; what was made of them is of no use.
    shutil.rmtree(partial)
    raise
  if target.exists():  # damaged, or made otherwise; nothing there is the user's
    shutil.rmtree(target)
  partial.rename(target)
  made = manifest.load(target)
  manifest.verify_once(target, made)


def _fill(
  partial: pathlib.Path,
  data_set: DataSet,
  opened: Reading,
  sources: list[originals.Found],
  options: Options,
) -> None:
  """Writes all files of a prepared set, the manifest last."""
  if opened.in_place and not options.copy:
    images, digest, rows = writing.leave_images(opened)
  else:
    label = f'preparing {data_set.name}'
    images, digest, rows = writing.write_images(
      opened, partial, label, options.skip_corrupt
    )
  manifest.Manifest(
    name=data_set.name,
    version=manifest.VERSION,
    image_shape=opened.image_shape,
    num_examples=len(rows),
    factor_names=tuple(opened.factor_names),
    factor_sizes=tuple(opened.factor_sizes),
    grid=opened.factors is None,
    images=images,
    images_sha256=digest,
    extras=tuple(opened.extras),
    arrays=_save_arrays(partial, opened, rows),
    sources=tuple(
      {'name': s.name, 'num_bytes': s.num_bytes, 'sha256': s.sha256}
      for s in sources
    ),
    options=dataclasses.asdict(options),
    skipped={
      opened.name_of(row): why for row, why in sorted(opened.corrupt.items())
    },
  ).save(partial)


def _save_arrays(
  partial: pathlib.Path, opened: Reading, rows: np.ndarray
) -> dict[str, str]:
  """Writes factors and extras; the SHA-256 of every file by its name."""
  arrays = dict(opened.extras)
  if opened.factors is not None:
    arrays['factors'] = opened.factors
  seals = {}
  for name, array in arrays.items():
    path = partial / f'{name}.npy'
    np.save(path, array[rows], allow_pickle=False)
    seals[name] = sha256(path)
  return seals
