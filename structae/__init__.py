"""Structured representations in JAX.

`codes = encode(images)`, `images = decode(codes)`, `new = hybrid(key, codes)`.
"""

__version__ = '0.1.0'
