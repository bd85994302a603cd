"""The weights of the FID Inception: where they are, and how they are read.

They are searched on this machine, and downloaded only on request. A `.pth`
file is read without running it; `.npz` and `.safetensors` files hold the same
names, such as `Mixed_5b.branch1x1.conv.weight`, and the same layout.
"""

import hashlib
import os
import pathlib
import tempfile
import urllib.request
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import platformdirs

from structae import files, tensor_file
from structae.evaluation.images import torch_file

FILE_NAME = 'pt_inception-2015-12-05-6726825d.pth'
URL = (
  'https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/'
  + FILE_NAME
)
NUM_BYTES = 95_628_359
SHA256 = '6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2'

_MOST_BYTES = 300_000_000  # the weights in float64 are 191,000,000
_NORM = {
  'scale': 'weight',
  'bias': 'bias',
  'mean': 'running_mean',
  'var': 'running_var',
}


class Weights(NamedTuple):
  """What `InceptionV3.apply` takes, and where it comes from.

  Attributes:
    variables: the parameters of the Flax modules.
    digest: a SHA-256 over names and float32 numbers: the same weights have the
      same digest in every file format.
    is_published: whether the file has the published checksum.
  """

  variables: dict[str, dict]
  digest: str
  is_published: bool


def at_random() -> Weights:
  """Weights of no use but to measure speed, which does not depend on them."""
  from structae.evaluation.images import inception

  rng = np.random.default_rng(0)
  params: dict = {}
  for name, shape in inception.parameter_shapes().items():
    *parents, leaf = name.split('.')
    node = params
    for parent in parents:
      node = node.setdefault(parent, {})
    value = rng.normal(0, np.prod(shape[:-1]) ** -0.5, shape)
    kept = np.ones(shape) if leaf == 'var' else value
    node[leaf] = kept.astype(np.float32)
  return Weights({'params': params}, 'random', False)


def load_weights(
  path: str | os.PathLike | None = None, *, download: bool = False
) -> Weights:
  """Loads the weights of `structae.evaluation.images.inception.InceptionV3`.

  Args:
    path: a `.pth`, `.npz` or `.safetensors` file; None looks for the
      published one in the cache folders.
    download: whether to fetch the published file if it is not there.

  Returns:
    The weights.

  Raises:
    FileNotFoundError: if there is no file; the message says what to fetch,
      from where, and where to put it.
    ValueError: if the file is damaged, is not the one that its name says, or
      does not hold these weights.
  """
  file = find_weights(path, download=download)
  tensors = _read_tensors(file)
  return Weights(*_to_variables(tensors, file), _difference(file) is None)


def cache_file() -> pathlib.Path:
  """The place where the published weights are kept."""
  return pathlib.Path(platformdirs.user_cache_dir('structae')) / FILE_NAME


def find_weights(
  path: str | os.PathLike | None = None, *, download: bool = False
) -> pathlib.Path:
  """Finds the weight file, and checks the published one.

  Args:
    path: a file, or None for the published one.
    download: whether to fetch it if it is not there.

  Returns:
    The file.

  Raises:
    FileNotFoundError: if there is none.
    ValueError: if it carries the published name and not its checksum.
  """
  if path is not None:
    given = pathlib.Path(path).expanduser()
    if not given.is_file():
      raise FileNotFoundError(f'No Inception weights at {given}. {_advice()}')
    # Other tools keep the file under names with the same start of its sum.
    return _checked(given) if SHA256[:8] in given.name else given
  for candidate in (cache_file(), _torch_hub_file()):
    if candidate.is_file():
      return _checked(candidate)
  if not download:
    raise FileNotFoundError(f'The Inception weights are missing. {_advice()}')
  return _download(cache_file())


def _advice() -> str:
  return (
    f'Fetch {URL} ({NUM_BYTES} bytes, SHA-256 {SHA256}) to {cache_file()}, '
    'or ask for the download.'
  )


def _torch_hub_file() -> pathlib.Path:
  """Where pytorch-fid leaves the same file."""
  cache = os.environ.get('XDG_CACHE_HOME', '~/.cache')
  home = pathlib.Path(os.environ.get('TORCH_HOME', f'{cache}/torch'))
  return home.expanduser() / 'hub' / 'checkpoints' / FILE_NAME


