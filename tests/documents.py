"""README and docs as tests read them: blocks of code, lines of commands."""

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
  [*ROOT.glob('*.md'), *(ROOT / 'docs').rglob('*.md'), ROOT / 'colab/README.md']
)
BLOCK = re.compile(r'^```(\w*)\n(.*?)^```', re.MULTILINE | re.DOTALL)
_OPTIONAL = re.compile(r'\[([^\[\]]*)\]')


class Command(NamedTuple):
  """A command line.

  Attributes:
    module: of what runs it, `structae.commands.train` for `structae train`.
    arguments: what follows.
  """

  module: str
  arguments: list[str]


def blocks(path: Path, *languages: str) -> list[str]:
  """The blocks of code in a document."""
  found = BLOCK.findall(path.read_text('utf-8'))
  return [text for language, text in found if language in languages]


def commands(text: str) -> Iterator[Command]:
  """Those of ours in lines of a shell, in every form that a synopsis has."""
  for line in text.splitlines():
    for part in re.split('(?:^| )#', line)[0].split(' && '):
      for reading in _readings(part):
        command = _command(_words(reading))
        if command:
          yield command


def _readings(line: str) -> list[str]:
  """What [optional] and either|or stand for, spelt out."""
  line = line.replace('[:TOKEN,...]', ':smoke').replace('...', '')
  line = line.replace('--config.FIELD=VALUE', '--config.seed=1')
  line = re.sub(r'=[NS]\b', '=8', line)
  optional = None if 'pip install' in line else _OPTIONAL.search(line)
  if optional:
    before, after = line[: optional.start()], line[optional.end() :]
    return [
      reading
      for inside in ('', *optional[1].split(' | '))
      for reading in _readings(before + inside + after)
    ]
  if ' | ' in line:  # of commands: the first has all the words in common
    first, *others = line.split(' | ')
    common = ' '.join(first.split()[:2])
    return [first, *(f'{common} {other}' for other in others)]
  either = [_alternatives(word) for word in line.split(' ')]
  return [' '.join(words) for words in itertools.product(*either)]


def _alternatives(word: str) -> list[str]:
  flag, equals, values = word.rpartition('=')
  return [flag + equals + value for value in values.split('|')]


def _words(line: str) -> list[str]:
  """Its words; those of the command that another machine is given."""
  words = shlex.split(line)
  for word in words:
    if word.startswith('--command='):
      return shlex.split(word.removeprefix('--command='))
  return words


def _command(words: list[str]) -> Command | None:
  if not words or words[0].endswith(('mypy', 'pip')):
    return None
  for i, word in enumerate(words):
    if word.rpartition('/')[2] == 'structae':
      name, *rest = words[i + 1 :]
      return Command(f'structae.commands.{name}', rest)
    if word == '-m' and words[i + 1].startswith(('structae', 'experiments')):
      return Command(words[i + 1], words[i + 2 :])
  return None
