"""Turns a finished run into a folder to keep, share or publish.

  structae export runs/sae12-shapes3d_synth-quick-1a2b3c4d sae12
  structae export RUN DIR --dtype=float16
  structae export RUN DIR --format=stablehlo

The folder holds config.json, model.safetensors (with 128 stored codes, so that
it samples at once) and README.md, a page about the model with its scores; no
data and no local path. `structae.load_pretrained(DIR)` opens it. It must be
new. With --dtype=float16 it takes half the space, and is opened as float32.

With --format=stablehlo the folder holds encoder.stablehlo (images [B, H, W, C]
in [0, 1] to codes [B, K, D]) and decoder.stablehlo (back), float32, for
programs without structae:
jax.export.deserialize(bytearray(content)).call(codes).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from structae.commands import parser as parsing
from structae.config import ConfigError
from structae.run import Run


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = parsing.Parser('structae export', __doc__)
  parser.add_argument(
    'run', type=Path, metavar='RUN', help='the folder of a finished run'
  )
  parser.add_argument(
    'folder', type=Path, metavar='DIR', help='the folder to make'
  )
  parser.add_argument(
    '--format',
    choices=('safetensors', 'stablehlo'),
    default='safetensors',
    help='what structae opens again, or two compiled functions [safetensors]',
  )
  parser.add_argument(
    '--dtype',
    choices=('float32', 'float16'),
    default='float32',
    help='of the parameters in model.safetensors [float32]',
  )
  asked = parser.parse_args(argv)
  return parsing.run(lambda: _run(asked))


def _run(asked: argparse.Namespace) -> None:
  parsing.check_folder(asked.run)
  run = Run(asked.run)
  run.check_form()
  if not run.is_finished:
    raise ConfigError(
      f'{asked.run} holds no finished run (it has no COMPLETE); train it first'
    )
  parsing.check_new(asked.folder, (asked.folder.suffix,))
  if asked.format == 'stablehlo' and asked.dtype != 'float32':
    raise ConfigError('--dtype is for --format=safetensors')
  import structae

  if asked.format == 'stablehlo':
    from structae import compiled

    try:
      print(f'saved: {compiled.write(asked.folder, run.model())}')
    except ImportError as error:
      raise ConfigError(str(error)) from error
    return
  structae.save_pretrained(asked.folder, run.model(), asked.dtype)
  opened = f"structae.load_pretrained('{asked.folder}')"
  print(f'saved: {asked.folder}; open it by {opened}')
