"""Pages about runs: HTML files that need nothing else.

`report` is of one run, `comparison` of several, `play` of a model. Names load
on first use, since matplotlib is slow to import.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
