"""Structured representations in JAX.

`codes = encode(images)`, `images = decode(codes)`, `new = hybrid(key, codes)`.

Models by name load on first use, so that this import stays light.
"""

import importlib
from typing import Any

__version__ = '0.1.0'

_HOMES = {
  'Pretrained': 'pretrained.model',
  'load_pretrained': 'pretrained.folder',
  'save_pretrained': 'pretrained.folder',
}

__all__ = ['Pretrained', 'load_pretrained', 'save_pretrained']


def __getattr__(name: str) -> Any:
  if name not in _HOMES:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  return getattr(importlib.import_module(f'{__name__}.{_HOMES[name]}'), name)


def __dir__() -> list[str]:
  return sorted({*globals(), *__all__})
