"""structae data list | info NAME | prepare NAME [--from=DIR].

`info` tells what to fetch, from where, its checksum and where to put it.
`prepare` is optional: a run does the same when it first needs the set.
"""

import argparse
import pathlib
import sys
from typing import NoReturn

from structae.data import catalog


class _Parser(argparse.ArgumentParser):
  """A parser whose complaints are one line."""

  def error(self, message: str) -> NoReturn:
    self.exit(2, f'{self.prog}: {message}. See --help.\n')


def _parser() -> _Parser:
  parser = _Parser(
    prog='structae data',
    description='The data sets: what there is, and making them ready.',
    epilog='Train on one: python -m experiments.main '
    '--config=experiments/sae12.py:NAME [--config.data.path=DIR]',
  )
  commands = parser.add_subparsers(
    dest='command', required=True, parser_class=_Parser
  )
  commands.add_parser('list', help='one line for each data set')
  info = commands.add_parser('info', help='all that is known of one')
  info.add_argument('name')
  prepare = commands.add_parser(
    'prepare',
    help='turn original files into what training reads',
    description='Makes a set ready, once; a run that needs it does the same. '
    'Original files are only read. What was interrupted goes on.',
  )
  prepare.add_argument('name')
  prepare.add_argument(
    '--from',
    dest='place',
    type=pathlib.Path,
    help='the original files: a directory, a file, or what TensorFlow '
    'Datasets prepared',
  )
  prepare.add_argument(
    '--cache',
    type=pathlib.Path,
    help='the folder of prepared sets; runs look into the default one, or '
    'take what is printed as --config.data.path',
  )
  prepare.add_argument('--size', type=int, default=0, help='pixels a side')
  prepare.add_argument(
    '--crop',
    help="celeba: pixels of the square that is kept; folder: 'centre' or "
    "'squash'",
  )
  prepare.add_argument(
    '--no-verify',
    dest='verify',
    action='store_false',
    help='take files of another size or checksum than the published ones',
  )
  prepare.add_argument(
    '--skip-corrupt',
    action='store_true',
    help='leave unreadable pictures out, and list them',
  )
  prepare.add_argument(
    '--copy',
    action='store_true',
    help='copy images even if they can be mapped where they lie',
  )
  return parser


def _list() -> None:
  for data_set in catalog.CATALOG.values():
    number = f'{data_set.num_examples:,}' if data_set.num_examples else '-'
    shape = 'x'.join(map(str, data_set.image_shape)) or 'any'
    print(f'{data_set.name:16}{number:>12}  {shape:12}{data_set.title}')


def _info(data_set: catalog.DataSet) -> None:
  from structae.data import files

  sizes = ', '.join(map(str, data_set.sizes)) or 'any'
  print(f'{data_set.name}: {data_set.title}')
  rows = [
    ('images', f'{data_set.num_examples or "as many as the files hold"}'),
    ('sizes', 'feature vectors' if sizes == '1' else f'{sizes} pixels'),
    ('preset', data_set.preset),
    ('splits', ', '.join(data_set.splits)),
    ('without', ', '.join(data_set.hold_outs[1:])),
    ('licence', data_set.licence),
    ('home', data_set.homepage),
    ('cite', data_set.citation),
    ('note', data_set.note),
    ('TFDS', data_set.tfds_name),
  ]
  if data_set.num_bytes:
    rows.insert(1, ('memory', f'{data_set.num_bytes / 1e9:.2f} GB as uint8'))
  rows += [('file', files.describe(file)) for file in data_set.files]
  if data_set.files:
    rows.append(('put in', str(files.default_place(data_set.name))))
  for name, values in data_set.factors.items():
    shown = ', '.join(map(str, values[:6]))
    more = ', ...' if len(values) > 6 else ''
    rows.append(('factor', f'{name} ({len(values)}): {shown}{more}'))
  for label, text in rows:
    if text:
      print(f'  {label:8} {text}')


def _prepare(data_set: catalog.DataSet, arguments: argparse.Namespace) -> None:
  from structae.data import manifest
  from structae.data import prepare as preparing

  crop = arguments.crop
  if crop is not None and crop.isdecimal():
    crop = int(crop)
  folder = preparing.prepare(
    data_set,
    arguments.place,
    preparing.Options(
      size=arguments.size,
      crop=crop,
      verify=arguments.verify,
      skip_corrupt=arguments.skip_corrupt,
      copy=arguments.copy,
    ),
    arguments.cache,
  )
  made = manifest.load(folder)
  for name, why in made.skipped.items():
    print(f'Left out: {name} ({why})', file=sys.stderr)
  shape = 'x'.join(map(str, made.image_shape))
  print(f'{made.name}: {made.num_examples:,} images of {shape} in {folder}')


def main(arguments: list[str] | None = None) -> int:
  """Runs one command; returns the exit code, 2 for a mistake of the user."""
  parsed = _parser().parse_args(arguments)
  try:
    if parsed.command == 'list':
      _list()
    elif parsed.command == 'info':
      _info(catalog.get(parsed.name))
    else:
      _prepare(catalog.get(parsed.name), parsed)
  except ValueError as error:
    print(str(error).replace('\n', ' '), file=sys.stderr)
    return 2
  except KeyboardInterrupt:
    print('Stopped; the same command goes on from here.', file=sys.stderr)
    return 130
  return 0
