"""The data sets by name: what they hold, where they come from, how to cite.

A plain table. It imports no jax, so that a wrong name is refused, and `info`
answers, before any heavy library loads.
"""

import difflib

from structae.data import grids
from structae.data.data_set import DataSet

__all__ = ['CATALOG', 'DataSet', 'get']


_MPI3D_CITATION = (
  'Gondal et al., On the Transfer of Inductive Bias from Simulation to the '
  'Real World: a New Disentanglement Dataset, NeurIPS 2019, '
  'https://arxiv.org/abs/1906.03292'
)
_RFD_CITATION = (
  'Dittadi et al., On the Transfer of Disentangled Representations in '
  'Realistic Settings, ICLR 2021, https://arxiv.org/abs/2010.14407'
)


def _mpi3d(
  variant: str,
  factors: grids.Factors = grids.MPI3D,
  num_examples: int = 1_036_800,
  note: str = '',
) -> DataSet:
  return DataSet(
    name=f'mpi3d_{variant}',
    title=f'MPI3D {variant}',
    image_shape=(64, 64, 3),
    sizes=(32, 64),
    num_examples=num_examples,
    factors=factors,
    grid=True,
    homepage='https://github.com/rr-learning/disentanglement_dataset',
    licence='CC BY 4.0',
    citation=_MPI3D_CITATION,
    tfds_name=f'mpi3d/{variant}',
    note=note,
  )


def _rfd(
  name: str,
  title: str,
  tfds_name: str,
  note: str,
  factors: grids.Factors = grids.RFD,
) -> DataSet:
  return DataSet(
    name=name,
    title=title,
    image_shape=(128, 128, 3),
    sizes=(32, 64, 128),
    num_examples=None,
    factors=factors,
    preset='rfd',
    homepage='https://arxiv.org/abs/2010.14407',
    licence='none stated; do not redistribute',
    citation=_RFD_CITATION,
    tfds_name=tfds_name,
    note=note,
  )


_DATA_SETS = (
  DataSet(
    name='shapes3d_synth',
    title='a re-creation of the 3D-Shapes scene',
    image_shape=(64, 64, 3),
    sizes=(32, 64, 128),
    num_examples=480_000,
    factors=grids.SHAPES3D,
    grid=True,
    licence='Apache-2.0 (part of this project)',
    citation='this project; after Burgess and Kim, 3D Shapes Dataset, 2018',
    note=(
      'Made on the device; needs no download and no storage. It is not '
      '3D-Shapes, and no score on it is a score on 3D-Shapes.'
    ),
  ),
  DataSet(
    name='arm_synth',
    title='what the sensors of a planar robot arm read',
    image_shape=(15,),
    sizes=(1,),
    num_examples=13_824,
    factors=grids.ARM,
    grid=True,
    preset='vectors',
    licence='Apache-2.0 (part of this project)',
    citation='this project',
    note='Feature vectors, made here: there are no images.',
  ),
  DataSet(
    name='shapes3d',
    title='3D-Shapes',
    image_shape=(64, 64, 3),
    sizes=(32, 64),
    num_examples=480_000,
    factors=grids.SHAPES3D,
    grid=True,
    homepage='https://github.com/deepmind/3d-shapes',
    licence='Apache-2.0',
    citation=(
      'Burgess and Kim, 3D Shapes Dataset, 2018, '
      'https://github.com/deepmind/3dshapes-dataset/'
    ),
    tfds_name='shapes3d',
  ),
  _mpi3d('toy'),
  _mpi3d('realistic', note='The paper calls it "sim".'),
  _mpi3d(
    'real',
    note=(
      'Its authors once replaced a corrupted file, so another checksum '
      'is a warning, not an error.'
    ),
  ),
  _mpi3d(
    'complex',
    factors=grids.MPI3D_COMPLEX,
    num_examples=460_800,
    note='Four real objects in four colours: another grid than the others.',
  ),
  DataSet(
    name='celeba',
    title='CelebA',
    image_shape=(128, 128, 3),
    sizes=(32, 64, 128),
    num_examples=202_599,
    factors=grids.CELEBA,
    preset='128px',
    homepage='http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html',
    licence='non-commercial research only; no redistribution',
    citation=(
      'Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015, '
      'https://arxiv.org/abs/1411.7766'
    ),
    tfds_name='celeb_a',
    note=(
      'The 128x128 centre of the aligned 178x218 picture. Google Drive often '
      'serves a quota page in place of the zip: fetch it with a browser.'
    ),
  ),
  _rfd(
    'rfd',
    'RFD, the robot finger data',
    'rfd/finger',
    note=(
      'About a million simulated frames, not a full grid; the factors are '
      'correlated, and shape and size are constant.'
    ),
  ),
  _rfd(
    'rfd_heldout',
    'RFD with held-out cube colours',
    'rfd/finger_heldout_colors',
    note='Cubes in colours that `rfd` does not show.',
    # Which colours they are stands in its own info file, as does their number.
    factors={**grids.RFD, 'color': tuple(range(12))},
  ),
  _rfd(
    'rfd_real',
    'RFD, photographs of the robot',
    'rfd/finger_real',
    note='About 1,800 annotated photographs.',
  ),
  DataSet(
    name='dsprites',
    title='dSprites',
    image_shape=(64, 64, 1),
    sizes=(32, 64),
    num_examples=737_280,
    factors=grids.DSPRITES,
    grid=True,
    homepage='https://github.com/deepmind/dsprites-dataset',
    licence='Apache-2.0',
    citation=(
      'Matthey et al., dSprites: Disentanglement testing Sprites dataset, '
      '2017, https://github.com/deepmind/dsprites-dataset/'
    ),
    tfds_name='dsprites',
    note='Its constant colour column is left out.',
  ),
  DataSet(
    name='cars3d',
    title='Cars3D',
    image_shape=(64, 64, 3),
    sizes=(32, 64, 128),
    num_examples=17_568,
    factors=grids.CARS3D,
    grid=True,
    homepage='https://papers.nips.cc/paper/5845-deep-visual-analogy-making',
    licence='none stated',
    citation='Reed et al., Deep Visual Analogy-Making, NeurIPS 2015',
    tfds_name='cars3d/default',
  ),
  DataSet(
    name='smallnorb',
    title='small NORB',
    image_shape=(64, 64, 1),
    sizes=(32, 64, 96),
    num_examples=48_600,
    factors=grids.SMALLNORB,
    homepage='https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/',
    licence='research only',
    citation=(
      'LeCun et al., Learning Methods for Generic Object Recognition with '
      'Invariance to Pose and Lighting, CVPR 2004'
    ),
    tfds_name='smallnorb',
    note='The left camera; the 24,300 training pictures stand first.',
  ),
  DataSet(
    name='folder',
    title="the user's own images",
    image_shape=(),
    sizes=(),
    num_examples=None,
    note=(
      'A directory of images of any format that Pillow reads, or one .npz or '
      '.h5 file with `images` and, if there are any, `factors`.'
    ),
  ),
)

CATALOG: dict[str, DataSet] = {d.name: d for d in _DATA_SETS}


def get(name: str) -> DataSet:
  """Returns the data set of that name.

  Raises:
    ValueError: if there is none; the message names those that exist.
  """
  if name in CATALOG:
    return CATALOG[name]
  close = difflib.get_close_matches(name, CATALOG, n=1)
  hint = f' Did you mean {close[0]!r}?' if close else ''
  raise ValueError(
    f'Unknown data set {name!r}.{hint} There are: {", ".join(CATALOG)}.'
  )
