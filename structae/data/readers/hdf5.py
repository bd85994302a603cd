"""3D-Shapes and dSprites from their HDF5 files (dSprites: from its .npz too).

h5py is imported when a file is opened, since most sets do not need it.
"""

import pathlib
from typing import Any

import numpy as np

from structae.data import archives, catalog
from structae.data.readers import chunks, reading

# Rows read at a time where the file's own chunks leave a choice.
_BLOCK = 4096
_MAX_BLOCK_BYTES = 1 << 30


def open_h5(path: pathlib.Path) -> Any:
  """Opens an HDF5 file for reading.

  Raises:
    ValueError: if it is none or is cut off.
  """
  try:
    import h5py
  except ImportError as error:
    raise ValueError(
      f'{path}: reading HDF5 needs h5py: pip install h5py.'
    ) from error
  try:
    return h5py.File(path, 'r')
  except OSError as error:
    reason = str(error).split('(')[-1].rstrip(')')
    raise ValueError(
      f'{path}: no HDF5 file, or cut off ({reason}); fetch it again.'
    ) from error


def member(file: Any, name: str, where: object) -> Any:
  """Returns the data set `name` of an open file, or a one-line ValueError."""
  if name not in file:
    found = ', '.join(sorted(file)) or 'nothing'
    raise ValueError(f'{where}: no data set {name!r}; there are: {found}.')
  return file[name]


def slices(images: Any, where: object) -> tuple[Any, int]:
  """A `read(start, stop)` for a data set, and how many rows suit it.

  Blocks are whole numbers of the file's chunks, so that each chunk is
  decompressed once: 3D-Shapes has chunks of thousands of rows.
  """
  row_bytes = int(np.prod(images.shape[1:])) * images.dtype.itemsize
  rows = images.chunks[0] if images.chunks else 1
  block = max(1, _BLOCK // rows) * rows
  block = min(block, max(1, _MAX_BLOCK_BYTES // row_bytes))
  plain = chunks.is_plain_gzip(images)

  def read(start: int, stop: int) -> np.ndarray:
    try:
      if plain:
        return chunks.read_rows(images, start, stop)
      return images[start:stop]
    except OSError as error:
      raise ValueError(
        f'{where}: rows {start} to {stop} are damaged; fetch it again.'
      ) from error

  return read, block


def read_shapes3d(
  data_set: catalog.DataSet, paths: dict[str, pathlib.Path]
) -> reading.Reading:
  """Opens `3dshapes.h5`: `images` uint8 [N,64,64,3], `labels` float [N,6]."""
  path = next(iter(paths.values()))
  file = open_h5(path)
  images = member(file, 'images', path)
  labels = member(file, 'labels', path)[:]
  reading.require_images(images, path, data_set.image_shape)
  assert data_set.num_examples is not None
  reading.require_length(len(images), data_set.num_examples, path)
  if labels.shape != (len(images), len(data_set.factor_names)):
    raise ValueError(f'{path}: labels have shape {labels.shape}.')
  columns = [
    reading.nearest(
      column, range(size) if isinstance(values[0], str) else values, path
    )
    for column, size, values in zip(
      labels.T, data_set.factor_sizes, data_set.factor_values
    )
  ]
  reading.require_grid(np.stack(columns, axis=1), data_set.factor_sizes, path)
  read, block = slices(images, path)
  return reading.Reading(
    num_examples=len(images),
    image_shape=images.shape[1:],
    read=read,
    factor_names=data_set.factor_names,
    factor_sizes=data_set.factor_sizes,
    block=block,
  )


def read_dsprites(
  data_set: catalog.DataSet, paths: dict[str, pathlib.Path]
) -> reading.Reading:
  """Opens dSprites: `imgs` [N,64,64] of 0 and 1, and the latent classes.

  The first latent is a constant colour, and is left out.
  """
  path = next(iter(paths.values()))
  if path.suffix == '.npz':
    images: Any = archives.NpzMember(path, 'imgs')
    classes = archives.load_npz(path, 'latents_classes', path)
    read_raw, block = images.read, _BLOCK
  else:
    file = open_h5(path)
    images = member(file, 'imgs', path)
    latents = member(file, 'latents', path)
    classes = member(latents, 'classes', f'{path}, latents')[:]
    read_raw, block = slices(images, path)
  reading.require_images(images, path, data_set.image_shape[:2])
  assert data_set.num_examples is not None
  reading.require_length(images.shape[0], data_set.num_examples, path)
  if classes.shape != (images.shape[0], len(data_set.factor_names) + 1):
    raise ValueError(f'{path}: latent classes have shape {classes.shape}.')
  reading.require_grid(classes[:, 1:], data_set.factor_sizes, path)

  def read(start: int, stop: int) -> np.ndarray:
    rows = read_raw(start, stop)
    if rows.size and rows.max() > 1:
      raise ValueError(f'{path}: pixels exceed 1; dSprites holds 0 and 1.')
    return (rows * np.uint8(255))[..., None]

  return reading.Reading(
    num_examples=images.shape[0],
    image_shape=(*images.shape[1:], 1),
    read=read,
    factor_names=data_set.factor_names,
    factor_sizes=data_set.factor_sizes,
    block=block,
  )
