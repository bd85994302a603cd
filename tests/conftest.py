"""Settings for all tests: CPU, one compilation cache for what is run twice."""

import os

# Before jax is imported, here or in a process that a test starts.
os.environ.setdefault('JAX_PLATFORMS', 'cpu')
