"""dSprites: one HDF5 or .npz file of white shapes on black."""

from typing import Any

import numpy as np

from structae.data import archives, hdf5, reading
from structae.data.data_set import DataSet, File, Tfds, linspace
from structae.data.reading import Originals, Reading

_STEM = 'dsprites_ndarray_co1sh3sc6or40x32y32_64x64'


def _read(data_set: DataSet, originals: Originals) -> Reading:
  """Opens dSprites: `imgs` [N,64,64] of 0 and 1, and the latent classes.

  The first latent is a constant colour, and is left out.
  """
  path = originals.path
  if path.suffix == '.npz':
    images: Any = archives.NpzMember(path, 'imgs')
    classes = archives.load_npz(path, 'latents_classes', path)
    read_raw, block = images.read, 4096
  else:
    file = hdf5.open_h5(path)
    images = hdf5.member(file, 'imgs', path)
    latents = hdf5.member(file, 'latents', path, group=True)
    classes = hdf5.array(latents, 'classes', f'{path}, latents')
    read_raw, block = hdf5.slices(images, path)
  reading.require_images(images, path, data_set.image_shape[:2])
  reading.require_length(images.shape[0], data_set.num_examples, path)
  if classes.shape != (images.shape[0], len(data_set.factor_names) + 1):
    raise ValueError(f'{path}: latent classes have shape {classes.shape}.')
  reading.require_grid(classes[:, 1:], data_set.factor_sizes, path)

  def read(start: int, stop: int) -> np.ndarray:
    rows = read_raw(start, stop)
    if rows.size and rows.max() > 1:
      raise ValueError(f'{path}: pixels exceed 1; dSprites holds 0 and 1.')
    return (rows * np.uint8(255))[..., None]

  return Reading(
    num_examples=images.shape[0],
    image_shape=(*images.shape[1:], 1),
    read=read,
    block=block,
  )


DATA_SET = DataSet(
  name='dsprites',
  title='dSprites',
  image_shape=(64, 64, 1),
  sizes=(32, 64),
  num_examples=737_280,
  factors={
    'shape': ('square', 'ellipse', 'heart'),
    'scale': linspace(0.5, 1.0, 6),
    'orientation': linspace(0.0, 6.283185, 40),
    'x': linspace(0.0, 1.0, 32),
    'y': linspace(0.0, 1.0, 32),
  },
  periodic=('orientation',),
  grid=True,
  read=_read,
  files=(
    File(
      name=f'{_STEM}.hdf5',
      urls=(
        f'https://github.com/deepmind/dsprites-dataset/raw/master/{_STEM}.hdf5',
      ),
      num_bytes=28_024_106,
      sha256='729fa22e884c9c500e1f17415d580746b4c5894fbbb780a1319bbcfa39a745bb',
      md5='b331c4447a651c44bf5e8ae09022e230',
      aliases=(f'{_STEM}.npz',),
    ),
  ),
  homepage='https://github.com/deepmind/dsprites-dataset',
  licence='Apache-2.0',
  citation=(
    'Matthey et al., dSprites: Disentanglement testing Sprites dataset, '
    '2017, https://github.com/deepmind/dsprites-dataset/'
  ),
  tfds=Tfds(
    'dsprites',
    labels={'x': 'label_x_position', 'y': 'label_y_position'},
    scale=255,
  ),
  note='Its constant colour column is left out.',
)
