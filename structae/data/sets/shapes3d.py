"""3D-Shapes: one HDF5 file of images and factor values."""

import numpy as np

from structae.data import hdf5, hold_out, reading
from structae.data.data_set import DataSet, Factors, File, Tfds, linspace
from structae.data.reading import Originals, Reading

FACTORS: Factors = {
  'floor_hue': tuple(k / 10 for k in range(10)),
  'wall_hue': tuple(k / 10 for k in range(10)),
  'object_hue': tuple(k / 10 for k in range(10)),
  'scale': linspace(0.75, 1.25, 8),
  'shape': ('cube', 'cylinder', 'ball', 'capsule'),
  'orientation': linspace(-30.0, 30.0, 15),
}

PERIODIC = ('floor_hue', 'wall_hue', 'object_hue')


def _read(data_set: DataSet, originals: Originals) -> Reading:
  """Opens `3dshapes.h5`: `images` uint8 [N,64,64,3], `labels` float [N,6]."""
  path = originals.path
  file = hdf5.open_h5(path)
  images = hdf5.member(file, 'images', path)
  labels = hdf5.array(file, 'labels', path)
  reading.require_images(images, path, data_set.image_shape)
  reading.require_length(len(images), data_set.num_examples, path)
  if labels.shape != (len(images), len(data_set.factor_names)):
    raise ValueError(f'{path}: labels have shape {labels.shape}.')
  columns = [
    reading.nearest(
      column, range(size) if isinstance(values[0], str) else values, path
    )
    for column, size, values in zip(
      labels.T, data_set.factor_sizes, data_set.factors.values()
    )
  ]
  reading.require_grid(np.stack(columns, axis=1), data_set.factor_sizes, path)
  read, block = hdf5.slices(images, path)
  return Reading(
    num_examples=len(images),
    image_shape=images.shape[1:],
    read=read,
    block=block,
  )


DATA_SET = DataSet(
  name='shapes3d',
  title='3D-Shapes',
  image_shape=(64, 64, 3),
  sizes=(32, 64),
  num_examples=480_000,
  factors=FACTORS,
  periodic=PERIODIC,
  grid=True,
  read=_read,
  files=(
    File(
      name='3dshapes.h5',
      urls=('https://storage.googleapis.com/3d-shapes/3dshapes.h5',),
      num_bytes=267_573_662,
      sha256='0a0f6ed98baff276a50f3a081a7434d788da63cb135a98189b2a5b5769be1785',
      md5='099a2078d58cec4daad0702c55d06868',
    ),
  ),
  hold_outs=('none', *hold_out.NAMED),
  homepage='https://github.com/deepmind/3d-shapes',
  licence='Apache-2.0',
  citation=(
    'Burgess and Kim, 3D Shapes Dataset, 2018, '
    'https://github.com/deepmind/3dshapes-dataset/'
  ),
  tfds=Tfds('shapes3d'),
)
