"""Prepares small data sets, or reads the message of why that fails."""

import numpy as np
import pytest

from structae.data import manifest, prepare

UNCHECKED = prepare.Options(verify=False)


def run(data_set, place, tmp_path, **options):
  """The prepared folder, its manifest, images and factors (None for a grid)."""
  options = prepare.Options(**{'verify': False} | options)
  folder = prepare.prepare(data_set, place, options, tmp_path / 'cache')
  made = manifest.load(folder)
  factors = None if made.grid else manifest.load_array(folder, 'factors')
  return folder, made, np.array(manifest.map_images(folder, made)), factors


def refusal(data_set, place, tmp_path, options=UNCHECKED):
  """The one line of an error; what is not whole has no prepared set's name."""
  with pytest.raises(ValueError) as caught:
    prepare.prepare(data_set, place, options, tmp_path / 'cache')
  message = str(caught.value)
  assert '\n' not in message
  for folder in (tmp_path / 'cache').glob('*-*-????????'):
    manifest.load(folder)
  return message
