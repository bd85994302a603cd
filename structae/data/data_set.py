"""What is known of a data set without opening it."""

import dataclasses
from collections.abc import Sequence

from structae.data import grids, originals, splits


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
  def made_here(self) -> bool:
    """Whether it is computed, not read."""
    return self.name in ('shapes3d_synth', 'arm_synth')

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
  def hold_outs(self) -> tuple[str, ...]:
    """The factor values that a run can do without: `splits.EXTRAPOLATION`."""
    known = self.name in ('shapes3d', 'shapes3d_synth')
    return ('none', *(splits.EXTRAPOLATION if known else ()))

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
