"""MPI3D for TensorFlow Datasets."""

import tensorflow_datasets as tfds

from structae.data.builders import base


class Mpi3d(base.FactorBuilder):
  """MPI3D: toy, realistic, real and complex.

  Source: Gondal et al., https://arxiv.org/abs/1906.03292.
  """

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES = {'1.0.0': 'Initial release.'}
  BUILDER_CONFIGS = [
    base.config(name, f'mpi3d_{name}')
    for name in ('toy', 'realistic', 'real', 'complex')
  ]
  MANUAL_DOWNLOAD_INSTRUCTIONS = base.instructions(
    'mpi3d_toy', 'mpi3d_realistic', 'mpi3d_real', 'mpi3d_complex'
  )
