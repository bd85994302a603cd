"""Draws new images from a trained model: a run, or a saved model.

structae sample runs/sae12-shapes3d_synth-quick-1a2b3c4d
structae sample DIR --num=1000 --kind=prior --output=samples.npz

The output is a sheet (FILE.png), a folder of single pictures (a name without
an ending), or arrays (FILE.npz: images, uint8 [S, H, W, C], and their codes
[S, K, D]). It must be new. The same model and seed give the same samples.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from structae.commands import parser as arguments
from structae.config import ConfigError

KINDS = ('hybrid', 'hybrid_by_dimension', 'prior')
_MOST_ON_A_SHEET = 2500


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = arguments.Parser('structae sample', __doc__)
  parser.add_argument('folder', metavar='DIR', help='a run, or a saved model')
  parser.add_argument('--num', type=arguments.at_least(1), default=64,
                      help='how many [64]')  # fmt: skip
  parser.add_argument('--seed', type=arguments.at_least(0), default=0,
                      help='tells draws apart [0]')  # fmt: skip
  parser.add_argument(
    '--kind',
    choices=KINDS,
    default='hybrid',
    help='each variable from another stored code (hybrid, the default), each '
    'single number (hybrid_by_dimension), or the prior, where there is one',
  )
  parser.add_argument(
    '--output',
    type=Path,
    metavar='OUT',
    help='FILE.png, FILE.npz or FOLDER [samples.png]',
  )
  asked = parser.parse_args(argv)
  return arguments.run(lambda: _run(asked))


def _run(asked: Any) -> None:
  output = arguments.check_new(
    asked.output or Path('samples.png'), ('.png', '.npz', '')
  )
  if output.suffix == '.png' and asked.num > _MOST_ON_A_SHEET:
    raise ConfigError(
      f'--num is {asked.num}; a sheet shows at most {_MOST_ON_A_SHEET}: give a '
      'folder or FILE.npz as --output'
    )
  import jax
  import numpy as np

  import structae
  from structae.data import pipeline

  model = structae.load_pretrained(asked.folder)
  if len(model.image_shape) == 1 and output.suffix != '.npz':
    raise ConfigError(
      f'{asked.folder} makes feature vectors, no pictures: --output=FILE.npz'
    )
  key = jax.random.key(asked.seed)
  codes = np.asarray(model.sample_codes(key, asked.num, asked.kind))
  batch_size = min(asked.num, model.config.evaluation.batch_size)
  images = pipeline.map_batches(model.decode, codes, batch_size)
  _write(output, images, codes, asked)
  print(f'{asked.num:,} {asked.kind} samples: {output}')


def _write(output: Path, images: Any, codes: Any, asked: Any) -> None:
  import numpy as np

  from structae import files
  from structae.figures import grids

  if output.suffix == '.png':
    grids.save_png(output, grids.grid(images))
  elif output.suffix == '.npz':
    with files.replacing(output) as path:
      np.savez(path, images=images, codes=codes, kind=asked.kind,
               seed=asked.seed)  # fmt: skip
  else:
    width = len(str(len(images) - 1))
    with arguments.new_folder(output) as folder:
      for i, image in enumerate(images):
        (folder / f'{i:0{width}}.png').write_bytes(grids.png(image))


if __name__ == '__main__':
  sys.exit(main())
