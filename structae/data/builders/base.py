"""What our builders share: features from the catalog, examples from readers."""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from structae.data import catalog, files, readers
from structae.data.readers import reading


@dataclasses.dataclass
class Config(tfds.core.BuilderConfig):
  """A variant of a data set.

  Attributes:
    data_set: its catalog entry.
    verify: whether sizes and checksums must be the published ones.
  """

  data_set: catalog.DataSet | None = None
  verify: bool = True


def config(name: str, data_set: str) -> Config:
  """The variant `name`, of the catalog's `data_set`."""
  entry = catalog.CATALOG[data_set]
  return Config(name=name, description=entry.title, data_set=entry)


def instructions(*data_sets: str) -> str:
  """Tells which files belong into the folder of manual downloads."""
  wanted = {
    files.describe(file): None
    for name in data_sets
    for file in catalog.CATALOG[name].files
  }
  return 'Put into manual_dir, as the variant needs: ' + '; '.join(wanted)


class FactorBuilder(
  tfds.core.GeneratorBasedBuilder,
  skip_registration=True,  # type: ignore[call-arg]
):
  """A builder of images with factors, from files fetched by hand.

  Subclasses set `VERSION`, `RELEASE_NOTES`, `BUILDER_CONFIGS` and
  `MANUAL_DOWNLOAD_INSTRUCTIONS`.
  """

  def _data_set(self) -> catalog.DataSet:
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
    paths = files.find(data_set, place)
    assert isinstance(self.builder_config, Config)
    if self.builder_config.verify:
      files.verify(data_set, files.identify(paths))
    return {'train': self._generate_examples(paths)}

  def _generate_examples(
    self, paths: dict[str, pathlib.Path]
  ) -> Iterator[tuple[int, dict[str, Any]]]:
    data_set = self._data_set()
    opened = readers.open_original(data_set, paths, self._side())
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


def _factors(opened: readers.Reading, rows: np.ndarray) -> np.ndarray:
  if opened.factors is None:
    return reading.grid_factors(rows, opened.factor_sizes)
  return opened.factors[rows]
