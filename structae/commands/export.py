"""Turns a finished run into a folder to keep, share or publish.

  structae export runs/sae12-shapes3d_synth-quick-1a2b3c4d sae12
  structae export RUN DIR --dtype=float16
  structae export RUN DIR --format=stablehlo|onnx|torch [--batch=N]

The folder holds config.json, model.safetensors (with 128 stored codes, so that
it samples at once), samples.png and README.md, a page about the model; no
data and no local path. `structae.load_pretrained(DIR)` opens it. It must be
new. With --dtype=float16 it takes half the space, and is opened as float32.

Other formats are for programs without structae, float32: an encoder (images
[B, H, W, C] in [0, 1] to codes [B, K, D]) and a decoder (back). stablehlo and
onnx are two files, of any number of examples or of --batch=N; torch is a module
of PyTorch that anybody can read, structae_model.py, with its weights.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from structae.commands import parser as parsing
from structae.config import ConfigError
from structae.run import Run

_OF_ANY_BATCH = ('stablehlo', 'onnx')


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
    choices=('safetensors', *_OF_ANY_BATCH, 'torch'),
    default='safetensors',
    help='what structae opens again, or another program [safetensors]',
  )
  parser.add_argument(
    '--batch',
    type=parsing.at_least(1),
    metavar='N',
    help='examples at a time, of stablehlo and onnx [any]',
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
  if asked.batch and asked.format not in _OF_ANY_BATCH:
    raise ConfigError(
      f'--batch={asked.batch} is for --format={" and ".join(_OF_ANY_BATCH)}'
    )
  parsing.check_folder(asked.run)
  run = Run(asked.run)
  run.check_form()
  if not run.is_finished:
    raise ConfigError(
      f'{asked.run} holds no finished run (it has no COMPLETE); train it first'
    )
  parsing.check_new(asked.folder, (asked.folder.suffix,))
  if asked.format != 'safetensors':
    if asked.dtype != 'float32':
      raise ConfigError('--dtype is for --format=safetensors')
    print(f'saved: {_write(asked, run)}')
    return
  import structae

  structae.save_pretrained(asked.folder, run.model(), asked.dtype)
  opened = f"structae.load_pretrained('{asked.folder}')"
  print(f'saved: {asked.folder}; open it by {opened}')


def _write(asked: argparse.Namespace, run: Run) -> Path:
  """Writes a run for another program."""
  from structae import compiled
  from structae.formats import onnx_file, torch_folder

  if asked.format == 'torch':
    return torch_folder.write(asked.folder, run.model())
  write = {'stablehlo': compiled.write, 'onnx': onnx_file.write}[asked.format]
  return write(asked.folder, run.model(), asked.batch)
