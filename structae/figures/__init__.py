"""Pictures from arrays; they know no model and no run.

`grids` arranges images; `plots` and `score_plots` draw curves, matrices and
scores. Names load on first use, since matplotlib is slow to import.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
