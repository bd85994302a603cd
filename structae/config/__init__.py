"""Configurations: made, checked, and told apart by what they compute.

Imports no jax, so that a mistake is answered at once.
"""

from structae.config.elsewhere import hint
from structae.config.errors import ConfigError
from structae.config.fields import FIELDS, Field
from structae.config.identity import config_hash, differences, identity
from structae.config.presets import (
  PRESETS,
  VARIATIONAL,
  WITH_PRIOR,
  widths,
)
from structae.config.resolve import (
  change,
  check,
  check_model,
  default_config,
  flat,
  full_name,
  model_written_out,
  resolve,
  update,
  written_out,
)
from structae.config.variants import VARIANTS, get_config, variant

__all__ = [
  'FIELDS',
  'PRESETS',
  'VARIANTS',
  'VARIATIONAL',
  'WITH_PRIOR',
  'ConfigError',
  'Field',
  'change',
  'check',
  'check_model',
  'config_hash',
  'default_config',
  'differences',
  'flat',
  'full_name',
  'get_config',
  'hint',
  'identity',
  'model_written_out',
  'resolve',
  'update',
  'variant',
  'widths',
  'written_out',
]
