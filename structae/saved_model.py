"""A trained model as a folder: configuration, weights and a page about it."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

import structae
from structae import card, files, parameters, tensor_file
from structae import config as config_lib

FORMAT = 'structae-pretrained'
VERSION = 1  # of the folder; readers refuse later ones
WEIGHTS = 'model.safetensors'
DTYPES = ('float32', 'float16')  # of the parameters in it
SHEET = 'samples.png'
_NUM_DRAWN = 16
# Of config.json without `weights`, in the metadata of the weights, which
# config.json seals in turn. Folders that were written before have none.
_SEAL = 'settings_sha256'
_POOL = 'pool'  # stored codes, beside encoder.* and decoder.*


def write(
  folder: str | os.PathLike, model: Any, dtype: str = 'float32'
) -> Path:
  """Writes a model as a folder; see `structae.save_pretrained`."""
  folder = Path(folder).absolute()
  flat = _as_type(parameters.flatten(model.params), dtype)
  with files.new_folder(folder) as place:
    _write(place, folder.name, model, flat)
  return folder


def _as_type(params: dict[str, Any], dtype: str) -> dict[str, np.ndarray]:
  if dtype not in DTYPES:
    raise ValueError(f'dtype is {dtype!r:.80}, expected {" or ".join(DTYPES)}.')
  most = np.finfo(dtype).max
  for name, array in params.items():
    if not np.abs(array).max(initial=0) <= most:
      raise ValueError(f'{dtype} does not hold the parameter {name}.')
  return {name: np.asarray(array, dtype) for name, array in params.items()}


def _write(
  folder: Path, name: str, model: Any, flat: dict[str, np.ndarray]
) -> None:
  from safetensors import numpy as safetensors

  if model.pool is not None:
    flat[_POOL] = np.asarray(model.pool)
  about: dict[str, Any] = {
    'name': name,
    'config_hash': config_lib.config_hash(model.config),
    'digests': {},
    'scores': {},
    'versions': {'structae': structae.__version__},
    **model.about,
  }
  # As it will be read: the seal is of lists and of keys that are strings.
  content: dict[str, Any] = json.loads(
    json.dumps(
      about
      | {
        'format': FORMAT,
        'format_version': VERSION,
        'image_shape': list(model.image_shape),
        'config': _without_paths(model.config).to_dict(),
      },
      allow_nan=False,
    )
  )
  with files.replacing(folder / WEIGHTS) as path:
    metadata = {
      'format': FORMAT,
      'format_version': str(VERSION),
      'name': about['name'],
      'config_hash': about['config_hash'],
      _SEAL: files.seal(content),
    }
    # Its own writer of files would keep them from other users' eyes.
    path.write_bytes(safetensors.save(flat, metadata))
  size = (folder / WEIGHTS).stat().st_size
  digest = files.sha256(folder / WEIGHTS)
  content['weights'] = {'file': WEIGHTS, 'bytes': size, 'sha256': digest}
  text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
  files.write_text(folder / 'config.json', text + '\n')
  sheet = _draw(folder / SHEET, model)
  files.write_text(folder / 'README.md', card.text(model, about, name, sheet))


def _draw(path: Path, model: Any) -> str:
  """Draws new images; returns the name of the file, '' if there is none."""
  if not model.kinds or len(model.image_shape) == 1:
    return ''
  from structae.figures import grids  # which imports matplotlib

  images = model.sample(0, _NUM_DRAWN, model.kinds[0])
  grids.save_png(path, grids.grid(images, 8))
  return path.name


def _without_paths(config: Any) -> Any:
  """Folders of this machine are of no use elsewhere, and nobody's business."""
  config = config.copy_and_resolve_references()
  config.data.path = config.train.hook = ''
  config.train.init_from = Path(config.train.init_from).name
  return config


def read(
  folder: Path, content: dict[str, Any]
) -> tuple[dict[str, Any], np.ndarray | None, dict[str, Any]]:
  """Reads what `write` wrote.

  Args:
    folder: of a saved model.
    content: of its `config.json`.

  Returns:
    The parameters, the stored codes or None, and where the model comes from.

  Raises:
    ValueError: one line: what is missing, damaged, of another program or of a
      later version.
  """
  path = folder / 'config.json'
  if content.get('format') != FORMAT:
    raise ValueError(f'{path}: unknown format {content.get("format")!r:.80}.')
  version = content.get('format_version')
  if type(version) is not int or version > VERSION:
    raise ValueError(
      f'{path} is of format version {version!r:.80}, newer than the {VERSION} '
      f'that structae {structae.__version__} reads; upgrade structae.'
    )
  flat = _read_weights(folder, content)
  pool = flat.pop(_POOL, None)
  for name in flat:
    if name.partition('.')[0] not in ('encoder', 'decoder'):
      raise ValueError(
        f'{folder / WEIGHTS} holds {name:.80}, no parameter of an encoder or '
        'a decoder: it is of another program.'
      )
  own = ('format', 'format_version', 'image_shape', 'config', 'weights')
  about = {name: v for name, v in content.items() if name not in own}
  return parameters.unflatten(flat), pool, about


def _read_weights(
  folder: Path, content: dict[str, Any]
) -> dict[str, np.ndarray]:
  path = folder / WEIGHTS
  try:
    known = content['weights']
    size, digest = known['bytes'], known['sha256']
    if set(known) != {'file', 'bytes', 'sha256'} or known['file'] != WEIGHTS:
      raise KeyError('file')
  except (KeyError, TypeError) as error:
    raise ValueError(
      f'{folder / "config.json"} is damaged: it has no name, size and '
      'sha256 of the weights.'
    ) from error
  if not path.is_file():
    raise ValueError(f'{path} is missing; fetch the folder again.')
  found = path.stat().st_size
  if found != size:
    raise ValueError(
      f'{path} has {found} bytes, config.json says {size}: it is cut off, or '
      'of another model; fetch the folder again.'
    )
  if files.sha256(path) != digest:
    raise ValueError(
      f'{path} has another sha256 than config.json says: it is damaged, or of '
      'another model; fetch the folder again.'
    )
  tensors, metadata = tensor_file.read(path)
  settings = {k: value for k, value in content.items() if k != 'weights'}
  if metadata.get(_SEAL, '') not in ('', files.seal(settings)):
    raise ValueError(
      f'{folder / "config.json"} has changed since it was written with the '
      'weights: it is damaged; fetch the folder again.'
    )
  return tensors
