"""RFD for TensorFlow Datasets."""

import tensorflow_datasets as tfds

from structae.data.builders import base


class Rfd(base.FactorBuilder):
  """The robot finger data: simulated, held-out colours, photographs.

  Source: Dittadi et al., https://arxiv.org/abs/2010.14407.
  """

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES = {'1.0.0': 'Initial release.'}
  BUILDER_CONFIGS = [
    base.config('finger', 'rfd'),
    base.config('finger_heldout_colors', 'rfd_heldout'),
    base.config('finger_real', 'rfd_real'),
  ]
  MANUAL_DOWNLOAD_INSTRUCTIONS = base.instructions('rfd')
