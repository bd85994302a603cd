"""The command that makes a run again."""

import shlex

from structae import config as config_lib
from structae.config import ConfigError
from structae.run import Run

_UNTOLD = ('scale', 'data.name')  # the tokens say them
_NOT_OF_IT = ('train.hook',)  # of whoever trained it


def command(run: Run) -> str:
  """A line for a shell: the model, its tokens, and each field that differs.

  Args:
    run: any run.

  Returns:
    `structae train NAME:TOKENS --config.FIELD=VALUE`; the folder in place of
    the name of a model that is none of `config.VARIANTS`.
  """
  usual = config_lib.flat(config_lib.default_config())
  tokens = [
    str(value)
    for field in _UNTOLD
    if (value := run.field(field)) not in (None, usual[field])
  ]
  try:
    config = config_lib.get_config(run.name, ','.join(tokens))
    usual = config_lib.flat(config)
  except (ConfigError, KeyError, ValueError):
    return shlex.join(['structae', 'train', str(run.folder)])
  # A run writes its widths out, which a configuration may leave to a preset.
  written = {k: list(v) for k, v in config_lib.widths(config).items()}
  changed = [
    f'--config.{field}={_value(value)}'
    for field, value in config_lib.flat(run.settings).items()
    if field in usual and field not in (*_UNTOLD, *_NOT_OF_IT)
    if value not in (usual[field], written.get(field))
  ]
  name = ':'.join(filter(None, [run.name, ','.join(tokens)]))
  return shlex.join(['structae', 'train', name, *changed])


def _value(value: object) -> str:
  if isinstance(value, list):
    return ','.join(map(str, value)) or '()'
  return str(value)
