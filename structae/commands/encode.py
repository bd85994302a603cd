"""Encodes your own images with a trained model: a run, or a saved model.

structae encode DIR --images=PICTURES [--output=codes.npz]

PICTURES is a folder (searched to any depth), a picture, an .npy file, or an
.npz or .h5 file with `images`. The largest centred square is cut out and
resized to the model's size, as for the data set `folder`; --crop=squash keeps
the whole picture and changes its aspect ratio. The output is in the format of
a run's saved codes: codes [N, K, D], log_var where the posterior is Gaussian,
factors if the file has some, and the names of the pictures in meta. It must be
new. `structae evaluate --codes=codes.npz` scores it where there
are factors.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from structae.commands import parser as arguments


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = arguments.Parser('structae encode', __doc__)
  parser.add_argument('folder', metavar='DIR', help='a run, or a saved model')
  parser.add_argument('--images', type=Path, required=True,
                      metavar='PICTURES', help='what to encode')  # fmt: skip
  parser.add_argument('--output', type=Path, default=Path('codes.npz'),
                      metavar='FILE', help='[codes.npz]')  # fmt: skip
  parser.add_argument(
    '--reconstructions',
    type=Path,
    metavar='FILE.png',
    help='a sheet: the first images above their reconstructions',
  )
  parser.add_argument(
    '--crop',
    choices=('centre', 'squash'),
    help='how pictures become square [as in training on `folder`, else centre]',
  )
  asked = parser.parse_args(argv)
  return arguments.run(lambda: _run(asked))


def _run(asked: Any) -> None:
  arguments.check_new(asked.output, ('.npz',))
  if asked.reconstructions:
    arguments.check_new(asked.reconstructions, ('.png',))
  import numpy as np

  import structae
  from structae.config import ConfigError
  from structae.data import examples as own_examples
  from structae.evaluation import codes as saved
  from structae.figures import grids

  model = structae.load_pretrained(asked.folder)
  if asked.reconstructions and len(model.image_shape) == 1:
    raise ConfigError(
      f'{asked.folder} takes feature vectors: there are no reconstructions to '
      'look at'
    )
  crop = asked.crop or own_examples.usual_crop(model.config.data)
  examples = own_examples.open_examples(asked.images, model.image_shape, crop)
  codes = encode(model, examples, asked.images, crop)
  if asked.reconstructions:
    from structae.figures import run_figures as drawing

    num = min(drawing.NUM_RECONSTRUCTIONS, len(codes.codes))
    decoded = model.decode(codes.codes[:num])
    sheet = grids.pairs(examples.read(0, num), np.asarray(decoded))
    grids.save_png(asked.reconstructions, sheet)
    print(f'{num} reconstructions: {asked.reconstructions}')
  saved.save(asked.output, codes)
  print(f'codes {list(codes.codes.shape)}: {asked.output}')


def encode(model: Any, examples: Any, path: Path, crop: str) -> Any:
  """Encodes all examples, a block at a time.

  Args:
    model: a `structae.Pretrained`.
    examples: what to encode, see `own_examples.open_examples`.
    path: where they come from.
    crop: how they became square.

  Returns:
    `evaluation.codes.Codes`.

  Raises:
    ConfigError: if a picture cannot be read.
  """
  import jax
  import numpy as np
  import tqdm

  from structae import workdir
  from structae.data import examples as own_examples
  from structae.data import pipeline
  from structae.evaluation import codes as saved

  num, config = examples.num_examples, model.config
  batch_size = min(num, config.evaluation.batch_size)
  parts = []
  for start in tqdm.trange(0, num, examples.block, unit='block', disable=None):
    rows = examples.read(start, min(start + examples.block, num))
    own_examples.check_readable(examples, path)
    parts.append(pipeline.map_batches(model.posterior, rows, batch_size))
  whole = jax.tree.map(lambda *p: np.concatenate(p), *parts)
  return saved.Codes(
    codes=whole.mean,
    log_var=whole.log_var,
    factors=examples.factors,
    factor_names=tuple(examples.factor_names),
    factor_sizes=tuple(examples.factor_sizes),
    indices=np.arange(num),
    meta={
      'data': path.name,
      'size': config.data.size,
      'crop': crop,
      'split': 'all',
      'files': list(examples.names),
      'model': config.model.to_dict(),
      **{
        k: model.about[k] for k in ('step', 'config_hash') if k in model.about
      },
      'versions': workdir.versions(),
    },
  )


if __name__ == '__main__':
  sys.exit(main())
