"""Builders for TensorFlow Datasets of the sets that it lacks.

They build and read without TensorFlow, in the form `array_record`:

```python
import tensorflow_datasets as tfds
from structae.data import builders

builder = builders.Mpi3d(config='toy', file_format='array_record')
builder.download_and_prepare(
  download_config=tfds.download.DownloadConfig(manual_dir='where/the/npz/is')
)
source = builder.as_data_source('train[:70%]')
```

Once this module is imported, `tfds.builder('mpi3d/toy')` finds them. Records
keep the order of the original files, so that a record's number is the image's
number everywhere in this project.
"""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from structae.data import originals, reading
from structae.data.data_set import DataSet
from structae.data.reading import Reading
from structae.data.sets import cars3d, mpi3d, rfd


@dataclasses.dataclass
class Config(tfds.core.BuilderConfig):
  """A variant of a data set.

  Attributes:
    data_set: its row.
    verify: whether sizes and checksums must be the published ones.
  """

  data_set: DataSet | None = None
  verify: bool = True


def _configs(*data_sets: DataSet) -> list[Config]:
  """The variants of a builder, one for each set."""
  return [
    Config(name=_variant(entry), description=entry.title, data_set=entry)
    for entry in data_sets
  ]


def _variant(data_set: DataSet) -> str:
  """The name of a variant, after the slash."""
  assert data_set.tfds is not None
  return data_set.tfds.name.split('/')[1]


def _instructions(*data_sets: DataSet) -> str:
  """Lists the files that belong into the folder of manual downloads."""
  wanted = {file.describe(): None for row in data_sets for file in row.files}
  return 'Put into manual_dir, as the variant needs: ' + '; '.join(wanted)


class FactorBuilder(
  tfds.core.GeneratorBasedBuilder,
  skip_registration=True,  # type: ignore[call-arg]
):
  """A builder of images with factors, from files fetched by hand.

  Subclasses set `VERSION`, `RELEASE_NOTES`, `BUILDER_CONFIGS` and
  `MANUAL_DOWNLOAD_INSTRUCTIONS`.
  """

  def _data_set(self) -> DataSet:
    assert isinstance(self.builder_config, Config)
    assert self.builder_config.data_set is not None
    return self.builder_config.data_set

  def _side(self) -> int:
    """Pictures are kept as large as the files hold them."""
    return max(self._data_set().sizes)

  def _info(self) -> tfds.core.DatasetInfo:
    data_set = self._data_set()
    shape = (self._side(), self._side(), data_set.image_shape[2])
    features: dict[str, Any] = {
      # Raw bytes: pixels are exact, and neither way needs TensorFlow.
      'image': tfds.features.Tensor(
        shape=shape, dtype=np.uint8, encoding=tfds.features.Encoding.BYTES
      )
    }
    for name, values in data_set.factors.items():
      named = isinstance(values[0], str)
      features[f'label_{name}'] = tfds.features.ClassLabel(
        **{'names': list(values)} if named else {'num_classes': len(values)}
      )
    return tfds.core.DatasetInfo(
      builder=self,
      description=f'{data_set.title}. {data_set.note}'.strip(),
      features=tfds.features.FeaturesDict(features),
      homepage=data_set.homepage,
      citation=data_set.citation,
      license=data_set.licence,
      # A record's number is the image's number.
      disable_shuffling=True,
    )

  def _split_generators(
    self, dl_manager: tfds.download.DownloadManager
  ) -> dict[str, Any]:
    data_set = self._data_set()
    place = pathlib.Path(dl_manager.manual_dir)
    paths = originals.find(data_set, place)
    assert isinstance(self.builder_config, Config)
    if self.builder_config.verify:
      originals.verify(data_set, originals.identify(paths))
    return {'train': self._generate_examples(paths)}

  def _generate_examples(
    self, paths: dict[str, pathlib.Path]
  ) -> Iterator[tuple[int, dict[str, Any]]]:
    data_set = self._data_set()
    opened = originals.open_original(data_set, paths, self._side())
    for start in range(0, opened.num_examples, opened.block):
      stop = min(start + opened.block, opened.num_examples)
      images = opened.read(start, stop)
      if opened.corrupt:
        row, why = next(iter(opened.corrupt.items()))
        raise ValueError(f'{data_set.title}: image {row} is unreadable: {why}.')
      factors = _factors(opened, np.arange(start, stop))
      for row, image, values in zip(range(start, stop), images, factors):
        labels = zip(opened.factor_names, values.tolist())
        yield row, {'image': image, **{f'label_{n}': v for n, v in labels}}


def _factors(opened: Reading, rows: np.ndarray) -> np.ndarray:
  if opened.factors is None:
    return reading.grid_factors(rows, opened.factor_sizes)
  return opened.factors[rows]


class Cars3d(FactorBuilder):
  """Cars3D, at its full 128 pixels.

  Source: Reed et al., Deep Visual Analogy-Making, NeurIPS 2015.
  """

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES = {'1.0.0': 'Initial release.'}
  BUILDER_CONFIGS = _configs(cars3d.DATA_SET)
  MANUAL_DOWNLOAD_INSTRUCTIONS = _instructions(cars3d.DATA_SET)


class Mpi3d(FactorBuilder):
  """MPI3D: toy, realistic, real and complex.

  Source: Gondal et al., https://arxiv.org/abs/1906.03292.
  """

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES = {'1.0.0': 'Initial release.'}
  BUILDER_CONFIGS = _configs(*mpi3d.DATA_SETS)
  MANUAL_DOWNLOAD_INSTRUCTIONS = _instructions(*mpi3d.DATA_SETS)


class Rfd(FactorBuilder):
  """The robot finger data: simulated, held-out colours, photographs.

  Source: Dittadi et al., https://arxiv.org/abs/2010.14407.
  """

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES = {'1.0.0': 'Initial release.'}
  BUILDER_CONFIGS = _configs(*rfd.DATA_SETS)
  MANUAL_DOWNLOAD_INSTRUCTIONS = _instructions(*rfd.DATA_SETS)
