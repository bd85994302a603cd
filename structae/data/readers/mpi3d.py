"""MPI3D: one .npz with `images`, the labels being the grid itself."""

import pathlib

from structae.data import archives, catalog
from structae.data.readers import reading


def read_mpi3d(
  data_set: catalog.DataSet, paths: dict[str, pathlib.Path]
) -> reading.Reading:
  """Opens an MPI3D file: `images` uint8 [N, 64, 64, 3] in grid order.

  The published files are stored, not compressed, so that their 12.7 GB are
  mapped where they lie; a file that somebody compressed is read in order.
  """
  path = next(iter(paths.values()))
  images = archives.NpzMember(path, 'images')
  reading.require_images(images, path, data_set.image_shape)  # type: ignore[arg-type]
  assert data_set.num_examples is not None
  reading.require_length(images.shape[0], data_set.num_examples, path)
  offset = images.offset
  return reading.Reading(
    num_examples=images.shape[0],
    image_shape=images.shape[1:],
    read=images.read,
    factor_names=data_set.factor_names,
    factor_sizes=data_set.factor_sizes,
    in_place=None if offset is None else reading.InPlace(path, offset),
    block=4096,
  )
