"""Cars3D for TensorFlow Datasets."""

import tensorflow_datasets as tfds

from structae.data.builders import base


class Cars3d(base.FactorBuilder):
  """Cars3D, at its full 128 pixels.

  Source: Reed et al., Deep Visual Analogy-Making, NeurIPS 2015.
  """

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES = {'1.0.0': 'Initial release.'}
  BUILDER_CONFIGS = [base.config('default', 'cars3d')]
  MANUAL_DOWNLOAD_INSTRUCTIONS = base.instructions('cars3d')
