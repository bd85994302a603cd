"""The data sets by name: what they hold, where they come from, how to cite.

A plain table. It imports nothing but the standard library, so that a wrong
name is refused, and `info` answers, before any heavy library loads.
"""

import dataclasses
import difflib
from collections.abc import Sequence

from structae.data import grids, originals


@dataclasses.dataclass(frozen=True)
class DataSet:
  """What is known of one data set without opening it.

  Attributes:
    name: the name by which configs and commands call it.
    title: its name in prose.
    image_shape: (H, W, C) at its usual size, (X,) for feature vectors; ()
      where the user's files tell.
    sizes: the image sizes it can be made at, in pixels, 1 for feature vectors;
      () means any.
    num_examples: N; None where only the files tell.
    factors: F names, each with what its values mean. A factor with a single
      value is constant, and no metric may use it.
    grid: whether the images are the full factor grid in row-major order (last
      factor fastest), so that an index tells every factor.
    preset: the settings for it: '64px', '128px', 'rfd' or 'vectors'.
    homepage: where it is described.
    licence: its terms.
    citation: whom to cite.
    tfds_name: the builder that prepares it in TensorFlow Datasets, or ''.
    note: what a user must know, in a sentence or two.
  """

  name: str
  title: str
  image_shape: tuple[int, ...]
  sizes: tuple[int, ...]
  num_examples: int | None
  factors: grids.Factors = dataclasses.field(default_factory=dict)
  grid: bool = False
  preset: str = '64px'
  homepage: str = ''
  licence: str = ''
  citation: str = ''
  tfds_name: str = ''
  note: str = ''

  @property
  def files(self) -> tuple[originals.File, ...]:
    """The original files; none for what is made here."""
    return originals.FILES.get(self.name, ())

  @property
  def splits(self) -> tuple[str, ...]:
    """The splits that exist: `splits.split` makes them.

    The authors permuted the sets that are full grids; which pictures of the
    others they tested on follows the order of files that were not published.
    """
    kinds = ['random']
    if self.grid:
      kinds.append('authors')
    if self.name in ('celeba', 'smallnorb'):
      kinds.append('official')
    return tuple(kinds)

  @property
  def factor_names(self) -> tuple[str, ...]:
    """The F names of the factors."""
    return tuple(self.factors)

  @property
  def factor_sizes(self) -> tuple[int, ...]:
    """The F numbers of values of the factors."""
    return tuple(len(values) for values in self.factors.values())

  @property
  def factor_values(self) -> tuple[Sequence[grids.Value], ...]:
    """What the values of the F factors mean."""
    return tuple(self.factors.values())

  @property
  def constant_factors(self) -> tuple[str, ...]:
    """Names of the factors with a single value, which metrics must skip."""
    sizes = zip(self.factor_names, self.factor_sizes)
    return tuple(name for name, size in sizes if size == 1)

  @property
  def num_bytes(self) -> int | None:
    """Size of all images as uint8; None if N is unknown or without images."""
    if self.num_examples is None or len(self.image_shape) != 3:
      return None
    height, width, channels = self.image_shape
    return self.num_examples * height * width * channels


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
