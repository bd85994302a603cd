"""What is known of a data set without opening it: a row of the catalogue."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from structae.data.reading import Originals, Reading

Value = str | int | float | tuple[float, ...]
Factors = Mapping[str, Sequence[Value]]


def linspace(low: float, high: float, num: int) -> tuple[float, ...]:
  """`num` values of a factor, equally far apart, rounded to six digits."""
  step = (high - low) / (num - 1)
  return tuple(round(low + i * step, 6) for i in range(num))


@dataclasses.dataclass(frozen=True)
class File:
  """One original file of a data set.

  Sizes and SHA-256 values are those that TensorFlow Datasets records for the
  same addresses. MD5 values are those that https://github.com/nmichlo/disent
  records. Where no source states one, none is given, and none is checked.

  Attributes:
    name: the file's published name.
    urls: addresses that serve it, best first.
    num_bytes: its size; None where no source states it.
    sha256: its checksum, or '' if unknown.
    md5: its MD5, or '' if unknown (many sets publish only this one).
    strict: whether another checksum is an error, or a warning since the
      published file is known to have been replaced.
    aliases: other names or forms under which it circulates; these are read
      too, without a checksum.
    optional: whether the set can be prepared without it.
  """

  name: str
  urls: tuple[str, ...] = ()
  num_bytes: int | None = None
  sha256: str = ''
  md5: str = ''
  strict: bool = True
  aliases: tuple[str, ...] = ()
  optional: bool = False

  def describe(self) -> str:
    """The file in words: its name, size, checksum and address."""
    parts = []
    if self.num_bytes is not None:
      parts.append(f'{self.num_bytes:,} bytes')
    if self.sha256:
      parts.append(f'sha256 {self.sha256}')
    elif self.md5:
      parts.append(f'md5 {self.md5}')
    details = f' ({", ".join(parts)})' if parts else ''
    return f'{self.name}{details} from {self.urls[0]}'


@dataclasses.dataclass(frozen=True)
class Crop:
  """How pictures of a set become square.

  Attributes:
    choices: what may be asked for: names, or numbers of pixels.
    default: what is taken if nothing is asked for.
  """

  choices: Sequence[int | str]
  default: int | str

  def __str__(self) -> str:
    """What may be asked for, in words."""
    if isinstance(self.choices, range):
      low, high = self.choices[0], self.choices[-1]
      return f'a number of pixels from {low} to {high}'
    return ' or '.join(map(str, self.choices))


@dataclasses.dataclass(frozen=True)
class Tfds:
  """How TensorFlow Datasets stores a set.

  Attributes:
    name: the builder, and its variant after a slash.
    labels: factor -> its feature, where that is not 'label_' and the factor's
      name; 'a/b' is the entry b of the feature a.
    extras: extra -> its feature.
    scale: what its pixels are multiplied by to reach 255.
  """

  name: str
  labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
  extras: Mapping[str, str] = dataclasses.field(default_factory=dict)
  scale: int = 1


@dataclasses.dataclass(frozen=True)
class DataSet:
  """One data set: what a user may know of it, and how it comes into being.

  Either `read` opens its original files, or `make` computes it.

  Attributes:
    name: the name by which configs and commands call it.
    title: its name in prose.
    image_shape: (H, W, C) at its usual size, (X,) for feature vectors; ()
      where the user's files decide.
    sizes: the image sizes it can be made at, in pixels, 1 for feature vectors;
      () means any.
    num_examples: N; None where only the files show it.
    factors: F names, each with what its values mean. A factor with a single
      value is constant, and no metric may use it.
    periodic: names of the factors whose last value is next to their first:
      hues, full turns. Two numbers, on a circle, may hold one of these.
    grid: whether the images are the full factor grid in row-major order (last
      factor fastest), so that an index determines every factor:
      `index = (((i_0 * n_1 + i_1) * n_2 + i_2) ...) * n_F + i_F`.
    read: opens the original files.
    make: size -> what the device holds, and the images as a function of that
      and their indices; see `sources.Source`.
    files: the original files.
    crop: how its pictures become square; None where they are, or where there
      is no choice.
    official: whether it prescribes a split, as its extra `partition`.
    hold_outs: names of what a run can do without: 'none' and keys of
      `hold_out.NAMED`; factor values can be named in any case.
    scene_distance: whether its images are the scenes of `shapes3d_synth`, so
      that `evaluation.scene_distance` finds the nearest one to an image.
    preset: the settings for it: '64px', '128px', 'rfd' or 'vectors'.
    homepage: where it is described.
    licence: its terms.
    citation: whom to cite.
    tfds: how TensorFlow Datasets stores it; None if it has no builder.
    note: what a user must know, in a sentence or two.
  """

  name: str
  title: str
  image_shape: tuple[int, ...]
  sizes: tuple[int, ...]
  num_examples: int | None
  factors: Factors = dataclasses.field(default_factory=dict)
  periodic: tuple[str, ...] = ()
  grid: bool = False
  read: Callable[['DataSet', Originals], Reading] | None = None
  make: Callable[[int], tuple[Any, Callable]] | None = None
  files: tuple[File, ...] = ()
  crop: Crop | None = None
  official: bool = False
  hold_outs: tuple[str, ...] = ('none',)
  scene_distance: bool = False
  preset: str = '64px'
  homepage: str = ''
  licence: str = ''
  citation: str = ''
  tfds: Tfds | None = None
  note: str = ''

  @property
  def made_here(self) -> bool:
    """Whether it is computed, not read."""
    return self.make is not None

  @property
  def needs_path(self) -> bool:
    """Whether it has no published files: the user must name the place."""
    return not (self.made_here or self.files)

  @property
  def splits(self) -> tuple[str, ...]:
    """The splits that exist: `splits.split` makes them.

    The authors permuted the sets that are full grids; which pictures of the
    others they tested on follows the order of files that were not published.
    """
    authors = ('authors',) if self.grid else ()
    return 'random', *authors, *(('official',) if self.official else ())

  @property
  def factor_names(self) -> tuple[str, ...]:
    """The F names of the factors."""
    return tuple(self.factors)

  @property
  def factor_sizes(self) -> tuple[int, ...]:
    """The F numbers of values of the factors."""
    return tuple(len(values) for values in self.factors.values())

  @property
  def constant_factors(self) -> tuple[str, ...]:
    """Names of the factors with a single value, which metrics must skip."""
    return tuple(n for n, values in self.factors.items() if len(values) == 1)

  @property
  def num_bytes(self) -> int | None:
    """Size of all images as uint8; None if N is unknown or without images."""
    if self.num_examples is None or len(self.image_shape) != 3:
      return None
    height, width, channels = self.image_shape
    return self.num_examples * height * width * channels

  def checked_crop(self, crop: int | str | None) -> int | str:
    """The crop that is asked for, or the default; '' if there is no choice.

    Raises:
      ValueError: if the set does not offer it.
    """
    if self.crop is None:
      if crop is not None:
        raise ValueError(f'{self.name} has no crop; leave it out.')
      return ''
    if crop is None:
      return self.crop.default
    if crop not in self.crop.choices:
      raise ValueError(f'The crop of {self.name} is {self.crop}, got {crop!r}.')
    return crop
