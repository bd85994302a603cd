"""Which images train, which validate, which test: lists that never change.

Every list is sorted int32 image numbers, made by a generator that numpy has
frozen (`RandomState`), so that it is the same everywhere; its `digest` stands
in a run's config, in saved codes, and in a test.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

KINDS = ('random', 'authors', 'official')


class Splits(NamedTuple):
  """Image numbers of the three parts, each sorted, int32."""

  train: np.ndarray
  validation: np.ndarray
  test: np.ndarray


def split(
  num_images: int,
  seed: int = 0,
  kind: str = 'random',
  partition: np.ndarray | None = None,
) -> Splits:
  """Cuts a data set into training, validation and test images.

  Args:
    num_images: the number of images N.
    seed: of the permutation.
    kind: 'random' is 70-10-20 by a permutation. 'authors' has the test set of
      the paper's code (a fifth, whatever the seed) and a tenth of the rest for
      validation: 72-8-20. 'official' is what the data set itself prescribes;
      where that names no images for validation, a tenth of the training images.
    partition: for 'official', [N] with 0 training, 1 validation, 2 test.

  Returns:
    The parts: disjoint, and together all images.

  Raises:
    ValueError: if the kind is unknown, or there is no official partition.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 3; 'authors':
    https://github.com/felixludos/learn_rep.
  """
  if kind == 'random':
    order = np.random.RandomState(seed).permutation(num_images)
    first, second = num_images * 7 // 10, num_images * 8 // 10
    return _sorted(order[:first], order[first:second], order[second:])
  if kind == 'authors':
    order = np.random.RandomState(0).permutation(num_images)
    num_test = int(num_images * 0.2)
    rest, test = np.split(order, [num_images - num_test])
    return _sorted(*_validated(np.sort(rest), seed), test)
  if kind == 'official':
    if partition is None:
      raise ValueError(
        'There is no official split here: the data set prescribes none, or '
        'its partition file was missing when it was prepared.'
      )
    train, validation, test = (
      np.flatnonzero(partition == part) for part in range(3)
    )
    if not len(validation):
      train, validation = _validated(train, seed)
    return _sorted(train, validation, test)
  raise ValueError(
    f'Unknown split {kind!r}; expected one of {", ".join(KINDS)}.'
  )


def _validated(rest: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
  """Takes a tenth of the images, by a permutation, for validation."""
  rest = np.random.RandomState(seed).permutation(rest)
  first = len(rest) - int(len(rest) * 0.1)
  return rest[:first], rest[first:]


def _sorted(*parts: np.ndarray) -> Splits:
  return Splits(*(np.sort(part).astype(np.int32) for part in parts))


def digest(indices: np.ndarray) -> str:
  """A sha256 over a list of image numbers, in hexadecimal digits."""
  return hashlib.sha256(np.asarray(indices, '<i8').tobytes()).hexdigest()


def matching(
  factors: np.ndarray,
  factor_names: Sequence[str],
  values: Mapping[str, Sequence[int]],
) -> np.ndarray:
  """Tells which rows have one of the given values in every named factor.

  Args:
    factors: int [N, F].
    factor_names: F names.
    values: factor name -> indices of its values.

  Returns:
    bool [N].

  Raises:
    ValueError: if a factor is unknown.
  """
  rows = np.ones(len(factors), bool)
  for name, allowed in values.items():
    if name not in factor_names:
      raise ValueError(
        f'Unknown factor {name!r}; there are: {", ".join(factor_names)}.'
      )
    rows &= np.isin(factors[:, factor_names.index(name)], allowed)
  return rows


def hold_out(
  parts: Splits,
  factors: Callable[[np.ndarray], np.ndarray],
  factor_names: Sequence[str],
  values: Mapping[str, Sequence[int]],
) -> tuple[Splits, Splits]:
  """Parts every list into images without and with certain factor values.

  The paper's extrapolation trains on the first and asks how the second is
  encoded and decoded.

  Args:
    parts: the split to part.
    factors: image numbers [B] -> factors [B, F].
    factor_names: F names.
    values: what is held out, see `hold_out.parse`: factor name -> indices of
      its values.

  Returns:
    The images that stay, and the novel ones.
  """
  kept, novel = [], []
  for part in parts:
    rows = matching(factors(part), factor_names, values)
    kept.append(part[~rows])
    novel.append(part[rows])
  return Splits(*kept), Splits(*novel)
