"""Scores of codes against factors: functions of two arrays.

Names load when first asked for, so that a metric loads only what it needs:
`structae.evaluation.mig(codes, factors)`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
