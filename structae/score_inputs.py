"""What there is of a trained run to score."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import jax
import numpy as np

from structae import samples as sampling_lib
from structae.data import splits
from structae.doors import Trained
from structae.evaluation.codes import Codes
from structae.evaluation.images import weights as inception_weights
from structae.evaluation.images.weights import Weights
from structae.evaluation.inputs import Images, ImageSets, Inputs

_BATCHES_AT_ONCE = 8


def of_run(
  run: Trained,
  codes: Mapping[str, Codes],
  log: Callable[[str], None],
  *,
  samples: Mapping[str, np.ndarray] | None = None,
  order: np.ndarray | None = None,
  find_weights: Callable[[], Weights] = inception_weights.load_weights,
) -> Inputs:
  """All that a run's scores need.

  Args:
    run: the trained model.
    codes: the codes `train` and `test`.
    log: takes lines about what cannot be scored.
    samples: decoded samples by kind; scenes are compared to none without them.
    order: the test examples in the order in which they are shown.
    find_weights: reads the weights of Inception; by default the published
      ones, if they are on this machine.
  """
  source = run.source
  shown = None
  if samples and order is not None:
    shown = order[: len(samples['hybrid'])]
  has_images = len(source.image_shape) == 3
  return Inputs(
    train=codes['train'],
    test=codes['test'],
    decode=run.decode,
    in_order=run.config.model.decoder != 'hourglass',
    examples=run.doors.images,
    reconstruct=lambda indices: run.doors.reconstruct(run.params, indices),
    render=lambda factors: _render(run, factors),
    scenes=source.arrays if source.name == 'shapes3d_synth' else None,
    samples=samples or {},
    shown=shown,
    image_sets=(
      (lambda: _image_sets(run, codes, find_weights, log))
      if has_images
      else None
    ),
    log=log,
  )


def _render(run: Trained, factors: np.ndarray) -> np.ndarray:
  """The images of combinations of factors `[N, F]`."""
  source, sizes = run.source, run.source.factor_sizes
  if int(np.prod(sizes, dtype=np.int64)) != source.size:
    raise ValueError(
      f'{source.name} does not show every combination of its factors, which '
      'the levels of factors take.'
    )
  indices = np.ravel_multi_index(tuple(factors.T), sizes)
  if (source.factors(indices) != factors).any():
    raise ValueError(f'{source.name} is not in the order of its factors.')
  return run.doors.images(indices.astype(np.int32))


def _image_sets(
  run: Trained,
  codes: Mapping[str, Codes],
  find_weights: Callable[[], Weights],
  log: Callable[[str], None],
) -> ImageSets:
  """Test images, their reconstructions, and as many samples.

  There are `evaluation.num_fid_images` of each; a smaller test set is gone
  through again.
  """
  test, source = codes['test'], run.source
  num = run.config.evaluation.num_fid_images
  distinct = min(num, len(test.codes))
  if distinct < num:
    log(f'{distinct:,} test images wrap around to {num:,}')
  # The saved codes are in the order of the data set, which is by factors.
  order = np.random.RandomState(0).permutation(len(test.codes))
  rows = np.resize(order, num)
  key = jax.random.fold_in(jax.random.key(run.config.seed), 2)
  _, drawn = sampling_lib.codes(run.config, codes['train'].codes, key, num)
  vectors = {'rec': test.codes[rows]}
  vectors |= {of: np.asarray(x) for of, x in drawn.items()}
  indices = test.indices[rows]
  shape = 'x'.join(map(str, source.image_shape))
  parts = [source.name, shape, source.digest[:12], f'{num}']
  name = '-'.join([*filter(None, parts), splits.digest(indices)[:12]])
  size = _BATCHES_AT_ONCE * run.config.evaluation.batch_size
  return ImageSets(
    real=_batches(run.doors.images, indices, size),
    others={of: _batches(run.decode, x, size) for of, x in vectors.items()},
    weights=find_weights,
    cache=(cache_folder(), name),
    sizes={'n_distinct': distinct},
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
