"""Structured representations in JAX.

`codes = encode(images)`, `images = decode(codes)`, `new = hybrid(key, codes)`.

The names listed in `__init__.pyi` load on first use, so that this import stays
light; editors and type checkers read them there.
"""

import lazy_loader

__version__ = '0.1.0'

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
