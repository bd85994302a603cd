"""The paper's figures from saved runs.

Every figure is a function of runs (`extrapolation`: of the content of the files
`extrapolation.json`) and returns what it shows by the stem of a file: a plot, a
sheet `[H, W, 3]` uint8, or Markdown. Published values stand beside runs on the
same data only. Names load on first use.

Source: Leeb et al., Structure by Architecture: Structured Representations
without Regularization, https://arxiv.org/abs/2006.07796
"""

import importlib
from typing import Any

_HOMES = {
  'reconstruction_quality': 'quality',
  'sample_quality': 'quality',
  'traversals': 'sheets',
  'disentanglement': 'factors',
  'controllable': 'sheets',
  'sample_sheets': 'sheets',
  'bce_against_fid': 'trade_off',
  'unused_variables': 'variables',
  'mpi3d_toy': 'factors',
  'extrapolation': 'retraining',
  'families': 'overview',
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
  if name not in _HOMES:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  return getattr(importlib.import_module(f'{__name__}.{_HOMES[name]}'), name)
