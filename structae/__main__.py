"""`structae COMMAND`, also as `python -m structae COMMAND`."""

import sys
from collections.abc import Sequence

import structae
from structae import commands

# From here on Ctrl-C is one line: what takes long to import comes later.
sys.excepthook = commands.say

# Each is a module of `structae.commands`, imported once it is asked for.
COMMANDS = {
  'train': 'train a model, to codes, scores, figures and a report',
  'sweep': 'train all combinations of the values of fields, and compare',
  'evaluate': 'score codes or images: of a run, or of any other program',
  'encode': 'encode your own images with a trained model',
  'sample': 'draw new images from a trained model',
  'report': 'write the page about a run, or one that compares several',
  'export': 'turn a run into a folder to keep, share or publish',
  'models': 'list the trained models that come along',
  'data': 'list, describe and prepare data sets',
  'benchmark': 'time updates, encoding and decoding on your devices',
}


def main(argv: Sequence[str] | None = None) -> int:
  """Runs a command; returns its exit code."""
  name, *rest = (sys.argv[1:] if argv is None else argv) or ['--help']
  if name in ('-h', '--help', '--version'):
    from structae.commands import parser  # which reads the fields

    version = f'structae {structae.__version__}'
    text = version if name == '--version' else _usage()
    return parser.run(lambda: print(text))
  if name not in COMMANDS:
    import difflib

    close = difflib.get_close_matches(name, COMMANDS, 1)
    hint = f'did you mean {close[0]}? ' if close else ''
    return _refuse(
      f'there is no command {name!r:.80}; {hint}there are {", ".join(COMMANDS)}'
    )
  return commands.start(name, rest)


def _refuse(message: str) -> int:
  from structae import streams
  from structae.commands import parser

  with streams.lossy():
    parser.complain(message)
  return 2


def _usage() -> str:
  width = max(map(len, COMMANDS))
  lines = [f'  {name:{width}}  {what}' for name, what in COMMANDS.items()]
  return '\n'.join(
    ['usage: structae COMMAND ... (COMMAND --help has the rest)', '', *lines]
  )


if __name__ == '__main__':
  sys.exit(main())
