"""What TensorFlow Datasets prepared, read as it is and without TensorFlow.

For directories in the form `array_record`. Encoded pictures are decoded by
Pillow, as they are when the original files are read.
"""

import io
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from structae.data import catalog, decoding, pixels
from structae.data.readers import reading

_INFO = 'dataset_info.json'
_PARTITIONS = {'train': 0, 'validation': 1, 'test': 2}
# Labels that a stock builder calls other than 'label_' and our factor's name.
_LABELS = {
  'dsprites': {'x': 'label_x_position', 'y': 'label_y_position'},
  'smallnorb': {'instance': 'instance'},
}


def find(data_set: catalog.DataSet, place: pathlib.Path) -> pathlib.Path | None:
  """Finds the newest prepared directory of a set, in it or under it."""
  if (place / _INFO).is_file():
    return place
  if not data_set.tfds_name or not place.is_dir():
    return None
  last = data_set.tfds_name.split('/')[-1]
  bases = [place] if place.name == last else []
  for base in (*bases, place / data_set.tfds_name):
    found = [path.parent for path in base.glob(f'*/{_INFO}')]
    if found:
      return max(found, key=_version)
  return None


def _version(path: pathlib.Path) -> tuple[int, ...]:
  parts = path.name.split('.')
  return tuple(int(part) if part.isdecimal() else -1 for part in parts)


def read_tfds(
  data_set: catalog.DataSet, directory: pathlib.Path, side: int = 128
) -> reading.Reading:
  """Opens a prepared directory.

  Rows of a full grid are put into the grid's order. Others keep the order of
  the directory, split after split, which for a stock builder is a shuffle:
  the rows of CelebA then are not those of the original zip.

  Args:
    data_set: its catalog entry.
    directory: what `find` returned.
    side: for CelebA, the side of the centred square that is kept.

  Raises:
    ValueError: if it cannot be read, or is another set.
  """
  builder = _builder(directory)
  splits = [name for name in _PARTITIONS if name in builder.info.splits]
  labels, extras = _labels(data_set, builder, splits, directory)
  if data_set.num_examples is not None:
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
  shape, read, corrupt = _images(data_set, builder, splits, order, side)
  return reading.Reading(
    num_examples=len(labels),
    image_shape=shape,
    read=read,
    factor_names=data_set.factor_names,
    factor_sizes=data_set.factor_sizes,
    factors=factors,
    extras=extras,
    block=512,
    corrupt=corrupt,
  )


def _builder(directory: pathlib.Path) -> Any:
  try:
    import tensorflow_datasets as tfds
  except ImportError as error:
    raise ValueError(
      f'{directory}: reading it needs tensorflow-datasets: '
      'pip install tensorflow-datasets array_record.'
    ) from error
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
  data_set: catalog.DataSet,
  builder: Any,
  splits: Sequence[str],
  directory: pathlib.Path,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
  """Reads everything but the images: labels [N, F] and the extras."""
  features = builder.info.features
  is_celeba = data_set.name == 'celeba'
  renamed = _LABELS.get(data_set.name, {})
  names = [renamed.get(n, f'label_{n}') for n in data_set.factor_names]
  missing = [n for n in names if not is_celeba and n not in features]
  if missing or (is_celeba and 'attributes' not in features):
    raise ValueError(
      f'{directory}: holds {builder.name}, which has no '
      f'{(missing or ["attributes"])[0]}; is this {data_set.name}?'
    )
  labels, identities, partition = [], [], []
  for split in splits:
    for record in _source(builder, split):
      if is_celeba:
        attributes = record['attributes']
        labels.append([attributes[n] for n in data_set.factor_names])
        identities.append(record['identity']['Identity_No'])
      else:
        labels.append([record[n] for n in names])
      partition.append(_PARTITIONS[split])
  extras = {'partition': np.array(partition, np.int32)}
  if is_celeba:
    extras['identity'] = np.array(identities, np.int32)
  if len(splits) == 1:
    extras = {}
  return np.array(labels, np.int32), extras


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
  data_set: catalog.DataSet,
  builder: Any,
  splits: Sequence[str],
  order: np.ndarray,
  side: int,
) -> tuple[
  tuple[int, int, int], Callable[[int, int], np.ndarray], dict[int, str]
]:
  feature = builder.info.features['image']
  encoded = _is_encoded(builder, 'image')
  source = _source(builder, '+'.join(splits))
  shape = tuple(feature.shape)
  if data_set.name == 'celeba':
    shape = (side, side, 3)
  corrupt: dict[int, str] = {}

  def read(start: int, stop: int) -> np.ndarray:
    records = source.__getitems__(order[start:stop].tolist())
    if not encoded:
      return np.stack([record['image'] for record in records])
    out = np.empty((stop - start, *shape), np.uint8)
    decoding.decode_rows(
      start,
      lambda row: _bytes(records[row - start]['image']),
      lambda picture: pixels.centre_crop(picture, *shape[:2]),
      out,
      corrupt,
      'RGB' if shape[2] == 3 else 'L',
    )
    # dSprites holds 0 and 1.
    return out * np.uint8(255) if data_set.name == 'dsprites' else out

  return shape, read, corrupt


def _bytes(encoded: Any) -> bytes:
  if isinstance(encoded, io.BytesIO):
    return encoded.getvalue()
  return bytes(np.asarray(encoded).item())
