"""InfoMEC: modularity, compactness, explicitness by normalised information.

Source: Hsu et al., https://arxiv.org/abs/2305.18378, section 4.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs
from structae.evaluation.metrics.mutual_information import entropy
from structae.evaluation.metrics.probes import logistic, standardized


def infomec(
  codes: ArrayLike,
  factors: ArrayLike,
  *,
  num_neighbors: int = 10,
  max_rows: int | None = None,
  seed: int = 0,
) -> dict[str, Any]:
  """Computes InfoM, InfoC and InfoE.

  The information of a latent with a factor, by nearest neighbours, is divided
  by the factor's entropy. InfoM averages, over active latents, the largest
  share that one factor has in a latent's information; InfoC, over factors, the
  largest share of one latent; both rescaled from chance to 1. InfoE is the
  share of a factor's uncertainty that a linear probe of all latents removes.
  The first two are ratios, and pure noise scores about .6: read them beside
  InfoE.

  Args:
    codes: `[N, L]` finite numbers.
    factors: `[N, F]` integers, none negative or constant, F of 2 or more.
    num_neighbors: the number of neighbours of the information estimate.
    max_rows: the number of rows to draw at random; all by default.
    seed: of that draw, and of the estimate's tiny noise.

  Returns:
    `infom`, `infoc`, `infoe`, at most 1; `normalized_information` `[L, F]`;
    `active` `[L]` booleans, latents with more than 1/20 of the largest range;
    the settings. With one active latent, or none, InfoC is 1, or all are 0.

  Raises:
    ValueError: if the arrays are unfit, or there are fewer than two factors.

  Source: Hsu et al., https://arxiv.org/abs/2305.18378, section 4.
  """
  from sklearn.feature_selection import mutual_info_classif

  codes, factors = inputs.check_pair(codes, factors, min_rows=num_neighbors + 2)
  num_factors = factors.shape[1]
  if num_factors < 2:
    raise ValueError('infomec compares two factors, there is 1.')
  if max_rows is not None and max_rows < len(codes):
    rows = np.random.default_rng(seed).choice(len(codes), max_rows, False)
    codes, factors = inputs.check_pair(codes[rows], factors[rows])
  spread = np.ptp(codes, axis=0)
  active = (spread > spread.max() / 20) & inputs.varying(codes)
  information = np.zeros((codes.shape[1], num_factors))
  for j, labels in enumerate(factors.T):
    if active.any():
      information[active, j] = mutual_info_classif(
        codes[:, active], labels, n_neighbors=num_neighbors, random_state=seed
      )
  information /= entropy(factors)
  used = information[active]
  return {
    'infom': _above_chance(used, num_factors),
    'infoc': _above_chance(used.T, len(used)),
    'infoe': float(np.mean([_removed(codes, labels) for labels in factors.T])),
    'normalized_information': information,
    'active': active,
    'num_neighbors': num_neighbors,
    'num_rows': len(codes),
    'seed': seed,
  }


def _above_chance(information: np.ndarray, num: int) -> float:
  """The mean largest share of a row, from 1 / num -> 0 to 1 -> 1."""
  if num < 2:
    return float(num)
  total = information.sum(1)
  some = total > 0  # a row without any information scores chance
  share = np.full(len(information), 1 / num)
  share[some] = information[some].max(1) / total[some]
  return float((share.mean() - 1 / num) / (1 - 1 / num)) if len(share) else 0.0


def _removed(codes: np.ndarray, labels: np.ndarray) -> float:
  """The share of the uncertainty that a balanced linear probe removes.

  A balanced probe without inputs is uniform over the K classes: log K.
  """
  (z,) = standardized(codes)
  if not z.shape[1]:
    return 0.0
  model = logistic(z, labels, C=np.inf, class_weight='balanced')
  own = np.searchsorted(model.classes_, labels)
  p = model.predict_proba(z)[np.arange(len(z)), own]
  loss = -np.log(np.maximum(p, np.finfo(p.dtype).eps)).mean()
  return float(1 - loss / np.log(len(model.classes_)))
