"""Versions of what results depend on."""

import platform
from importlib import metadata

import structae

TRAINING = ('jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'numpy')
SCORING = ('numpy', 'scipy', 'scikit-learn')


def installed(packages: tuple[str, ...]) -> dict[str, str]:
  """Versions of structae, Python and some packages, by name."""
  return {
    'structae': structae.__version__,
    'python': platform.python_version(),
    **{name: metadata.version(name) for name in packages},
  }
