"""Writes the address of the project, one line of pyproject.toml, everywhere.

  python -m experiments.address

That is into the badges of README and notebooks, what notebooks install, the
citation and the site. A test holds them to it.
"""

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from structae.commands import parser as arguments
from structae.config import ConfigError

ROOT = Path(__file__).parents[1]
_SLUG = r'[\w.-]+/[\w.-]+'
# What stands before and behind OWNER/NAME where the project is meant.
_PLACES = (
  (r'colab\.research\.google\.com/github/', '/blob/main/colab/'),
  (r'git\+https://github\.com/', ''),
  (r'(?:repository-code|repo_url): https://github\.com/', ''),
)


def files() -> list[Path]:
  """The files that hold the address."""
  names = ('README.md', 'CITATION.cff', 'mkdocs.yml')
  return [*(ROOT / n for n in names), *sorted(ROOT.glob('colab/*.ipynb'))]


def slug() -> str:
  """OWNER/NAME of the project.

  Raises:
    ConfigError: if its address is none of GitHub, from which Colab opens
      notebooks.
  """
  with open(ROOT / 'pyproject.toml', 'rb') as file:
    url = tomllib.load(file)['project']['urls']['Repository']
  found = re.fullmatch(rf'https://github\.com/({_SLUG})', url)
  if not found:
    raise ConfigError(f'Repository is {url}; expected https://github.com/...')
  return found[1]


def renewed(text: str, name: str) -> str:
  """A text in which every address of the project is that of OWNER/NAME."""
  for before, behind in _PLACES:
    text = re.sub(
      f'({before}){_SLUG}({re.escape(behind)})', rf'\g<1>{name}\g<2>', text
    )
  return text


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  arguments.Parser('python -m experiments.address', __doc__).parse_args(argv)
  return arguments.run(_write)


def _write() -> None:
  name = slug()
  for path in files():
    text = path.read_text('utf-8')
    if (new := renewed(text, name)) != text:
      path.write_text(new, 'utf-8')
      print(f'{path.relative_to(ROOT)}: {name}')


if __name__ == '__main__':
  sys.exit(main())
