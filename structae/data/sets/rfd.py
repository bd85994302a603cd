"""RFD: PNGs in a tar (photographs: an .npz), labels in an .npz.

The published archive holds further archives; both levels are read in place,
by the position of every picture in the outer file.
"""

import functools
import io
import pathlib
import tarfile
import threading
from collections.abc import Callable

import numpy as np

from structae.data import archives, pictures, reading
from structae.data.data_set import DataSet, Factors, File, Tfds, linspace
from structae.data.reading import Originals, Reading

_FACTORS: Factors = {
  'shape': ('cube',),
  'color': (
    (1.0, 0.0, 0.0),
    (1.0, 0.0, 0.5),
    (1.0, 0.0, 1.0),
    (0.5, 0.0, 1.0),
    (0.0, 0.5, 1.0),
    (0.0, 1.0, 1.0),
    (0.0, 1.0, 0.5),
    (0.0, 1.0, 0.0),
  ),
  'size': (0.065,),
  'joint0': linspace(-0.65, 0.65, 30),
  'joint1': linspace(-0.5, 0.5, 30),
  'joint2': linspace(-0.8, 0.8, 30),
  'x': linspace(-0.11, 0.11, 30),
  'y': linspace(-0.11, 0.11, 30),
  'angle': tuple(round(k * 0.15707963, 6) for k in range(10)),
}


def _read(
  data_set: DataSet, originals: Originals, prefix: str, tar: bool = True
) -> Reading:
  """Opens one part of RFD, from the whole archive or from its unpacked files.

  Args:
    data_set: its row.
    originals: the archive, or the images of the part.
    prefix: the folder of the part, and the beginning of its files' names.
    tar: whether its images are PNGs in a tar, or one array.

  Raises:
    ValueError: if a file is missing or damaged, if pictures and labels do not
      pair, or if labels are no indices of factor values.
  """
  path = originals.path
  packed = path.name == data_set.files[0].name
  part = _Packed(path) if packed else _Unpacked(path.parent)
  labels = part.array(f'{prefix}_labels.npz', 'labels')
  sizes = _sizes(part, prefix, data_set)
  factors = reading.require_factors(
    labels, data_set.factor_names, sizes, f'{path}, labels'
  )
  corrupt: dict[int, str] = {}
  read: Callable[[int, int], np.ndarray]
  if tar:
    read, num_examples = _open_pictures(
      *part.tar(f'{prefix}_images.tar'), data_set.image_shape, corrupt
    )
  else:
    images = part.array(f'{prefix}_images.npz', 'images')
    reading.require_images(images, path, data_set.image_shape)
    num_examples, read = len(images), lambda start, stop: images[start:stop]
  reading.require_length(num_examples, len(factors), f'{path}, pictures')
  return Reading(
    num_examples=num_examples,
    image_shape=data_set.image_shape,
    read=read,
    factor_sizes=sizes,
    factors=factors,
    block=2048,
    corrupt=corrupt,
  )


def _sizes(
  part: '_Unpacked', prefix: str, data_set: DataSet
) -> tuple[int, ...]:
  """The numbers of values by the set's own info file, else by the catalogue."""
  try:
    found = part.array(f'{prefix}_info.npz', 'num_factor_values')
  except ValueError:  # Absent, or stored in a form that could run code.
    return data_set.factor_sizes
  sizes = tuple(int(size) for size in found)
  if len(sizes) != len(data_set.factor_names):
    raise ValueError(
      f'{prefix}_info.npz: {len(sizes)} factors, '
      f'expected {len(data_set.factor_names)}.'
    )
  return sizes


def _open_pictures(
  path: pathlib.Path,
  base: int,
  members: list[tarfile.TarInfo],
  image_shape: tuple[int, ...],
  corrupt: dict[int, str],
) -> tuple[Callable[[int, int], np.ndarray], int]:
  """Orders the pictures by the number in their names, as the labels are."""
  numbered = sorted((_number(member, path), member) for member in members)
  numbers = [number for number, _ in numbered]
  if numbers != list(range(len(numbers))):
    raise ValueError(f'{path}: picture numbers are not 0, 1, 2, ...')
  places = [(base + m.offset_data, m.size) for _, m in numbered]
  file = open(path, 'rb')
  lock = threading.Lock()

  def load(row: int) -> bytes:
    offset, size = places[row]
    with lock:
      file.seek(offset)
      return file.read(size)

  def shape(picture: np.ndarray) -> np.ndarray:
    if picture.shape != image_shape:
      raise ValueError(f'shape {picture.shape}, expected {image_shape}')
    return picture

  def read(start: int, stop: int) -> np.ndarray:
    out = np.empty((stop - start, *image_shape), np.uint8)
    pictures.decode_rows(start, load, shape, out, corrupt)
    return out

  return read, len(places)


