"""The command line: flags to a checked config, mistakes to one line.

Imports no jax, so that a mistake is answered at once.
"""

import difflib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import ml_collections
from absl import flags
from ml_collections import config_flags

from structae import config as config_lib
from structae.commands import parser as arguments
from structae.config import ConfigError
from structae.config import scales as common


class Command(NamedTuple):
  """What was asked for.

  Attributes:
    config: the resolved, checked configuration.
    path: the config file.
    workdir: the folder that was asked for, or None.
  """

  config: Any
  path: Path
  workdir: Path | None

  @property
  def name(self) -> str:
    """The name of the config file, which names the run."""
    return self.path.stem


def run(main: Callable[[Sequence[str]], object]) -> None:
  """Runs a command on a config; see `arguments.run`."""
  sys.exit(arguments.run(lambda: main(sys.argv), (ConfigError,)))


def parse(argv: Sequence[str], usage: str) -> Command:
  """Reads `--config=FILE[:TOKENS] --config.FIELD=VALUE --workdir=DIR`.

  Args:
    argv: the command line, program name first.
    usage: what `--help` prints above the list of fields.

  Returns:
    What was asked for, checked.

  Raises:
    ConfigError: one line that names the mistake and what was expected.
    SystemExit: after `--help`.
  """
  if any(arg in ('-h', '-help', '--help', '--helpfull') for arg in argv):
    print(f'{usage.strip()}\n\n{_fields()}')
    sys.exit(0)
  path = _config_file(argv)
  if any(arg.partition('=')[0].lstrip('-') == 'config.scale' for arg in argv):
    raise ConfigError(
      'config.scale alone would change a name and no setting; name the scale '
      f'as a token: --config={path}:quick'
    )
  values = flags.FlagValues()
  flags.DEFINE_string('workdir', None, 'the folder of the run',
                      flag_values=values)  # fmt: skip
  config_flags.DEFINE_config_file(
    'config', None, 'the config file', flag_values=values, sys_argv=list(argv)
  )
  try:
    rest = values(list(argv))[1:]
    config = values.config
  except Exception as error:
    raise ConfigError(_explain(error, path, argv)) from error
  if not isinstance(config, ml_collections.ConfigDict):
    raise ConfigError(
      f'{path} gives no configuration: its get_config must return a '
      'ConfigDict, as that of experiments/sae12.py does'
    )
  if rest:
    raise ConfigError(
      f'{rest[0]!r} stands alone; give flags as --name=value (see --help)'
    )
  config_lib.check(config)
  config_lib.update(config, config_lib.widths(config))
  workdir = Path(values.workdir) if values.workdir else None
  return Command(config, path, workdir)


def _config_file(argv: Sequence[str]) -> Path:
  """The config file, which must exist: flags would report it too late."""
  given = ''
  for arg, after in zip(argv, [*argv[1:], '']):
    name, equals, value = arg.partition('=')
    if name in ('--config', '-config'):
      given = value if equals else after
  if not given:
    raise ConfigError(
      'give a config file: --config=experiments/sae12.py:quick (see --help)'
    )
  path = Path(given.partition(':')[0])
  if not path.is_file():
    beside = [x.name for x in path.parent.glob('*.py') if _is_config(x)]
    close = difflib.get_close_matches(path.name, beside, 3)
    hint = f'; did you mean {", ".join(close)}?' if close else ''
    raise ConfigError(f'there is no config file {path}{hint}')
  return path


def _is_config(path: Path) -> bool:
  defines = 'def get_config('
  return path.is_file() and defines in path.read_text('utf-8', 'ignore')


def _explain(error: Exception, path: Path, argv: Sequence[str]) -> str:
  """Says in one line what the flags' own errors say in many."""
  errors = [*_causes(error)]
  ours = [e for e in errors if isinstance(e, ConfigError)]
  if ours:
    return str(ours[-1])  # the others quote the traceback of this one
  if 'parsing config file' in str(error):
    return f'{path}: {" ".join(str(errors[-1]).split())}'
  if "no attribute 'get_config'" in str(error):
    return f'{path} defines no get_config'
  for arg in argv[1:]:
    field = arg.partition('=')[0].removeprefix('--config.')
    if field != arg.partition('=')[0] and field not in config_lib.FIELDS:
      close = difflib.get_close_matches(field, config_lib.FIELDS, 1)
      hint = f'; did you mean {close[0]}?' if close else ' (see --help)'
      return f'there is no field {field}{hint}'
  text = ' '.join(str(error).split())
  field = text.partition('flag --config.')[2].partition('=')[0]
  if field in config_lib.FIELDS:
    value = text.partition('flag --config.')[2].partition('=')[2]
    value = value.partition(':')[0]
    return f'{field} is {value!r}; expected {config_lib.FIELDS[field].expected}'
  return text.removeprefix('FATAL Flags parsing error:').strip()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
  """An error and those that led to it, the first of them last."""
  while error is not None:
    yield error
    error = error.__cause__ or error.__context__


def _fields() -> str:
  width = max(map(len, config_lib.FIELDS))
  lines = [
    f'  {name:{width}}  {field.meaning} [{field.default}]; {field.expected}'
    for name, field in config_lib.FIELDS.items()
    if name != 'scale'  # a token
  ]
  tokens = [f'  {k}: {", ".join(names)}' for k, names in common.TOKENS.items()]
  return '\n'.join(
    ['Tokens, one of each kind:', *tokens, '']
    + ['Fields (--config.FIELD=VALUE) and defaults:', *lines]
  )
