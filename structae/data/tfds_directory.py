"""What TensorFlow Datasets prepared, read as it is and without TensorFlow.

For directories in the form `array_record`. Encoded pictures are decoded by
Pillow, as they are when the original files are read.
"""

import io
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from structae.data import pictures, reading
from structae.data.data_set import DataSet
from structae.data.reading import Originals, Reading
from structae.extras import require

_INFO = 'dataset_info.json'
_PARTITIONS = {'train': 0, 'validation': 1, 'test': 2}


def find(data_set: DataSet, place: pathlib.Path) -> pathlib.Path | None:
  """Finds the newest prepared directory of a set, in it or under it."""
  if (place / _INFO).is_file():
    return place
  if not data_set.tfds or not place.is_dir():
    return None
  name = pathlib.PurePosixPath(data_set.tfds.name)
  bases = [place] if place.name == name.name else []
  for base in (*bases, place / name):
    found = [path.parent for path in base.glob(f'*/{_INFO}')]
    if found:
      return max(found, key=_version)
  return None


def _version(path: pathlib.Path) -> tuple[int, ...]:
  parts = path.name.split('.')
  return tuple(int(part) if part.isdecimal() else -1 for part in parts)


def read(data_set: DataSet, originals: Originals) -> Reading:
  """Opens a prepared directory.

  Rows of a full grid are put into the grid's order. Others keep the order of
  the directory, split after split, which for a stock builder is a shuffle:
  the rows of CelebA then are not those of the original zip.

  Args:
    data_set: its row.
    originals: what `find` returned, as the only path.

  Raises:
    ValueError: if it cannot be read, or is another set.
  """
  directory = originals.path
  builder = _builder(directory)
  splits = [name for name in _PARTITIONS if name in builder.info.splits]
  labels, extras = _labels(data_set, builder, splits, directory)
  reading.require_length(len(labels), data_set.num_examples, directory)
  factors: np.ndarray | None = reading.require_factors(
    labels, data_set.factor_names, data_set.factor_sizes, directory
  )
  order = np.arange(len(labels))
  if data_set.grid:
    index = np.ravel_multi_index(tuple(labels.T), data_set.factor_sizes)
    order = np.argsort(index)
    reading.require_grid(labels[order], data_set.factor_sizes, directory)
    factors, extras = None, {}
  assert data_set.tfds is not None
  shape = tuple(builder.info.features['image'].shape)
  if originals.crop:
    shape = (int(originals.crop), int(originals.crop), shape[2])
  corrupt: dict[int, str] = {}
  read_images = _images(
    builder, '+'.join(splits), order, shape, data_set.tfds.scale, corrupt
  )
  return Reading(
    num_examples=len(labels),
    image_shape=shape,
    read=read_images,
    factors=factors,
    extras=extras,
    block=512,
    corrupt=corrupt,
  )


def _builder(directory: pathlib.Path) -> Any:
  import tensorflow_datasets as tfds

  require('array_record', 'tfds', f'reading {directory}')
  try:
    builder = tfds.builder_from_directory(directory)
  except Exception as error:  # It raises what its parsers raise.
    raise ValueError(
      f'{directory}: not readable as a prepared directory ({error}).'
    ) from error
  file_format = builder.info.file_format.value
  if file_format != 'array_record':
    raise ValueError(
      f'{directory}: prepared as {file_format}, expected array_record; prepare '
      "it again with file_format='array_record'."
    )
  return builder


def _labels(
  data_set: DataSet,
  builder: Any,
  splits: Sequence[str],
  directory: pathlib.Path,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
  """Reads everything but the images: labels [N, F] and the extras."""
  stored = data_set.tfds
  assert stored is not None
  names = [stored.labels.get(n, f'label_{n}') for n in data_set.factor_names]
  for name in names:
    feature = name.split('/')[0]
    if feature not in builder.info.features:
      raise ValueError(
        f'{directory}: holds {builder.name}, which has no {feature}; '
        f'is this {data_set.name}?'
      )
  labels, partition = [], []
  extras: dict[str, list] = {name: [] for name in stored.extras}
  for split in splits:
    for record in _source(builder, split):
      labels.append([_entry(record, name) for name in names])
      partition.append(_PARTITIONS[split])
      for extra, name in stored.extras.items():
        extras[extra].append(_entry(record, name))
  if len(splits) > 1:
    extras['partition'] = partition
  found = {name: np.array(rows, np.int32) for name, rows in extras.items()}
  return np.array(labels, np.int32), found


def _entry(record: Any, name: str) -> Any:
  """A feature of a record; 'a/b' is the entry b of the feature a."""
  for key in name.split('/'):
    record = record[key]
  return record


def _is_encoded(builder: Any, name: str) -> bool:
  import tensorflow_datasets as tfds

  return isinstance(builder.info.features[name], tfds.features.Image)


def _source(builder: Any, split: str) -> Any:
  """Records with their pictures still encoded."""
  import tensorflow_datasets as tfds

  pictures = [n for n in builder.info.features if _is_encoded(builder, n)]
  decoders = {name: tfds.decode.SkipDecoding() for name in pictures}
  return builder.as_data_source(split, decoders=decoders or None)


def _images(
  builder: Any,
  splits: str,
  order: np.ndarray,
  shape: tuple[int, int, int],
  scale: int,
  corrupt: dict[int, str],
) -> Callable[[int, int], np.ndarray]:
  encoded = _is_encoded(builder, 'image')
  source = _source(builder, splits)

  def read(start: int, stop: int) -> np.ndarray:
    records = source.__getitems__(order[start:stop].tolist())
    if not encoded:
      return np.stack([record['image'] for record in records])
    out = np.empty((stop - start, *shape), np.uint8)
    pictures.decode_rows(
      start,
      lambda row: _bytes(records[row - start]['image']),
      lambda picture: pictures.centre_crop(picture, *shape[:2]),
      out,
      corrupt,
      'RGB' if shape[2] == 3 else 'L',
    )
    return out * np.uint8(scale)

  return read


def _bytes(encoded: Any) -> bytes:
  if isinstance(encoded, io.BytesIO):
    return encoded.getvalue()
  return bytes(np.asarray(encoded).item())
