"""The flags of a configuration: `CONFIG --config.FIELD=VALUE --workdir=DIR`.

CONFIG is the name of a model with tokens (`sae12:quick`), a file of one's own
(`mine.py:quick`), or the `config.json` of a run, which makes it again.

Imports no jax, so that a mistake is answered at once.
"""

import argparse
import ast
import difflib
import importlib.util
import os
import shlex
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import ml_collections

from structae import config as config_lib
from structae.commands.parser import Parser
from structae.config import FIELDS, VARIANTS, ConfigError, saved, scales


class Command(NamedTuple):
  """What was asked for.

  Attributes:
    config: the resolved, checked configuration.
    name: of the model, which names the run.
    given: how the configuration was given, tokens included.
    workdir: the folder that was asked for, or None.
  """

  config: ml_collections.ConfigDict
  name: str
  given: str
  workdir: Path | None = None

  def at_scale(self, scale: str) -> str:
    """How the same would be asked for at another scale; '' of a complete one.

    What is in place of the data set of a token, its files, is named again.
    """
    name, _, tokens = self.given.partition(':')
    if name not in VARIANTS and not name.endswith('.py'):
      return ''
    kept = [x for x in tokens.split(',') if x and x not in scales.SCALES]
    path = self.config.data.path
    return shlex.join(
      [
        f'{name}:{",".join([*kept, scale])}',
        *([f'--config.data.path={path}'] if path else []),
      ]
    )


def add(parser: Parser) -> None:
  """Adds the flags of a configuration, and lists its fields in the help."""
  parser.epilog_of = _epilog
  parser.add_argument(
    'given',
    nargs='?',
    metavar='CONFIG',
    help='sae12:quick, mine.py:quick or the config.json of a run',
  )
  parser.add_argument('--config', metavar='CONFIG', help='the same, as a flag')
  add_fields(parser)


def add_fields(parser: Parser) -> None:
  """Adds the flags of single fields, `--config.FIELD=VALUE`."""
  for name in FIELDS:
    parser.add_argument(f'--config.{name}', help=argparse.SUPPRESS)


def fields(asked: argparse.Namespace) -> dict[str, Any]:
  """The values that fields are given, by dotted name; not yet checked."""
  texts = {name: vars(asked)[f'config.{name}'] for name in FIELDS}
  return {k: value(k, text) for k, text in texts.items() if text is not None}


def check_known(unknown: Sequence[str]) -> None:
  """Refuses arguments that no flag takes.

  Raises:
    ConfigError: one line, which names what may have been meant.
  """
  if unknown:
    raise ConfigError(_unknown(unknown[0]))


def read(parser: Parser, argv: Sequence[str]) -> tuple[Command, Any]:
  """Reads a command line with a configuration.

  Args:
    parser: with the flags of `add`, and flags of its own.
    argv: the arguments.

  Returns:
    What was asked for, checked, and the parsed arguments.

  Raises:
    ConfigError: one line that names the mistake and what was expected.
    SystemExit: after `--help`, or a flag that cannot be read.
  """
  asked, unknown = parser.parse_known_args(argv)
  return command(asked, unknown), asked


def command(asked: argparse.Namespace, unknown: Sequence[str] = ()) -> Command:
  """The configuration that parsed arguments ask for; see `read`.

  Args:
    asked: the arguments.
    unknown: those that no flag takes.
  """
  check_known(unknown)
  name, given, config = _asked(asked)
  config_lib.check(config)
  config_lib.update(config, config_lib.written_out(config))
  return Command(config, name, given, getattr(asked, 'workdir', None))


def _asked(
  asked: argparse.Namespace,
) -> tuple[str, str, ml_collections.ConfigDict]:
  """The name, how it is given, and the configuration, field by field."""
  if asked.given and asked.config:
    raise ConfigError(
      f'{asked.given!r} stands alone beside --config={asked.config}; give one '
      'configuration'
    )
  given = asked.given or asked.config
  if not given:
    raise ConfigError('give a config: sae12:quick, for example (see --help)')
  name, config = _open(given)
  if vars(asked)['config.scale'] is not None:
    raise ConfigError(
      'config.scale alone would change a name and no setting; name the scale '
      f'as a token: {given.partition(":")[0]}:quick'
    )
  for field, found in fields(asked).items():
    config_lib.change(config, field, found)
  return name, given, config


def value(field: str, text: str) -> Any:
  """The value that a text gives a field, as far as it is of its type."""
  default = FIELDS[field].default
  if isinstance(default, str):
    return text
  if isinstance(default, bool):
    return {'true': True, 'false': False}.get(text.lower(), text)
  try:
    found = (
      float(text) if isinstance(default, float) else ast.literal_eval(text)
    )
  except (ValueError, SyntaxError, MemoryError, RecursionError):
    is_list = isinstance(default, tuple) and text.isprintable()
    return tuple(text.split(',')) if is_list else text
  return (
    (found,) if isinstance(default, tuple) and type(found) is int else found
  )


