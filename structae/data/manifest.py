"""The manifest of a prepared data set, sealed against half-written files.

A prepared set is a folder: `manifest.json`, `images.npy` (unless the images
are mapped where the original holds them), `factors.npy` (unless the set is a
full grid), one `.npy` for every extra, and `verified.json` once its images
were compared with their checksum.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
from typing import Any

import numpy as np

from structae import files

# Raised whenever a reader changes what it makes of the same file.
VERSION = 1
NAME = 'manifest.json'
_VERIFIED = 'verified.json'  # the size and the times of the verified images


@dataclasses.dataclass(frozen=True)
class Manifest:
  """A prepared data set.

  Attributes:
    name: the data set.
    version: the version of the preparation.
    image_shape: (H, W, C).
    num_examples: N.
    factor_names: F names.
    factor_sizes: F numbers of values.
    grid: whether row i is the i-th combination of a full grid.
    images: {'path', 'offset', 'mtime_ns', 'num_bytes'}: where the uint8
      images begin. A path without a folder lies beside the manifest;
      `mtime_ns` is 0 for those.
    images_sha256: over all N*H*W*C bytes, or '' if they were not read.
    extras: names of the further arrays.
    arrays: the SHA-256 of every other `.npy` file, by its array's name.
    sources: the original files: name, num_bytes, sha256.
    options: what the preparation was asked for.
    skipped: names of the pictures that were left out, and why.
  """

  name: str
  version: int
  image_shape: tuple[int, ...]
  num_examples: int
  factor_names: tuple[str, ...]
  factor_sizes: tuple[int, ...]
  grid: bool
  images: dict[str, Any]
  images_sha256: str
  extras: tuple[str, ...]
  arrays: dict[str, str]
  sources: tuple[dict[str, Any], ...]
  options: dict[str, Any]
  skipped: dict[str, str]

  def save(self, folder: pathlib.Path) -> None:
    """Writes the manifest and its seal, last of all, and flushes it."""
    content = dataclasses.asdict(self)
    content['seal'] = files.seal(content)
    with open(folder / NAME, 'w', encoding='utf-8') as file:
      json.dump(content, file, indent=2)
      file.flush()
      os.fsync(file.fileno())


def load(folder: pathlib.Path) -> Manifest:
  """Reads a manifest and checks its seal and the files it names.

  Raises:
    ValueError: if the set is not whole, was made by another version, or an
      original that it maps moved.
  """
  path = folder / NAME
  try:
    content = files.read_object(path)
    seal = content.pop('seal')
    fields = {field.name for field in dataclasses.fields(Manifest)}
    if seal != files.seal(content) or set(content) != fields:
      raise ValueError('its seal is broken')
    if content['version'] != VERSION:
      raise ValueError(f'of version {content["version"]}, not {VERSION}')
  except (OSError, ValueError, KeyError, AttributeError) as error:
    raise ValueError(
      f'{folder}: no prepared data set ({error}); remove it and prepare again.'
    ) from error
  for key in ('image_shape', 'factor_names', 'factor_sizes', 'extras'):
    content[key] = tuple(content[key])
  content['sources'] = tuple(content['sources'])
  manifest = Manifest(**content)
  _check_images(folder, manifest)
  return manifest


def _check_images(folder: pathlib.Path, manifest: Manifest) -> None:
  path = folder / manifest.images['path']
  try:
    stat = path.stat()
  except OSError as error:
    raise ValueError(
      f'{path}: missing; it held the images of {folder}. Prepare again.'
    ) from error
  mtime = manifest.images['mtime_ns']
  if stat.st_size != manifest.images['num_bytes'] or (
    mtime and mtime != stat.st_mtime_ns
  ):
    raise ValueError(
      f'{path}: changed since {manifest.name} was prepared; prepare again.'
    )


def verify(folder: pathlib.Path, manifest: Manifest) -> None:
  """Reads all of a prepared set, and remembers that it is undamaged.

  Raises:
    ValueError: names the file that is not the one that was prepared.
  """
  path = folder / manifest.images['path']
  stamp = _stamp(path)
  if manifest.images_sha256:
    start, expected = manifest.images['offset'], manifest.images_sha256
    good = files.sha256(path, start) == expected
  else:  # mapped inside an original
    good = files.sha256(path) in {s['sha256'] for s in manifest.sources}
  if not good:
    raise ValueError(
      f'{path}: damaged, it has another sha256 than when it was prepared; '
      f'remove {folder} and prepare again.'
    )
  for name in manifest.arrays:
    load_array(folder, name)
  with contextlib.suppress(OSError):  # a folder that is only read
    files.write_text(folder / _VERIFIED, json.dumps(stamp))


def verify_once(folder: pathlib.Path, manifest: Manifest) -> None:
  """As `verify`, unless the images are still those that were verified.

  Sizes and times show it, so that the second use reads nothing. Images that
  are mapped inside an original were verified when they were prepared, and
  `load` compares the same of it.
  """
  if not manifest.images_sha256:
    return
  with contextlib.suppress(ValueError):
    known = files.read_object(folder / _VERIFIED)
    if known == _stamp(folder / manifest.images['path']):
      return
  verify(folder, manifest)


def _stamp(path: pathlib.Path) -> dict[str, int]:
  stat = path.stat()
  # A copy that keeps the other times has a new `ctime`.
  return {
    'num_bytes': stat.st_size,
    'mtime_ns': stat.st_mtime_ns,
    'ctime_ns': stat.st_ctime_ns,
  }


def map_images(folder: pathlib.Path, manifest: Manifest) -> np.memmap:
  """Maps the images of a prepared set: uint8 [N, H, W, C], read-only."""
  return np.memmap(
    folder / manifest.images['path'],
    np.uint8,
    'r',
    manifest.images['offset'],
    (manifest.num_examples, *manifest.image_shape),
  )


def load_array(folder: pathlib.Path, name: str) -> np.ndarray:
  """Loads the factors or one extra of a prepared set.

  Raises:
    ValueError: if the file is not the one that was prepared.
  """
  path = folder / f'{name}.npy'
  if not path.is_file() or files.sha256(path) != load(folder).arrays[name]:
    raise ValueError(
      f'{path}: missing or damaged; remove {folder} and prepare again.'
    )
  return np.load(path, allow_pickle=False)