def _number(member: tarfile.TarInfo, where: object) -> int:
  stem = pathlib.PurePosixPath(member.name).stem
  if not stem.isdecimal():
    raise ValueError(f'{where}: {member.name} has no number for a name.')
  return int(stem)


class _Unpacked:
  """The files of one part in a folder."""

  def __init__(self, folder: pathlib.Path):
    self._folder = folder

  def array(self, name: str, key: str) -> np.ndarray:
    path = self._folder / name
    if not path.is_file():
      raise ValueError(f'{path}: missing; it lies beside the images.')
    return archives.load_npz(path, key, path)

  def tar(self, name: str) -> tuple[pathlib.Path, int, list[tarfile.TarInfo]]:
    path = self._folder / name
    with archives.open_tar(path) as archive:
      return path, 0, archives.tar_members(archive, path)


class _Packed(_Unpacked):
  """The files of one part inside the published archive."""

  def __init__(self, path: pathlib.Path):
    self._path = path
    self._archive = archives.open_tar(path)
    self._members = {
      pathlib.PurePosixPath(member.name).name: member
      for member in archives.tar_members(self._archive, path)
    }

  def array(self, name: str, key: str) -> np.ndarray:
    file = self._archive.extractfile(self._member(name))
    assert file is not None
    where = f'{self._path}, {name}'
    return archives.load_npz(io.BytesIO(file.read()), key, where)

  def tar(self, name: str) -> tuple[pathlib.Path, int, list[tarfile.TarInfo]]:
    member = self._member(name)
    where = f'{self._path}, {name}'
    try:
      inner = tarfile.open(fileobj=self._archive.extractfile(member), mode='r:')
    except tarfile.TarError as error:
      raise ValueError(f'{where}: no tar file ({error}).') from error
    with inner:
      members = archives.tar_members(inner, where)
    return self._path, member.offset_data, members

  def _member(self, name: str) -> tarfile.TarInfo:
    if name not in self._members:
      raise ValueError(f'{self._path}: holds no {name}; fetch it again.')
    return self._members[name]


def _row(
  name: str,
  title: str,
  folder: str,
  note: str,
  factors: Factors = _FACTORS,
  tar: bool = True,
) -> DataSet:
  images = f'{folder}_images.{"tar" if tar else "npz"}'
  return DataSet(
    name=name,
    title=title,
    image_shape=(128, 128, 3),
    sizes=(32, 64, 128),
    num_examples=None,
    factors=factors,
    read=functools.partial(_read, prefix=folder, tar=tar),
    files=(
      File(
        name='robot_finger_datasets.tar',
        urls=(
          'https://people.tuebingen.mpg.de/ei-datasets/iclr_transfer_paper/'
          'robot_finger_datasets.tar',
        ),
        aliases=(f'{folder}/{images}', images),
      ),
    ),
    preset='rfd',
    homepage='https://arxiv.org/abs/2010.14407',
    licence='none stated; do not redistribute',
    citation=(
      'Dittadi et al., On the Transfer of Disentangled Representations in '
      'Realistic Settings, ICLR 2021, https://arxiv.org/abs/2010.14407'
    ),
    tfds=Tfds(f'rfd/{folder}'),
    note=note,
  )


DATA_SETS = (
  _row(
    'rfd',
    'RFD, the robot finger data',
    'finger',
    note=(
      'About a million simulated frames, not a full grid; the factors are '
      'correlated, and shape and size are constant.'
    ),
  ),
  _row(
    'rfd_heldout',
    'RFD with held-out cube colours',
    'finger_heldout_colors',
    note='Cubes in colours that `rfd` does not show.',
    # Which colours they are stands in its own info file, as does their number.
    factors={**_FACTORS, 'color': tuple(range(12))},
  ),
  _row(
    'rfd_real',
    'RFD, photographs of the robot',
    'finger_real',
    note='About 1,800 annotated photographs.',
    tar=False,
  ),
)
