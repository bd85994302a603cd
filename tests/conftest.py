"""Settings for all tests: they run on the CPU."""

import os

# Before jax is imported, here or in a process that a test starts.
os.environ.setdefault('JAX_PLATFORMS', 'cpu')
