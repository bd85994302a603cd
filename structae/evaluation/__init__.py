"""Scores of codes against factors: functions of two arrays.

Names are imported when first asked for, so that a metric loads only what it
needs: `structae.evaluation.mig(codes, factors)`.
"""

import importlib
from typing import Any

_MODULES = {
  'Codes': 'codes',
  'mig': 'information',
  'modularity': 'information',
  'mutual_information': 'information',
}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
  if name not in _MODULES:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  module = importlib.import_module(f'{__name__}.{_MODULES[name]}')
  return getattr(module, name)


def __dir__() -> list[str]:
  return sorted([*globals(), *__all__])