def _open(given: str) -> tuple[str, ml_collections.ConfigDict]:
  """The name and the configuration, as it is given."""
  text, _, tokens = given.partition(':')
  if text in VARIANTS:
    return text, config_lib.get_config(text, tokens)
  path = Path(text)
  if path.is_dir():
    path = path / 'config.json'
  if path.suffix not in ('.py', '.json') and not path.is_file():
    config_lib.get_config(text, tokens)  # names those that exist
  if not path.is_file():
    raise ConfigError(f'there is no config file {path}{_hint(path)}')
  if path.suffix == '.json':
    if tokens:
      raise ConfigError(
        f'{path} is complete and takes no tokens; change it by '
        '--config.FIELD=VALUE'
      )
    config, content = saved.read(path)
    return content['name'], config
  return path.stem, _run(path, tokens)


def _run(path: Path, tokens: str) -> ml_collections.ConfigDict:
  """What the `get_config` of a Python file returns."""
  get_config = _function(path)
  try:
    config = get_config(tokens) if tokens else get_config()
  except ConfigError:
    raise
  except Exception as error:  # whatever a file of the user's may raise
    raise ConfigError(f'{path}: {error!s:.500}') from error
  if not isinstance(config, ml_collections.ConfigDict):
    raise ConfigError(
      f'{path} gives no configuration: its get_config must return a '
      'ConfigDict, as that of experiments/sae12.py does'
    )
  return config


def _function(path: Path) -> Callable[..., Any]:
  spec = importlib.util.spec_from_file_location('config_file', path)
  if spec is None or spec.loader is None:
    raise ConfigError(f'{path} is no Python file; see experiments/sae12.py')
  module = importlib.util.module_from_spec(spec)
  if os.getcwd() not in sys.path:
    sys.path.insert(0, os.getcwd())  # as `python -m` has it
  try:
    spec.loader.exec_module(module)
  except ConfigError:
    raise
  except Exception as error:
    raise ConfigError(f'{path}: {error!s:.500}') from error
  if not hasattr(module, 'get_config'):
    raise ConfigError(f'{path} defines no get_config')
  return module.get_config


def _hint(path: Path) -> str:
  beside = [x.name for x in path.parent.glob('*.py') if _is_config(x)]
  close = difflib.get_close_matches(path.name, beside, 3)
  return f'; did you mean {", ".join(close)}?' if close else ''


def _is_config(path: Path) -> bool:
  return path.is_file() and 'get_config =' in path.read_text('utf-8', 'ignore')


def _unknown(argument: str) -> str:
  """What to make of an argument that no flag takes."""
  flag, equals, _ = argument.partition('=')
  help = ' (see --help)'
  field = flag.removeprefix('--config.')
  if field != flag:
    return f'there is no field {field:.80}{config_lib.hint(field) or help}'
  meant = config_lib.hint(flag.lstrip('-'), '--config.')
  if flag.startswith('-'):
    return f'there is no flag {flag:.80}{meant or help}'
  return (
    f'{argument!r:.80} stands alone; give flags as --name=value'
    f'{meant if meant and equals else help}'
  )


def _epilog(asked: argparse.Namespace) -> str:
  """All fields, with their values in a configuration if one is asked for."""
  title = 'Fields (--config.FIELD=VALUE) and defaults:'
  values = {name: field.default for name, field in FIELDS.items()}
  if asked.given or asked.config:
    _, given, config = _asked(asked)
    title = f'Fields (--config.FIELD=VALUE) and values of {given}:'
    values = config_lib.flat(config) | config_lib.written_out(config)
  width = max(map(len, FIELDS))
  lines = [
    f'  {name:{width}}  {field.meaning} [{_shown(values[name], field.default)}]'
    f'; {field.expected}'
    for name, field in FIELDS.items()
    if name != 'scale'  # a token
  ]
  named = {'models': VARIANTS, **{f'{k}s': v for k, v in scales.TOKENS.items()}}
  lists = [
    textwrap.fill(
      f'{kind}: {", ".join(names)}', 78, initial_indent='  ',
      subsequent_indent='    ',
    )
    for kind, names in named.items()
  ]  # fmt: skip
  return '\n'.join(
    ['Models, and tokens, one of each kind:', *lists, '', title, *lines]
  )


def _shown(value: Any, default: Any) -> str:
  value = tuple(value) if isinstance(value, list) else value
  return f'{value}' if value == default else f'{value}, by default {default}'