def _checked(path: pathlib.Path) -> pathlib.Path:
  difference = _difference(path)
  if difference:
    raise ValueError(f'{path} has {difference}; remove it and fetch it again.')
  return path


def _difference(path: pathlib.Path) -> str | None:
  """How a file differs from the published one; None if it does not."""
  size = path.stat().st_size
  if size != NUM_BYTES:
    return f'{size} bytes, not {NUM_BYTES}'
  with path.open('rb') as stream:
    digest = hashlib.file_digest(stream, 'sha256').hexdigest()
  return None if digest == SHA256 else f'SHA-256 {digest}, not {SHA256}'


def _download(target: pathlib.Path) -> pathlib.Path:
  """Fetches the published file; a half one never takes its name."""
  target.parent.mkdir(parents=True, exist_ok=True)
  with tempfile.TemporaryDirectory(dir=target.parent) as folder:
    part = pathlib.Path(folder) / FILE_NAME
    try:
      with urllib.request.urlopen(URL, timeout=60) as source:
        with part.open('wb') as sink:
          # One byte more than it has: a longer file fails its check early.
          left = NUM_BYTES + 1
          while left and (chunk := source.read(min(left, 2**20))):
            left -= sink.write(chunk)
    except OSError as error:
      raise FileNotFoundError(
        f'The Inception weights could not be fetched ({error}). {_advice()}'
      ) from error
    if difference := _difference(part):
      raise ValueError(f'{URL} gave {difference}. {_advice()}')
    os.replace(part, target)
  return target


def _read_tensors(path: pathlib.Path) -> Mapping[str, np.ndarray]:
  """Reads the tensors of a file by name, without running any of it."""
  if path.stat().st_size > _MOST_BYTES:
    raise ValueError(f'{path} exceeds {_MOST_BYTES} bytes: no FID Inception.')
  match path.suffix:
    case '.pth' | '.pt':
      return torch_file.read_torch(path)
    case '.npz':
      read: Callable = files.unpack
    case '.safetensors':
      read = lambda stream: tensor_file.unpack(stream)[0]
    case _:
      raise ValueError(
        f'{path} must be a .pth, .npz or .safetensors file, got '
        f'{path.suffix!r}.'
      )
  with files.one_line(path, f'{path.suffix} file') as stream:
    return read(stream)


def _to_variables(
  tensors: Mapping[str, np.ndarray], path: pathlib.Path
) -> tuple[dict[str, dict], str]:
  """Renames and transposes into the parameters of the Flax modules."""
  # Here alone, so that finding a file needs no jax.
  from structae.evaluation.images import inception

  params: dict = {}
  digest = hashlib.sha256()
  for name, shape in sorted(inception.parameter_shapes().items()):
    published, axes = _published(name)
    if published not in tensors:
      raise ValueError(
        f'{path} lacks {published}: it does not hold the FID Inception.'
      )
    array = np.asarray(tensors[published])
    if array.ndim != len(shape) or array.transpose(axes).shape != shape:
      raise ValueError(
        f'{path}: {published} has shape {array.shape}, which does not fit the '
        f'FID Inception.'
      )
    if array.dtype.kind != 'f':
      raise ValueError(f'{path}: {published} is {array.dtype}, not floats.')
    array = np.ascontiguousarray(array.transpose(axes), '<f4')
    if not np.isfinite(array).all():
      raise ValueError(f'{path}: {published} is not finite.')
    digest.update(name.encode())
    digest.update(array.tobytes())
    *parents, leaf = name.split('.')
    node = params
    for parent in parents:
      node = node.setdefault(parent, {})
    node[leaf] = array
  return {'params': params}, digest.hexdigest()


def _published(name: str) -> tuple[str, list[int]]:
  """The published name of a parameter, and the axes that bring it here."""
  module, leaf = name.rsplit('.', 1)
  if module == 'fc':
    return ('fc.weight', [1, 0]) if leaf == 'kernel' else ('fc.bias', [0])
  if leaf == 'kernel':
    return f'{module}.conv.weight', [2, 3, 1, 0]
  return f'{module}.bn.{_NORM[leaf]}', [0]
