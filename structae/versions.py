"""Versions of what results depend on."""

import platform
from collections.abc import Iterator
from importlib import metadata

import structae

TRAINING = ('jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'numpy')
SCORING = ('numpy', 'scipy', 'scikit-learn')


def installed(packages: tuple[str, ...]) -> dict[str, str]:
  """Versions of structae, Python and some packages that are there, by name."""
  return {
    'structae': structae.__version__,
    'python': platform.python_version(),
    **dict(_found(packages)),
  }


def _found(packages: tuple[str, ...]) -> Iterator[tuple[str, str]]:
  for name in packages:
    try:
      yield name, metadata.version(name)
    except metadata.PackageNotFoundError:
      pass  # an extra brings it
