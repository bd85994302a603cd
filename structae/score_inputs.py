"""What there is of a trained model and its data to score."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import jax
import numpy as np

from structae import keys as keys_lib
from structae.config import ConfigError
from structae.data import catalog, sources, splits
from structae.data.selection import Selection
from structae.evaluation.codes import Codes
from structae.evaluation.images import weights as inception_weights
from structae.evaluation.images.weights import Weights
from structae.evaluation.inputs import Images, ImageSets, Inputs
from structae.model import Model

_BATCHES_AT_ONCE = 8


def of_model(
  model: Model,
  source: sources.Source,
  codes: Mapping[str, Codes],
  log: Callable[[str], None],
  *,
  samples: Mapping[str, np.ndarray] | None = None,
  order: np.ndarray | None = None,
  num_images: int | None = None,
  find_weights: Callable[[], Weights] = inception_weights.load_weights,
) -> Inputs:
  """All that the scores of a model need.

  Args:
    model: the model, with stored codes.
    source: its data.
    codes: its codes `train`, `test` and, to draw points from, `validation`.
    log: takes lines about what cannot be scored.
    samples: decoded samples by kind; scenes are compared to none without them.
    order: the test examples in the order in which they are shown.
    num_images: of each set that FID and its kin compare, as far as there are
      test images; by default `evaluation.num_fid_images`.
    find_weights: reads the weights of Inception; by default the published
      ones, if they are on this machine.
  """
  shown = None
  if samples and order is not None:
    shown = order[: len(samples['hybrid'])]
  read = _reader(model, source)
  num = num_images or model.config.evaluation.num_fid_images
  image_sets = lambda: _image_sets(
    model, source, codes['test'], num, find_weights, log
  )
  has_scenes = catalog.get(source.name).scene_distance
  return Inputs(
    train=codes['train'],
    test=codes['test'],
    validation=codes.get('validation'),
    decode=model.decode,
    in_order=model.config.model.decoder not in ('hourglass', 'graph'),
    examples=read,
    reconstruct=lambda indices: model.errors(Selection(source, indices)),
    reconstruct_sampled=lambda indices: model.errors(
      Selection(source, indices), keys_lib.of_seed(model.config.seed).scored
    ),
    render=lambda factors: _render(source, factors, read),
    scenes=source.arrays if has_scenes else None,
    samples=samples or {},
    shown=shown,
    image_sets=image_sets if len(source.image_shape) == 3 else None,
    log=log,
  )


def check_codes(model: Model, codes: Mapping[str, Codes]) -> None:
  """Refuses codes that another state of a run has made.

  Raises:
    ConfigError: names the part, and what differs.
  """
  for name, part in codes.items():
    for key in ('step', 'config_hash'):
      if part.meta.get(key) != model.about[key]:
        raise ConfigError(
          f'the {name} codes are of {key} {part.meta.get(key)}, the checkpoint '
          f'of {model.about[key]}; run the training command again'
        )


def _reader(
  model: Model, source: sources.Source
) -> Callable[[np.ndarray], np.ndarray]:
  size = model.config.evaluation.batch_size
  return lambda indices: Selection(source, indices).read(size)


def _render(
  source: sources.Source,
  factors: np.ndarray,
  read: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
  """The images of combinations of factors `[N, F]`."""
  sizes = source.factor_sizes
  if int(np.prod(sizes, dtype=np.int64)) != source.size:
    raise ValueError(
      f'{source.name} does not show every combination of its factors, which '
      'the levels of factors take.'
    )
  indices = np.ravel_multi_index(tuple(factors.T), sizes)
  if (source.factors(indices) != factors).any():
    raise ValueError(f'{source.name} is not in the order of its factors.')
  return read(indices.astype(np.int32))


def _image_sets(
  model: Model,
  source: sources.Source,
  test: Codes,
  num: int,
  find_weights: Callable[[], Weights],
  log: Callable[[str], None],
) -> ImageSets:
  """Test images, their reconstructions, and samples of every kind.

  There are `num` samples of each kind. A smaller test set is taken once: images
  that were repeated would be their own nearest neighbours.
  """
  distinct = min(num, len(test.codes))
  if distinct < num:
    log(f'{distinct:,} test images beside {num:,} samples of each kind')
  # The saved codes are in the order of the data set, which is by factors.
  order = np.random.RandomState(0).permutation(len(test.codes))
  rows = order[:distinct]
  key = keys_lib.of_seed(model.config.seed).scored
  keys = jax.random.split(key, max(len(model.kinds), 1))
  vectors = {'rec': test.codes[rows]}
  for kind, own in zip(model.kinds, keys):
    vectors[kind] = np.asarray(model.sample_codes(own, num, kind))
  indices = test.indices[rows]
  shape = 'x'.join(map(str, source.image_shape))
  parts = [source.name, shape, source.digest[:12], f'{distinct}']
  name = '-'.join([*filter(None, parts), splits.digest(indices)[:12]])
  size = _BATCHES_AT_ONCE * model.config.evaluation.batch_size
  return ImageSets(
    real=_batches(_reader(model, source), indices, size),
    others={of: _batches(model.decode, x, size) for of, x in vectors.items()},
    weights=find_weights,
    cache=(cache_folder(), name),
  )


def cache_folder() -> Path:
  """Where the statistics of data sets are kept, beside the weights."""
  return inception_weights.cache_file().parent / 'feature_statistics'


def _batches(
  function: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, size: int
) -> Images:
  def batches() -> Iterator[np.ndarray]:
    for start in range(0, len(inputs), size):
      yield function(inputs[start : start + size])

  return batches
