"""MPI3D, four variants: one .npz each, the labels being the grid itself."""

from structae.data import archives, reading
from structae.data.data_set import DataSet, Factors, File, Tfds
from structae.data.reading import Originals, Reading

_FACTORS: Factors = {
  'object_color': ('white', 'green', 'red', 'blue', 'brown', 'olive'),
  'object_shape': (
    'cone',
    'cube',
    'cylinder',
    'hexagonal',
    'pyramid',
    'sphere',
  ),
  'object_size': ('small', 'large'),
  'camera_height': ('top', 'center', 'bottom'),
  'background_color': ('purple', 'sea green', 'salmon'),
  'horizontal_axis': tuple(range(40)),
  'vertical_axis': tuple(range(40)),
}
_HOSTS = (
  'https://huggingface.co/datasets/waleedgondal/mpi3d/resolve/main/',
  'https://storage.googleapis.com/disentanglement_dataset/Final_Dataset/',
)


def _read(data_set: DataSet, originals: Originals) -> Reading:
  """Opens an MPI3D file: `images` uint8 [N, 64, 64, 3] in grid order.

  The published files are stored, not compressed, so that their 12.7 GB are
  mapped where they lie; a file that somebody compressed is read in order.
  """
  path = originals.path
  images = archives.NpzMember(path, 'images')
  reading.require_images(images, path, data_set.image_shape)
  reading.require_length(images.shape[0], data_set.num_examples, path)
  offset = images.offset
  return Reading(
    num_examples=images.shape[0],
    image_shape=images.shape[1:],
    read=images.read,
    in_place=None if offset is None else reading.InPlace(path, offset),
    block=4096,
  )


def _row(
  variant: str,
  file: File,
  note: str = '',
  factors: Factors = _FACTORS,
  num_examples: int = 1_036_800,
) -> DataSet:
  return DataSet(
    name=f'mpi3d_{variant}',
    title=f'MPI3D {variant}',
    image_shape=(64, 64, 3),
    sizes=(32, 64),
    num_examples=num_examples,
    factors=factors,
    grid=True,
    read=_read,
    files=(file,),
    homepage='https://github.com/rr-learning/disentanglement_dataset',
    licence='CC BY 4.0',
    citation=(
      'Gondal et al., On the Transfer of Inductive Bias from Simulation to '
      'the Real World: a New Disentanglement Dataset, NeurIPS 2019, '
      'https://arxiv.org/abs/1906.03292'
    ),
    tfds=Tfds(f'mpi3d/{variant}'),
    note=note,
  )


def _file(variant: str, md5: str, strict: bool = True) -> File:
  name = f'mpi3d_{variant}.npz'
  return File(
    name=name,
    urls=tuple(host + name for host in _HOSTS),
    md5=md5,
    strict=strict,
    aliases=(f'{variant}.npz',),
  )


DATA_SETS = (
  _row('toy', _file('toy', '55889cb7c7dfc655d6e0277beee88868')),
  _row(
    'realistic',
    _file('realistic', '59a6225b88b635365f70c91b3e52f70f'),
    note='The paper calls it "sim".',
  ),
  _row(
    'real',
    # This may be the sum of the file that was replaced.
    _file('real', '0f33f609918fb5c97996692f91129802', strict=False),
    note=(
      'Its authors once replaced a corrupted file, so another checksum '
      'is a warning, not an error.'
    ),
  ),
  _row(
    'complex',
    File(
      name='real3d_complicated_shapes_ordered.npz',
      urls=(
        'https://drive.google.com/uc?export=download&id='
        '1Tp8eTdHxgUMtsZv5uAoYAbJR1BOa_OQm',
      ),
      aliases=('mpi3d_complex.npz', 'mpi3d_real_complex.npz'),
    ),
    note='Four real objects in four colours: another grid than the others.',
    factors={
      **_FACTORS,
      'object_color': ('yellow', 'green', 'olive', 'red'),
      'object_shape': ('coffee-cup', 'tennis-ball', 'croissant', 'beer-cup'),
    },
    num_examples=460_800,
  ),
)
