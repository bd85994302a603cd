"""Draws new images from a trained model: a run, or a saved model.

  structae sample runs/sae12-shapes3d_synth-quick-1a2b3c4d
  structae sample DIR --num=1000 --kind=prior --output=samples.npz

The output is a sheet (FILE.png), a folder of single pictures (a name without
an ending), or arrays (FILE.npz: images, uint8 [S, H, W, C], and their codes
[S, K, D]). It must be new. The same model and seed give the same samples.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from structae import files
from structae.commands.parser import (
  Parser,
  at_least,
  check_folder,
  check_new,
  new_folder,
  run,
)
from structae.config import ConfigError

if TYPE_CHECKING:  # slow to import
  import numpy as np

KINDS = ('hybrid', 'hybrid_by_dimension', 'prior')
_MOST_ON_A_SHEET = 2500


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = Parser('structae sample', __doc__)
  parser.add_argument(
    'folder', type=Path, metavar='DIR', help='a run, or a saved model'
  )
  parser.add_argument(
    '--num', type=at_least(1), default=64, help='how many [64]'
  )
  parser.add_argument(
    '--seed', type=at_least(0), default=0, help='of the draw [0]'
  )
  parser.add_argument(
    '--kind', choices=KINDS, default='hybrid',
    help='each variable from another stored code (hybrid, the default), each '
    'single number (hybrid_by_dimension), or the prior, where there is one',
  )  # fmt: skip
  parser.add_argument(
    '--output', type=Path, metavar='OUT', default=Path('samples.png'),
    help='FILE.png, FILE.npz or FOLDER [samples.png]',
  )  # fmt: skip
  asked = parser.parse_args(argv)
  return run(lambda: _run(asked))


def _run(asked: argparse.Namespace) -> None:
  check_folder(asked.folder)
  output = check_new(asked.output, ('.png', '.npz', ''))
  if output.suffix == '.png' and asked.num > _MOST_ON_A_SHEET:
    raise ConfigError(
      f'--num is {asked.num}; a sheet shows at most {_MOST_ON_A_SHEET}: give a '
      'folder or FILE.npz as --output'
    )
  import numpy as np

  import structae

  model = structae.load_pretrained(asked.folder)
  if len(model.image_shape) == 1 and output.suffix != '.npz':
    raise ConfigError(
      f'{asked.folder} makes feature vectors, no pictures: --output=FILE.npz'
    )
  codes = np.asarray(model.sample_codes(asked.seed, asked.num, asked.kind))
  images = model.decode(codes)
  if output.suffix == '.npz':
    with files.replacing(output) as path:
      np.savez(
        path, images=images, codes=codes, kind=asked.kind, seed=asked.seed
      )
  else:
    _write_pictures(output, images)
  print(f'{asked.num:,} {asked.kind} samples: {output}')


def _write_pictures(output: Path, images: 'np.ndarray') -> None:
  from structae.figures import grids

  if output.suffix == '.png':
    grids.save_png(output, grids.grid(images))
    return
  width = len(str(len(images) - 1))
  with new_folder(output) as folder:
    for i, image in enumerate(images):
      (folder / f'{i:0{width}}.png').write_bytes(grids.png(image))
