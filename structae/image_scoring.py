"""The sets of images of a run, scored beside real ones by FID and its kin."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from structae.data import splits

Trained = Any
from structae.evaluation.codes import Codes
from structae.evaluation.images import compare as image_scores
from structae.evaluation.images import files as image_files
from structae.evaluation.images import weights as inception_weights
from structae.evaluation.images.weights import Weights

# What the images of each set are.
SETS = {
  'rec': 'reconstructions of test images',
  'hybrid': 'hybrid samples, whole variables recombined',
  'hybrid_by_dimension': 'hybrid samples, single numbers recombined',
  'prior': 'samples of the prior',
}
_BATCHES_AT_ONCE = 8


def score_or_say(
  run: Trained,
  codes: dict[str, Codes],
  metrics: Sequence[str],
  say: Callable[[str], None],
  find_weights: Callable[[], Weights] = inception_weights.load_weights,
) -> dict[str, dict[str, Any]]:
  """As `score`; without weights, says so and lists the scores as missing.

  Args:
    run: the trained model.
    codes: the codes `train` and `test`.
    metrics: names out of `metrics.IMAGE_METRICS`.
    say: tells a person what is the matter.
    find_weights: reads the weights; by default the published ones, if they are
      on this machine.
  """
  try:
    if len(run.source.image_shape) != 3:
      raise ValueError(f'{run.source.name} has no images.')
    weights = find_weights()
  except (ValueError, OSError) as error:
    say(f'{", ".join(metrics)}: {error}')
    absent = isinstance(error, FileNotFoundError)
    reason = 'no Inception weights' if absent else str(error)
    entries: dict[str, dict[str, Any]] = {}
    for name in _code_sets(run, codes, np.arange(1)):
      entries |= _named(image_scores.missing(metrics, reason), name)
    return entries
  return score(run, codes, metrics, weights, say)


def score(
  run: Trained,
  codes: dict[str, Codes],
  metrics: Sequence[str],
  weights: Weights,
  say: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
  """Scores reconstructions and samples beside the test images.

  There are `evaluation.num_fid_images` of each. A smaller test set is gone
  through again; each entry's `n_distinct` says how many different images there
  are.

  Args:
    run: the trained model.
    codes: the codes `train` and `test`.
    metrics: names out of `metrics.IMAGE_METRICS`.
    weights: of the Inception network.
    say: tells a person what goes on.

  Returns:
    Scores by name, such as `fid_rec`; see `image_scores.compare`.
  """
  num, test = run.config.evaluation.num_fid_images, codes['test']
  distinct = min(num, len(test.codes))
  if distinct < num:
    say(f'{distinct:,} test images wrap around to {num:,}')
  # The saved codes are in the order of the data set, which is by factors.
  order = np.random.RandomState(0).permutation(len(test.codes))
  rows = np.resize(order, num)
  say(f'Inception features of {num:,} test images')
  numbers = test.indices[rows]
  real = image_scores.describe(
    lambda: _parts(run, run.doors.images, numbers),
    weights,
    metrics,
    cache=(cache_folder(), _name(run, numbers)),
  )
  entries: dict[str, dict[str, Any]] = {}
  for name, vectors in _code_sets(run, codes, rows).items():
    say(f'Inception features of {num:,} {SETS[name]}')
    images = lambda vectors=vectors: _parts(run, run.decode, vectors)
    generated = image_scores.describe(images, weights, metrics)
    found = image_scores.compare(real, generated, weights, metrics)
    for entry in found.values():
      entry['n_distinct'] = distinct
    entries |= _named(found, name)
  return entries


def cache_folder() -> Path:
  """Where the statistics of data sets are kept, beside the weights."""
  return inception_weights.cache_file().parent / 'feature_statistics'


def _name(run: Trained, numbers: np.ndarray) -> str:
  """Tells the real images from all others."""
  source = run.source
  shape = 'x'.join(map(str, source.image_shape))
  parts = [source.name, shape, source.digest[:12], f'{len(numbers)}']
  return '-'.join([*filter(None, parts), splits.digest(numbers)[:12]])


def _code_sets(
  run: Trained, codes: dict[str, Codes], rows: np.ndarray
) -> dict[str, np.ndarray]:
  """Codes by the name of their set: those of test rows, and as many samples."""
  key = jax.random.fold_in(jax.random.key(run.config.seed), 2)
  _, drawn = __import__('x')(run.config, codes['train'].codes, key, len(rows))
  found = {'rec': codes['test'].codes[rows]}
  return found | {name: np.asarray(c) for name, c in drawn.items()}


def _parts(
  run: Trained, function: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray
) -> Iterator[np.ndarray]:
  size = _BATCHES_AT_ONCE * run.config.evaluation.batch_size
  for start in range(0, len(inputs), size):
    yield function(inputs[start : start + size])


def _named(
  entries: dict[str, dict[str, Any]], name: str
) -> dict[str, dict[str, Any]]:
  """The entries of one set of images under its name."""
  return {
    f'{score}_{name}': {
      **entry, 'definition': f'{entry["definition"]}: {SETS[name]}'
    }
    for score, entry in entries.items()
  }  # fmt: skip


def score_files(
  real: Path,
  others: Path,
  metrics: Sequence[str],
  find_weights: Callable[[], Weights],
  num_images: int | None = None,
) -> dict[str, dict[str, Any]]:
  """Scores images from files, read a batch at a time.

  Args:
    real: a folder of pictures, or a file; see `image_files.stream`.
    others: what is compared with them.
    metrics: names out of `metrics.IMAGE_METRICS`.
    find_weights: reads the weights.
    num_images: at most so many of each, in order; None takes all.

  Returns:
    Scores by name; see `image_scores.compare`.

  Raises:
    ValueError: if a file does not hold images.
    FileNotFoundError: if there are no weights.
  """
  # First, so that a file that is no image is not found out after hours.
  for path in (real, others):
    next(image_files.stream(path, 1))
  weights = find_weights()
  described = []
  for path in (real, others):
    images = lambda path=path: image_scores.first(
      image_files.stream(path), num_images
    )
    described.append(image_scores.describe(images, weights, metrics))
  return image_scores.compare(described[0], described[1], weights, metrics)
