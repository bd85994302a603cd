"""Your own model: trained, saved, scored and drawn like ours.

  python -m experiments.own_model [--folder=DIR] [--num_steps=N]

The model is two functions of a dictionary of arrays, without Flax: a linear
encoder of scikit-learn's 8x8 digits, and a decoder of one hidden layer.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from sklearn import datasets

from structae import sampling
from structae.codec import Codec
from structae.commands import parser as arguments
from structae.evaluation import codes as codes_lib
from structae.evaluation.metrics import mig
from structae.figures import grids
from structae.nn.posterior import Posterior
from structae.objectives import autoencoding, reconstruction
from structae.training import fit as fit_lib

NUM_VARIABLES = 8
SHAPE = (8, 8, 1)

Params = dict[str, jax.Array]  # any tree of arrays would do


def init(key: jax.Array) -> Params:
  """The parameters before training."""
  keys = jax.random.split(key, 3)
  sizes = {'encoder': (64, 2 * NUM_VARIABLES), 'hidden': (NUM_VARIABLES, 128),
           'out': (128, 64)}  # fmt: skip
  return {
    name: jax.random.normal(k, size) / size[0] ** 0.5
    for k, (name, size) in zip(keys, sizes.items())
  }


def encode(params: Params, images: jax.Array) -> Posterior:
  """Maps uint8 images `[B, 8, 8, 1]` to a Gaussian over codes `[B, 8, 1]`."""
  x = reconstruction.as_floats(images).reshape(len(images), -1)
  mean, log_var = jnp.split((x @ params['encoder'])[..., None], 2, 1)
  return Posterior(mean, log_var)


def decode(params: Params, codes: jax.Array) -> jax.Array:
  """Maps codes `[B, 8, 1]` to logits `[B, 8, 8, 1]`."""
  hidden = jnp.tanh(codes[..., 0] @ params['hidden'])
  return (hidden @ params['out']).reshape(len(codes), *SHAPE)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = arguments.Parser('python -m experiments.own_model', __doc__)
  parser.add_argument('--folder', type=Path, default=Path('runs/own_model'))
  parser.add_argument('--num_steps', type=arguments.at_least(1), default=2000)
  asked = parser.parse_args(argv)
  return arguments.run(lambda: train(asked.folder, asked.num_steps))


def train(
  folder: Path, num_steps: int
) -> tuple[list[dict[str, float]], dict[str, Any]]:
  """Trains, and writes codes and figures into a folder.

  Returns:
    The rows of training, and what `mig` answers.
  """
  digits = datasets.load_digits()
  images = np.round(digits.images * (255 / 16)).astype(np.uint8)[..., None]
  loss = autoencoding.autoencoding(
    encode, decode, autoencoding.kl_penalty(beta=1.0)
  )
  params, rows = fit_lib.fit(
    loss,
    init(jax.random.key(0)),
    images,
    num_steps=num_steps,
    optimizer=optax.adam(3e-3),
  )
  print(rows[-1])

  codec = Codec(encode, decode, params)
  posterior = codec.posterior(images)
  codes = codes_lib.Codes(
    codes=np.asarray(posterior.mean),
    log_var=np.asarray(posterior.log_var),
    factors=digits.target[:, None],
    factor_names=('digit',),
    factor_sizes=(10,),
    indices=np.arange(len(images)),
    meta={'data': 'digits', 'model': 'own_model'},
  )
  codes_lib.save(folder / 'codes.npz', codes)
  score = mig.mig(codes.codes[..., 0], codes.factors)
  print('mig', score['mig'])

  keys = jax.random.split(jax.random.key(1))
  samples = {
    'hybrid': sampling.hybrid(keys[0], jnp.asarray(codes.codes), 48),
    'prior': sampling.prior(keys[1], 48, NUM_VARIABLES, 1),
  }
  for name, new in samples.items():
    sheet = grids.grid(codec.decode(new), 8)
    grids.save_png(folder / 'figures' / f'{name}.png', sheet)
  return rows, score


if __name__ == '__main__':
  sys.exit(main())
