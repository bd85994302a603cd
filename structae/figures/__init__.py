"""Pictures and pages from arrays and finished runs; they know no model.

`report` and `comparison` write pages; `grids` arranges images; `plots` draws
curves, matrices and scores; `paper` holds the paper's figures. Names load on
first use, since matplotlib is slow to import.
"""

import importlib
from typing import Any

_HOMES = {
  'grid': 'grids',
  'pairs': 'grids',
  'traversal_sheet': 'grids',
  'save_png': 'grids',
  'loss_curve': 'plots',
  'matrix': 'plots',
  'strips': 'score_plots',
  'bars': 'score_plots',
  'scatter': 'score_plots',
  'save_figure': 'canvas',
  'write_report': 'report',
  'write_comparison': 'comparison',
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
  if name not in _HOMES:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  return getattr(importlib.import_module(f'{__name__}.{_HOMES[name]}'), name)
