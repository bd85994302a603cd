"""Encodes your own images with a trained model: a run, or a saved model.

  structae encode DIR --images=PICTURES [--output=codes.npz]

PICTURES is a folder (searched to any depth), a picture, an .npy file, or an
.npz or .h5 file with `images`. The largest centred square is cut out and
resized to the model's size, as for the data set `folder`; --crop=squash keeps
the whole picture and changes its aspect ratio. The output is in the format of
a run's saved codes: codes [N, K, D], log_var where the posterior is Gaussian,
factors if the file has some, and the names of the pictures in meta. It must be
new. `structae evaluate --codes=codes.npz` scores it where there are factors.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from structae import streams
from structae.commands.parser import Parser, check_folder, check_new, run
from structae.config import ConfigError

if TYPE_CHECKING:  # each is imported later
  import numpy as np

  from structae.data.reading import Reading
  from structae.evaluation.codes import Codes
  from structae.model import Model

_NUM_SHOWN = 24


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = Parser('structae encode', __doc__)
  parser.add_argument(
    'folder', type=Path, metavar='DIR', help='a run, or a saved model'
  )
  parser.add_argument(
    '--images', type=Path, required=True, metavar='PICTURES',
    help='what to encode',
  )  # fmt: skip
  parser.add_argument(
    '--output', type=Path, default=Path('codes.npz'), metavar='FILE',
    help='[codes.npz]',
  )  # fmt: skip
  parser.add_argument(
    '--reconstructions', type=Path, metavar='FILE.png',
    help='a sheet: the first images above their reconstructions',
  )  # fmt: skip
  parser.add_argument(
    '--crop', choices=('centre', 'squash'),
    help='how pictures become square [as in training on `folder`, else centre]',
  )  # fmt: skip
  parser.add_argument(
    '--skip-corrupt', action='store_true',
    help='leave unreadable pictures out, and list them',
  )  # fmt: skip
  asked = parser.parse_args(argv)
  return run(lambda: _run(asked))


def _run(asked: argparse.Namespace) -> None:
  check_folder(asked.folder)
  check_new(asked.output, ('.npz',))
  if asked.reconstructions:
    check_new(asked.reconstructions, ('.png',))
  import structae
  from structae.data import examples
  from structae.evaluation import codes as saved
  from structae.figures import grids

  model = structae.load_pretrained(asked.folder)
  if asked.reconstructions and len(model.image_shape) == 1:
    raise ConfigError(
      f'{asked.folder} takes feature vectors: there are no reconstructions to '
      'look at'
    )
  crop = asked.crop or examples.usual_crop(model.config.data)
  opened = examples.open_examples(asked.images, model.image_shape, crop)
  codes = _encode(model, opened, asked.images, crop, asked.skip_corrupt)
  if asked.reconstructions:
    num = min(_NUM_SHOWN, len(codes.codes))
    decoded = model.decode(codes.codes[:num])
    sheet = grids.pairs(_first(opened, codes.indices[:num]), decoded)
    grids.save_png(asked.reconstructions, sheet)
    print(f'{num} reconstructions: {asked.reconstructions}')
  saved.save(asked.output, codes)
  print(f'codes {list(codes.codes.shape)}: {asked.output}')


def _first(opened: 'Reading', rows: 'np.ndarray') -> 'np.ndarray':
  """Some images by their numbers, which ascend."""
  start = int(rows[0])
  return opened.read(start, int(rows[-1]) + 1)[rows - start]


def _encode(
  model: 'Model', opened: 'Reading', path: Path, crop: str, skip: bool
) -> 'Codes':
  """Encodes all examples, a block at a time."""
  import jax
  import numpy as np
  import tqdm

  from structae import versions
  from structae.data import examples
  from structae.evaluation.codes import Codes

  num, config = opened.num_examples, model.config
  parts = []
  for start in tqdm.trange(0, num, opened.block, unit='block', disable=None):
    rows = opened.read(start, min(start + opened.block, num))
    if not skip:
      examples.check_readable(opened, path)
    good = [i for i in range(len(rows)) if start + i not in opened.corrupt]
    if good:
      parts.append(model.posterior(rows[good]))
  for row, why in sorted(opened.corrupt.items()):
    streams.note(f'left out: {opened.name_of(row)} ({why})')
  if not parts:
    raise ValueError(f'{path}: {opened.describe_corrupt()}')
  kept = np.setdiff1d(np.arange(num), [*opened.corrupt])
  factors = np.zeros((num, 0)) if opened.factors is None else opened.factors
  whole = jax.tree.map(lambda *p: np.concatenate(p), *parts)
  known = ('step', 'config_hash')
  return Codes(
    codes=whole.mean,
    log_var=whole.log_var,
    factors=factors[kept],
    factor_names=tuple(opened.factor_names),
    factor_sizes=tuple(opened.factor_sizes),
    indices=kept,
    meta={
      'data': path.name,
      'size': config.data.size,
      'crop': crop,
      'split': 'all',
      'files': [opened.names[i] for i in kept] if opened.names else [],
      'model': config.model.to_dict(),
      **{k: model.about[k] for k in known if k in model.about},
      'versions': versions.installed(versions.TRAINING),
    },
  )
