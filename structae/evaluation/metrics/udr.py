"""UDR: do models trained with different seeds find the same latents?

Source: Duan et al., https://arxiv.org/abs/1905.12614, section 4.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from structae.evaluation.metrics import inputs


def udr(
  codes: Sequence[ArrayLike],
  divergences: Sequence[ArrayLike] | None = None,
  *,
  method: Literal['lasso', 'spearman'] = 'lasso',
  threshold: float = 0.01,
) -> dict[str, Any]:
  """Computes the unsupervised disentanglement ranking of several models.

  Two models agree if each latent of one corresponds to a single latent of the
  other. Their similarity matrix R holds absolute rank correlations, or Lasso
  coefficients; the agreement is the mean of max R^2 / sum R over both its rows
  and its columns. A model's score is the median agreement with the others.

  Args:
    codes: one `[N, L]` per model, two or more, of the same N examples.
    divergences: per model, `[L]` the mean KL divergence of every latent from
      the prior; latents at or below the threshold are left out. Without it, as
      for deterministic encoders, constant latents are left out.
    method: what R holds, 'lasso' or 'spearman'.
    threshold: of the divergences, in nats.

  Returns:
    `udr`, the mean score, in 0 ... 1; `udr_per_model` `[M]`; `agreement`
    `[M, M]`, in row i and column j that of predicting the latents of j from
    those of i, 0 on the diagonal; the settings.

  Raises:
    ValueError: if there are fewer than two models, or their arrays are unfit.

  Source: Duan et al., https://arxiv.org/abs/1905.12614, section 4.
  """
  if len(codes) < 2:
    raise ValueError(f'udr compares models, got {len(codes)}.')
  if divergences is not None and len(divergences) != len(codes):
    raise ValueError(
      f'{len(divergences)} divergences, but {len(codes)} models.'
    )
  if method not in ('lasso', 'spearman'):
    raise ValueError(f"method is {method!r}, expected 'lasso' or 'spearman'.")
  arrays = [inputs.check_codes(z, f'codes[{i}]') for i, z in enumerate(codes)]
  for i, z in enumerate(arrays):
    if len(z) != len(arrays[0]):
      raise ValueError(
        f'codes[{i}] have {len(z)} rows, codes[0] {len(arrays[0])}.'
      )
  kept = [_kept(z, divergences, i, threshold) for i, z in enumerate(arrays)]
  latents = [_unit(z, keep) for z, keep in zip(arrays, kept)]
  similar = _lasso if method == 'lasso' else _spearman
  agreement = np.zeros((len(arrays), len(arrays)))
  for i, a in enumerate(latents):
    for j, b in enumerate(latents):
      if i != j:
        agreement[i, j] = _agreement(similar(a, b)[kept[i]][:, kept[j]])
  others = ~np.eye(len(arrays), dtype=bool)
  scores = [np.median(agreement[o, i]) for i, o in enumerate(others.T)]
  return {
    'udr': float(np.mean(scores)),
    'udr_per_model': np.array(scores),
    'agreement': agreement,
    'method': method,
    'threshold': threshold,
  }


def _kept(
  codes: np.ndarray,
  divergences: Sequence[ArrayLike] | None,
  i: int,
  threshold: float,
) -> np.ndarray:
  if divergences is None:
    return inputs.varying(codes)
  values = np.asarray(divergences[i], np.float64)
  if values.shape != codes.shape[1:] or not np.isfinite(values).all():
    raise ValueError(
      f'divergences[{i}] must be {codes.shape[1]} finite numbers, got shape '
      f'{values.shape}.'
    )
  return (values > threshold) & inputs.varying(codes)


def _unit(codes: np.ndarray, keep: np.ndarray) -> np.ndarray:
  """Standardised latents, those left out set to 0."""
  result = np.zeros_like(codes)
  z = codes[:, keep] / inputs.units(codes[:, keep])
  result[:, keep] = (z - z.mean(0)) / z.std(0)
  return result


def _lasso(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  from sklearn.linear_model import Lasso

  model = Lasso(alpha=0.1).fit(a, b)
  return np.abs(np.atleast_2d(model.coef_)).T


def _spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  from scipy.stats import rankdata

  x, y = (rankdata(z, axis=0) for z in (a, b))
  x, y = x - x.mean(0), y - y.mean(0)
  scale = np.sqrt(np.outer((x**2).sum(0), (y**2).sum(0)))
  return np.abs(np.divide(x.T @ y, scale, out=scale * 0, where=scale > 0))


def _agreement(similarity: np.ndarray) -> float:
  """The mean of max^2 / sum over rows and columns; 0 without a partner."""
  if not similarity.size:
    return 0.0
  means = []
  for r in (similarity, similarity.T):
    total = r.sum(0)
    some = total > 0
    means.append((r.max(0)[some] ** 2 / total[some]).sum() / len(total))
  return float(np.mean(means))
