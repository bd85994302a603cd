"""Variable effect: how much of an image depends on one variable.

Some variables of a structural decoder have no effect: its Str-Tfm layers start
as identities, and one that is not needed may stay so.

Sources: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.3.1; Saltelli
et al., Computer Physics Communications 181, 2010.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs

# The least of the six factors of 3D-Shapes, the camera's angle, has 2.7 % of
# the pixels' variance, so no factor is below this; and an average over 128
# codes distinguishes it from 0.
USED = 0.01


class Indices(NamedTuple):
  """Sobol' indices: the shares of a function's variance due to its inputs.

  Attributes:
    main: `[K]`, what input k explains alone, averaged over all others.
    total: `[K]`, what is lost if all but input k are known. The two agree
      where the function is a sum over its inputs.
  """

  main: np.ndarray
  total: np.ndarray


def variable_effect(
  decode: Callable[[np.ndarray], ArrayLike],
  codes: ArrayLike,
  *,
  num_partners: int = 1,
  threshold: float = USED,
  seed: int = 0,
) -> dict[str, Any]:
  """Computes the effect of replacing each variable alone on the image.

  Variable k of a stored code is replaced by that of another one, a partial
  hybrid. Its effect is the mean squared change of the image over twice the
  variance of decoded images, pixel by pixel and then averaged: for independent
  variables the total Sobol' index, which is 1 where all depends on k. A
  variable without effect has 0; effects sum to 1 or, where variables act
  together, to more.

  Args:
    decode: `[B, K, D]` to images or vectors `[B, ...]`, for any B.
    codes: `[N, K, D]` stored codes, N of 2 or more.
    num_partners: the number of codes each takes replacements from, 1 ... N - 1;
      N + N K num_partners codes are decoded.
    threshold: the smallest effect of a variable that counts as used.
    seed: of the choice of partners.

  Returns:
    `variable_effect` `[K, 1]`, in decoder order; `used_variables`, the
    number that reach the threshold; the settings.

  Raises:
    ValueError: if the codes are unfit, or all are decoded alike.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.3.1; the
    estimator is that of Jansen, Computer Physics Communications 117, 1999.
  """
  codes = np.asarray(codes)
  if codes.ndim != 3 or len(codes) < 2:
    raise ValueError(
      f'codes must be [N, K, D] with N of 2 or more, got shape {codes.shape}.'
    )
  inputs.check_finite(codes, 'codes')
  if not 1 <= num_partners < len(codes):
    raise ValueError(
      f'num_partners is {num_partners}, expected 1 ... {len(codes) - 1}: '
      'others among the codes.'
    )
  shuffled = codes[np.random.RandomState(seed).permutation(len(codes))]
  images = _flat(decode(shuffled))
  variance = _variance(images)
  effect = np.zeros(codes.shape[1])
  for shift in range(1, num_partners + 1):  # never onto itself
    others = np.roll(shuffled, shift, axis=0)
    for k in range(codes.shape[1]):
      change = _flat(decode(_exchanged(shuffled, others, k))) - images
      effect[k] += _mean(change**2) / (2 * variance)
  effect /= num_partners
  inputs.check_answer(effect)
  return {
    'used_variables': int((effect >= threshold).sum()),
    'variable_effect': effect[:, None],
    'threshold': threshold,
    'num_codes': len(codes),
    'num_partners': num_partners,
    'seed': seed,
  }


def sobol(
  function: Callable[[np.ndarray], ArrayLike], a: np.ndarray, b: np.ndarray
) -> Indices:
  """Estimates main and total Sobol' indices of K independent inputs.

  Args:
    function: `[N, K]` or `[N, K, D]` to numbers `[N, ...]`; the variances of
      these are added up.
    a: N draws of the inputs.
    b: N more, independent of the first; the function is called on N (K + 2).

  Returns:
    Estimates; those of `main` may be a little below 0.

  Raises:
    ValueError: if the function is constant on the draws.

  Source: Saltelli et al., Computer Physics Communications 181, 2010, table 2,
    (b) for the main and (f) for the total index.
  """
  at_a, at_b = _flat(function(a)), _flat(function(b))
  both = np.concatenate([at_a, at_b])
  variance, centred = _variance(both), at_b - both.mean(0)
  main, total = np.zeros((2, a.shape[1]))
  for k in range(a.shape[1]):
    change = _flat(function(_exchanged(a, b, k))) - at_a
    main[k] = _mean(centred * change) / variance
    total[k] = _mean(change**2) / (2 * variance)
  inputs.check_answer(main, total)
  return Indices(main, total)


def _exchanged(a: np.ndarray, b: np.ndarray, k: int) -> np.ndarray:
  mixed = a.copy()
  mixed[:, k] = b[:, k]
  return mixed


def _flat(values: ArrayLike) -> np.ndarray:
  array = np.asarray(values)
  # Bytes wrap around when subtracted; float64 stays what it is.
  kind = np.result_type(array.dtype, np.float32)
  return array.reshape(len(array), -1).astype(kind)


def _mean(values: np.ndarray) -> float:
  return float(values.mean(dtype=np.float64))


def _variance(values: np.ndarray) -> float:
  inputs.check_finite(values, 'images')
  found = float(values.var(0, ddof=1, dtype=np.float64).mean())
  inputs.check_answer(found)
  if not found > 0:
    raise ValueError('all images are the same: there is no variance to share.')
  return found
