"""Writes small files in the true layout of each data set, at true image size.

Every writer returns the images, uint8 [N, H, W, C], and the factors, int32
[N, F], that a correct reader must find, and takes them from numpy alone.
"""

import dataclasses
import gzip
import io
import itertools
import struct
import tarfile
import zipfile

import numpy as np
from PIL import Image

from structae.data import catalog


def small(name, sizes=None, num_examples=None, **changes):
  """A catalog entry cut down to few values, whose files have no checksums."""
  data_set = catalog.CATALOG[name]
  if sizes:
    factors = {
      factor: tuple(values)[:size]
      for (factor, values), size in zip(data_set.factors.items(), sizes)
    }
    changes['factors'] = factors
    num_examples = int(np.prod(sizes)) if data_set.grid else num_examples
  return dataclasses.replace(data_set, num_examples=num_examples, **changes)


def grid(sizes):
  """All combinations, the last factor fastest: int32 [N, F]."""
  return np.array(list(itertools.product(*map(range, sizes))), np.int32)


def random_images(shape, seed=0):
  """Smooth pictures with noise, so that files stay small but differ."""
  rng = np.random.default_rng(seed)
  base = rng.integers(0, 200, (shape[0], 1, 1, shape[-1]))
  ramp = np.arange(shape[1])[:, None, None] // 4
  noise = rng.integers(0, 3, shape)
  return (base + ramp + noise).astype(np.uint8)


def shapes3d(path, data_set, images=None):
  import h5py

  factors = grid(data_set.factor_sizes)
  if images is None:
    images = random_images((len(factors), 64, 64, 3))
  values = [
    range(len(v)) if isinstance(v[0], str) else v
    for v in data_set.factors.values()
  ]
  labels = np.stack(
    [np.asarray(v, np.float64)[f] for v, f in zip(values, factors.T)], 1
  )
  with h5py.File(path, 'w') as file:
    file.create_dataset(
      'images',
      data=images,
      compression='gzip',
      chunks=(min(32, len(images)), 8, 8, 1),
    )
    file['labels'] = labels
  return images, factors


def mpi3d(path, data_set, compressed=False):
  factors = grid(data_set.factor_sizes)
  images = random_images((len(factors), 64, 64, 3), 1)
  (np.savez_compressed if compressed else np.savez)(path, images=images)
  return images, factors


def dsprites(path, data_set):
  import h5py

  factors = grid(data_set.factor_sizes)
  rng = np.random.default_rng(2)
  bits = rng.integers(0, 2, (len(factors), 64, 64)).astype(np.uint8)
  colour = np.zeros((len(factors), 1), np.int64)
  classes = np.concatenate([colour, factors], 1)
  values = classes.astype(np.float64)
  if path.suffix == '.npz':
    np.savez_compressed(
      path, imgs=bits, latents_classes=classes, latents_values=values
    )
  else:
    with h5py.File(path, 'w') as file:
      file.create_dataset('imgs', data=bits, compression='gzip')
      file['latents/classes'] = classes
      file['latents/values'] = values
  return bits[..., None] * 255, factors


def jpeg(picture, **options):
  buffer = io.BytesIO()
  Image.fromarray(picture).save(buffer, 'JPEG', quality=95, **options)
  return buffer.getvalue()


def png(picture):
  buffer = io.BytesIO()
  picture = picture[..., 0] if picture.shape[-1] == 1 else picture
  Image.fromarray(picture).save(buffer, 'PNG')
  return buffer.getvalue()


def decoded(data):
  return np.asarray(Image.open(io.BytesIO(data)).convert('RGB'))


