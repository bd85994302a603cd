"""Lists, describes and prepares data sets.

structae data list             all sets, a line each
structae data info NAME        what to fetch, from where, its checksum, where to
                               put it, the licence and whom to cite
structae data prepare NAME     makes a set ready for training, ahead of a run
structae data verify NAME|DIR  reads what was prepared, and compares checksums

Nothing is downloaded. Preparing is optional: a run does the same when it first
needs the set. To train on one:

structae train sae12:NAME [--config.data.path=DIR]
"""

import argparse
import pathlib
from collections.abc import Sequence

from structae import streams
from structae.commands import parser as arguments
from structae.data import catalog

_PREPARE = """Makes a data set ready for training, once.

Its original files are checked against their published checksums and turned
into plain uint8 arrays in the folder of prepared sets, where every run finds
them. They are only read, never changed. Stopped, the same command goes on from
there.

structae data prepare shapes3d --from=downloads
structae data prepare folder --from=my_pictures --size=64 --crop=squash
"""


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  asked = _parser().parse_args(argv)
  return arguments.run(lambda: asked.run(asked))


def _parser() -> arguments.Parser:
  parser = arguments.Parser('structae data', __doc__)
  commands = parser.add_subparsers(
    metavar='COMMAND',
    required=True,
    parser_class=arguments.Parser,
  )
  listing = commands.add_parser('list', help='all sets, a line each')
  listing.set_defaults(run=_list)
  info = commands.add_parser('info', help='all that is known of a set')
  info.set_defaults(run=_info)
  prepare = commands.add_parser(
    'prepare', help='make a set ready for training', description=_PREPARE
  )
  prepare.set_defaults(run=_prepare)
  verify = commands.add_parser(
    'verify', help='compare what was prepared with its checksums'
  )
  verify.add_argument(
    'name', metavar='NAME|DIR', help='a set, or a folder that was prepared'
  )
  verify.add_argument(
    '--cache', type=pathlib.Path, metavar='DIR',
    help='the folder of prepared sets [that of your system]',
  )  # fmt: skip
  verify.set_defaults(run=_verify)
  for command in (info, prepare):
    command.add_argument(
      'name', metavar='NAME', help='the set, see structae data list'
    )
  _add_flags(prepare)
  return parser


def _add_flags(parser: argparse.ArgumentParser) -> None:
  add = parser.add_argument
  crops = [
    f'{row.name}: {row.crop} [{row.crop.default}]'
    for row in catalog.CATALOG.values()
    if row.crop
  ]
  add('--from', dest='place', type=pathlib.Path, metavar='PATH',
      help='the original files: a folder, a file, or a folder that TensorFlow '
      'Datasets prepared [where `structae data info NAME` says]')  # fmt: skip
  add('--cache', type=pathlib.Path, metavar='DIR',
      help='the folder of prepared sets [that of your system]; give the '
      'folder that is printed to runs as --config.data.path')  # fmt: skip
  add('--size', type=arguments.at_least(1), default=0, metavar='PIXELS',
      help="the side of the images [the set's usual one]")  # fmt: skip
  add('--crop', help=f'how pictures become square; {"; ".join(crops)}')
  add('--no-verify', dest='verify', action='store_false',
      help='accept files of another size or checksum than the published '
      'ones')  # fmt: skip
  add('--skip-corrupt', action='store_true',
      help='leave unreadable pictures out, and list them')  # fmt: skip
  add('--copy', action='store_true',
      help='copy the images even where they can be mapped inside the '
      'original file')  # fmt: skip


def _list(asked: argparse.Namespace) -> None:
  del asked
  for row in catalog.CATALOG.values():
    number = f'{row.num_examples:,}' if row.num_examples else '-'
    shape = 'x'.join(map(str, row.image_shape)) or 'any'
    print(f'{row.name:16}{number:>12}  {shape:12}{row.title}')


def _info(asked: argparse.Namespace) -> None:
  from structae.data import originals

  row = catalog.get(asked.name)
  sizes = ', '.join(map(str, row.sizes)) or 'any'
  print(f'{row.name}: {row.title}')
  rows = [
    ('images', f'{row.num_examples or "as many as the files hold"}'),
    ('sizes', 'feature vectors' if sizes == '1' else f'{sizes} pixels'),
    ('crop', f'{row.crop} [{row.crop.default}]' if row.crop else ''),
    ('preset', row.preset),
    ('splits', ', '.join(row.splits)),
    ('without', ', '.join(row.hold_outs[1:])),
    ('licence', row.licence),
    ('home', row.homepage),
    ('cite', row.citation),
    ('note', row.note),
    ('TFDS', row.tfds.name if row.tfds else ''),
  ]
  if row.num_bytes:
    rows.insert(1, ('memory', f'{row.num_bytes / 1e9:.2f} GB as uint8'))
  rows += [('file', file.describe()) for file in row.files]
  if row.files:
    rows.append(('put in', str(originals.default_place(row.name))))
  for name, values in row.factors.items():
    shown = ', '.join(map(str, values[:6]))
    more = ', ...' if len(values) > 6 else ''
    rows.append(('factor', f'{name} ({len(values)}): {shown}{more}'))
  for label, text in rows:
    if text:
      print(f'  {label:8} {text}')


def _prepare(asked: argparse.Namespace) -> None:
  row = catalog.get(asked.name)
  from structae.data import manifest, prepare

  crop = asked.crop
  if crop is not None and crop.isdecimal():
    crop = int(crop)
  folder = prepare.prepare(
    row,
    asked.place,
    prepare.Options(
      size=asked.size,
      crop=crop,
      verify=asked.verify,
      skip_corrupt=asked.skip_corrupt,
      copy=asked.copy,
    ),
    asked.cache,
  )
  made = manifest.load(folder)
  for name, reason in made.skipped.items():
    streams.note(f'left out: {name} ({reason})')
  shape = 'x'.join(map(str, made.image_shape))
  print(f'{made.name}: {made.num_examples:,} images of {shape} in {folder}')


def _verify(asked: argparse.Namespace) -> None:
  from structae.data import manifest, prepare

  folders = [pathlib.Path(asked.name)]
  if not (folders[0] / manifest.NAME).is_file():
    folders = prepare.prepared(catalog.get(asked.name), asked.cache)
  if not folders:
    raise ValueError(f'{asked.name}: nothing was prepared of it.')
  damaged = []
  for folder in folders:
    try:
      made = manifest.load(folder)
      manifest.verify(folder, made)
      print(f'{folder}: {made.num_examples:,} images, undamaged')
    except ValueError as error:
      damaged.append(str(error))
  if damaged:
    raise ValueError(' '.join(damaged))
