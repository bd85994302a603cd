"""From a checked config to the images: of what, which of them, with what."""

from typing import Any

import numpy as np

from structae import config as config_lib
from structae.data import catalog, hold_out, labels, pairs, sources, splits


def source(config: Any) -> sources.Source:
  """Opens the data set of `config.data`, and prepares it where it must be.

  Args:
    config: a checked configuration.

  Raises:
    ConfigError: if its files are missing, damaged or of another form.
  """
  data = config.data
  crop = int(data.crop) if data.crop.isdecimal() else data.crop or None
  try:
    return sources.load(
      data.name,
      data.size,
      data.path,
      storage=data.storage,
      crop=crop,
      verify=data.verify,
      skip_corrupt=data.skip_corrupt,
    )
  except (ValueError, OSError) as error:
    raise config_lib.ConfigError(' '.join(str(error).split())) from error


def split(config: Any, images: sources.Source) -> splits.Splits:
  """The images that train, validate and test.

  Args:
    config: a checked configuration.
    images: its data set.

  Raises:
    ConfigError: if there is no such split of this set, a part is empty, or
      the objective needs more images to train on.
  """
  data = config.data
  try:
    parts = splits.split(
      images.size, data.split_seed, data.split, images.extras.get('partition')
    )
  except ValueError as error:
    raise config_lib.ConfigError(f'data.split: {error}') from error
  whole = parts
  if data.hold_out != 'none':
    parts, _ = splits.hold_out(
      parts, images.factors, images.factor_names, held_out(config, images)
    )
    if all(len(a) == len(b) for a, b in zip(parts, whole)):
      raise config_lib.ConfigError(
        f'data.hold_out is {data.hold_out}, which no image of {images.name} '
        'shows; hold out what some show'
      )
  for name, part in parts._asdict().items():
    if not len(part):
      without = f' without {data.hold_out}' * (data.hold_out != 'none')
      raise config_lib.ConfigError(
        f'{images.name} has {images.size} images, of which the {data.split} '
        f'split{without} leaves none for {name}; 10 are always enough'
        + ', or hold out less'
        * bool(without)
      )
  batch_size, num = config.train.batch_size, len(parts.train)
  if config.objective.name == 'beta_tcvae' and batch_size > num:
    raise config_lib.ConfigError(
      f'train.batch_size is {batch_size}; beta_tcvae, which weighs a batch '
      f'against all training images, takes {num} at most, as many as there are'
    )
  return parts


def held_out(config: Any, images: sources.Source) -> dict[str, tuple[int, ...]]:
  """The factor values that no image shows, see `hold_out.parse`.

  Args:
    config: a checked configuration that holds something out.
    images: its data set.

  Raises:
    ConfigError: on a factor or a value that the set does not have.
  """
  factors = catalog.get(config.data.name).factors or hold_out.unnamed(
    images.factor_names, images.factor_sizes
  )
  try:
    return hold_out.parse(config.data.hold_out, factors)
  except ValueError as error:
    raise config_lib.ConfigError(f'data.hold_out: {error}') from error


def digests(config: Any, images: sources.Source) -> dict[str, str]:
  """What a run is trained on, in checksums.

  Returns:
    'data': of the images, factors and extras, '' if they are made here;
    'train': of the numbers of the training images.
  """
  train = split(config, images).train
  return {'data': images.digest, 'train': splits.digest(train)}


def has_labels(config: Any) -> bool:
  """Whether the loss sees the factors of any example."""
  return bool(config.labels.weight and config.labels.fraction)


def labelled(
  config: Any, images: sources.Source, part: np.ndarray
) -> sources.Source:
  """The source of training batches: with pairs or labels that a loss asks for.

  Args:
    config: a checked configuration.
    images: the data set.
    part: the numbers of the training images.

  Raises:
    ConfigError: if the images stay on the host.
  """
  settings, seed = config.labels, config.data.split_seed
  try:
    if settings.pairs:
      images = pairs.with_pairs(images, part, settings.pairs, config.seed)
    if has_labels(config):
      known = labels.choose(part, settings.fraction, seed)
      images = labels.with_labels(images, known)
  except ValueError as error:
    raise config_lib.ConfigError(str(error)) from error
  return images