def celeba(directory, num=12, form='txt', corrupt=()):
  """Returns the aligned pictures as a JPEG holds them, and the attributes."""
  rng = np.random.default_rng(3)
  names = [f'{i + 1:06}.jpg' for i in range(num)]
  files = [jpeg(p) for p in random_images((num, 218, 178, 3), 4)]
  attributes = rng.integers(0, 2, (num, 40)).astype(np.int32)
  partition = np.repeat([0, 1, 2], [num - 4, 2, 2])
  identity = rng.integers(1, 10_000, num)
  order = rng.permutation(num)
  with zipfile.ZipFile(directory / 'img_align_celeba.zip', 'w') as archive:
    archive.writestr('img_align_celeba/', b'')
    for i in order:
      data = files[i][:500] if i in corrupt else files[i]
      archive.writestr(f'img_align_celeba/{names[i]}', data)
  signed = 2 * attributes - 1
  if form == 'txt':
    lines = [str(num), ' '.join(catalog.CATALOG['celeba'].factor_names) + ' ']
    lines += [
      f'{n}  ' + ' '.join(f'{v:2}' for v in row)
      for n, row in zip(names, signed)
    ]
    parts = [f'{n} {p}' for n, p in zip(names, partition)]
  else:
    lines = [','.join(('image_id', *catalog.CATALOG['celeba'].factor_names))]
    lines += [f'{n},' + ','.join(map(str, r)) for n, r in zip(names, signed)]
    parts = ['image_id,partition']
    parts += [f'{n},{p}' for n, p in zip(names, partition)]
  write_lines(directory / f'list_attr_celeba.{form}', lines)
  write_lines(directory / f'list_eval_partition.{form}', parts)
  people = [f'{n} {p}' for n, p in zip(names, identity)]
  write_lines(directory / 'identity_CelebA.txt', people)
  return np.stack([decoded(f) for f in files]), attributes, partition, identity


def write_lines(path, lines):
  path.write_text('\n'.join(lines) + '\n')


def rfd_labels(num, num_colours=8):
  rng = np.random.default_rng(5)
  sizes = (1, num_colours, 1, 30, 30, 30, 30, 30, 10)
  return np.stack([rng.integers(0, s, num) for s in sizes], 1)


def rfd(directory, prefix='finger', num=24, num_colours=8, labels=None):
  """The unpacked files of one part; tar members in a shuffled order."""
  folder = directory / prefix
  folder.mkdir(parents=True, exist_ok=True)
  images = random_images((num, 128, 128, 3), 6)
  labels = rfd_labels(num, num_colours) if labels is None else labels
  np.savez(folder / f'{prefix}_labels.npz', labels=labels)
  sizes = np.array([1, num_colours, 1, 30, 30, 30, 30, 30, 10])
  np.savez(
    folder / f'{prefix}_info.npz',
    num_factor_values=sizes,
    dataset_size=np.array(num),
    # A dictionary, as in the published file: numpy can only pickle it.
    factor_values=np.array({'shape': ['cube']}, dtype=object),
  )
  if prefix == 'finger_real':
    np.savez(folder / f'{prefix}_images.npz', images=images)
    return images, labels
  with tarfile.open(folder / f'{prefix}_images.tar', 'w') as archive:
    archive.addfile(_directory('images'))
    for i in np.random.default_rng(7).permutation(num):
      digits = f'{i:06}'
      name = f'images/{"/".join(digits[:-1])}/{digits}.png'
      _add(archive, name, png(images[i]))
  return images, labels


def rfd_archive(directory):
  """Packs all parts under `directory` as the published archive does."""
  path = directory / 'robot_finger_datasets.tar'
  with tarfile.open(path, 'w') as archive:
    for file in sorted(directory.rglob('finger*/*')):
      name = f'robot_finger_datasets/{file.parent.name}/{file.name}'
      archive.add(file, name)
  return path


def _directory(name):
  info = tarfile.TarInfo(name)
  info.type = tarfile.DIRTYPE
  return info


def _add(archive, name, data):
  info = tarfile.TarInfo(name)
  info.size = len(data)
  archive.addfile(info, io.BytesIO(data))


def cars3d(path, num_cars=3):
  """Returns images [elevation * azimuth * car, 128, 128, 3] and factors."""
  import scipy.io

  rng = np.random.default_rng(8)
  factors = grid((4, 24, num_cars))
  cars = rng.integers(0, 255, (num_cars, 1, 1, 3, 24, 4)).astype(np.uint8)
  ramp = np.arange(128, dtype=np.uint8)[:, None, None, None, None] // 2
  cars = np.broadcast_to(cars // 2 + ramp, (num_cars, 128, 128, 3, 24, 4))
  # The list, not the archive, has the order of the cars.
  names = [f'car_{i:03}_mesh' for i in (7, 2, 5, 1, 9)[:num_cars]]
  with tarfile.open(path, 'w:gz') as archive:
    _add(archive, 'data/shapes48.mat', b'other')
    for name, pictures in sorted(zip(names, cars), key=lambda x: x[0]):
      buffer = io.BytesIO()
      scipy.io.savemat(
        buffer,
        {'im': pictures, 'mask': np.zeros((4, 4), np.uint8)},
        do_compression=True,
      )
      _add(archive, f'data/cars/{name}.mat', buffer.getvalue())
    _add(archive, 'data/cars/list.txt', '\n'.join(names).encode())
  e, a, c = factors.T
  return cars[c, :, :, :, a, e], factors


def smallnorb(directory, num=10, compressed=True):
  rng = np.random.default_rng(9)
  images, factors = [], []
  for part, split in (('46789', 'training'), ('01235', 'testing')):
    pairs = rng.integers(0, 256, (num, 2, 96, 96)).astype(np.uint8)
    columns = [rng.integers(0, s, num) for s in (5, 10, 9, 18, 6)]
    labels = np.stack(columns, 1).astype('<i4')
    info = labels[:, 1:].copy()
    info[:, 2] *= 2
    stem = f'smallnorb-5x{part}x9x18x6x2x96x96-{split}'
    for kind, array in (('dat', pairs), ('cat', labels[:, 0]), ('info', info)):
      data = norb_matrix(array)
      if compressed:
        (directory / f'{stem}-{kind}.mat.gz').write_bytes(gzip.compress(data))
      else:
        (directory / f'{stem}-{kind}.mat').write_bytes(data)
    images.append(pairs[:, 0, :, :, None])
    factors.append(labels)
  return np.concatenate(images), np.concatenate(factors)


def norb_matrix(array):
  magic = 0x1E3D4C55 if array.dtype == np.uint8 else 0x1E3D4C54
  sizes = (*array.shape, 1, 1, 1)[: max(3, array.ndim)]
  header = struct.pack(f'<2i{len(sizes)}i', magic, array.ndim, *sizes)
  return header + array.tobytes()


def pictures(directory, num=5):
  """A folder of pictures of many formats, sizes and modes."""
  rng = np.random.default_rng(10)
  (directory / 'sub').mkdir(parents=True)
  names = ['b.png', 'a.jpg', 'sub/c.webp', 'd.bmp', 'sub/e.tiff', 'f.gif']
  names += [f'sub/{n}' for n in ('g.png', 'h.jpg', 'i.webp', 'j.bmp')]
  for name in names[:num]:
    height, width = rng.integers(40, 90, 2)
    array = random_images((1, height, width, 3), height)[0]
    Image.fromarray(array).save(directory / name)
  (directory / 'notes.txt').write_text('no picture')


def write(name, place):
  """Makes the files of a set; returns a small entry for it and their place."""
  data_set = catalog.get(name)
  file = place / data_set.files[0].name if data_set.files else None
  match name.split('_')[0]:
    case 'shapes3d':
      data_set = small(name, (2, 2, 2, 2, 4, 2))
      shapes3d(file, data_set)
    case 'mpi3d':
      data_set = small(name, (2, 2, 2, 2, 2, 2, 2))
      mpi3d(file, data_set)
    case 'celeba':
      data_set = small(name, num_examples=40)
      celeba(place, 40)
    case 'rfd':
      rfd(place, data_set.tfds.name.split('/')[1], 40)
      rfd_archive(place)
    case 'dsprites':
      data_set = small(name, (3, 2, 4, 2, 2))
      dsprites(file, data_set)
    case 'cars3d':
      data_set = small(name, (4, 24, 2))
      cars3d(file, 2)
    case 'smallnorb':
      data_set = small(name, num_examples=40)
      smallnorb(place, 20)
    case 'folder':
      place = place / 'pictures'
      pictures(place, 10)
    case _:
      raise ValueError(f'no layout of {name}')
  return data_set, place
