"""The kinds of files: how each is made, tiny, and how it is read."""

import dataclasses
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from experiments.fuzz import artefacts
from structae import files, saved_model
from structae.config import saved
from structae.data import catalog, manifest, prepare
from structae.data.sets import folder as folder_lib
from structae.evaluation import score_file
from structae.evaluation.images import files as image_files
from structae.evaluation.images import moments, statistics, torch_file
from structae.pages import embedding
from structae.run import Run
from structae.training import checkpoint, rows


@dataclasses.dataclass(frozen=True)
class Kind:
  """A kind of file.

  Attributes:
    make: writes files into a new folder; returns those to damage.
    read: reads the folder; returns all of its content, to be compared.
    sealed: whether another content must be noticed.
  """

  make: Callable[[Path], list[Path]]
  read: Callable[[Path], Any]
  sealed: bool = False


def _run_file(name: str, read: Callable[[Run], Any], **more: Any) -> Kind:
  def make(folder: Path) -> list[Path]:
    return [artefacts.run(folder / 'run').folder / name]

  return Kind(make, lambda folder: read(Run(folder / 'run')), **more)


def _file(
  name: str,
  write: Callable[[Path], Any],
  read: Callable[[Path], Any],
  **more: Any,
) -> Kind:
  def make(folder: Path) -> list[Path]:
    write(folder / name)
    return [folder / name]

  return Kind(make, lambda folder: read(folder / name), **more)


def _make_checkpoint(folder: Path) -> list[Path]:
  (folder / 'd').mkdir()
  (folder / '_METADATA').write_text('{"tree": 1}')
  (folder / 'd' / '0').write_bytes(bytes(range(200)))
  checkpoint.seal(folder)
  return [path for path in folder.rglob('*') if path.is_file()]


def _read_checkpoint(folder: Path) -> Any:
  if reason := checkpoint.damage(folder):
    raise ValueError(reason)
  sums = json.loads((folder / checkpoint.SEAL).read_text())
  return {name: (folder / name).read_bytes() for name in sums}


def _make_weights(folder: Path) -> list[Path]:
  from safetensors import numpy as safetensors

  path = folder / saved_model.WEIGHTS
  tensors = {'encoder.a': np.arange(6.0), 'decoder.b.c': np.ones((2, 3))}
  path.write_bytes(safetensors.save(tensors))
  return [path]


def _read_weights(folder: Path) -> Any:
  if not (folder / 'config.json').exists():
    path = folder / saved_model.WEIGHTS
    size, digest = path.stat().st_size, files.sha256(path)
    about = {'file': path.name, 'bytes': size, 'sha256': digest}
    content = {'format': saved_model.FORMAT, 'format_version': 1}
    text = json.dumps(content | {'weights': about})
    (folder / 'config.json').write_text(text)
  content = files.read_object(folder / 'config.json')
  return saved_model.read(folder, content)


def _make_prepared(folder: Path) -> list[Path]:
  original = folder / 'blocks.npz'
  factors = np.arange(12).reshape(6, 2) % 3
  np.savez(original, images=artefacts.pictures(), factors=factors)
  options = prepare.Options(size=8, copy=True)
  place = prepare.prepare(
    catalog.get('folder'), original, options, folder / 'cache'
  )
  place.rename(folder / 'set')
  return sorted((folder / 'set').iterdir())


def _read_prepared(folder: Path) -> Any:
  place = folder / 'set'
  options = prepare.Options(size=8)
  prepare.prepare(catalog.get('folder'), place, options, folder / 'cache')
  found = manifest.load(place)
  manifest.verify_once(place, found)
  images = np.asarray(manifest.map_images(place, found))
  return [images, manifest.load_array(place, 'factors'), found.factor_sizes]


def _write_h5(path: Path) -> None:
  import h5py

  with h5py.File(path, 'w') as file:
    file['images'] = artefacts.pictures()
    file['factors'] = np.arange(12).reshape(6, 2) % 3
    file.create_dataset('factor_names', data=['hue', 'scale'])


def _write_npz(path: Path) -> None:
  factors = np.arange(12).reshape(6, 2) % 3
  names = np.array(['hue', 'scale'])
  np.savez(
    path, images=artefacts.pictures(), factors=factors, factor_names=names
  )


def _read_images(path: Path) -> Any:
  found = folder_lib.read_folder(path, 8)
  images = found.read(0, found.num_examples)
  if found.corrupt:
    raise ValueError(f'{sorted(found.corrupt)} cannot be read')
  return [images, found.factors, found.factor_names]


def _write_pictures(path: Path) -> None:
  from PIL import Image

  path.mkdir()
  for i, picture in enumerate(artefacts.pictures(2)):
    Image.fromarray(picture).save(path / f'{i}.png')


def _make_pictures(folder: Path) -> list[Path]:
  _write_pictures(folder / 'pictures')
  return sorted((folder / 'pictures').iterdir())


def _write_torch(path: Path) -> None:
  """What torch.save writes of one tensor, [2, 3] float32."""
  text = lambda x: b'X' + struct.pack('<i', len(x)) + x
  storage = (
    b'(' + text(b'storage') + b'ctorch\nFloatStorage\n' + text(b'0')
    + text(b'cpu') + b'K\x06tQ'
  )  # fmt: skip
  empty = b'ccollections\nOrderedDict\n)R'
  tensor = (
    b'ctorch._utils\n_rebuild_tensor_v2\n(' + storage
    + b'K\x00K\x02K\x03\x86K\x03K\x01\x86\x89' + empty + b'tR'
  )  # fmt: skip
  program = b'\x80\x02' + empty + b'(' + text(b'conv.weight') + tensor + b'u.'
  assert pickle.PROTO == program[:1]
  with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr('archive/data.pkl', program)
    archive.writestr('archive/data/0', np.arange(6, dtype='<f4').tobytes())


def _read_stream(path: Path) -> Any:
  return np.concatenate([*image_files.stream(path)])


def _write_picture(path: Path) -> None:
  from PIL import Image

  stream = io.BytesIO()
  Image.fromarray(artefacts.pictures(1)[0]).save(stream, path.suffix[1:])
  path.write_bytes(stream.getvalue())


def _write_statistics(path: Path) -> None:
  rows = np.random.default_rng(0).normal(size=(6, 8))
  made = statistics.FeatureStatistics(moments.moments(rows), rows, {'a': 1})
  statistics.save_statistics(path, made)


KINDS: dict[str, Kind] = {
  'codes': _run_file(
    'codes/train.npz', lambda run: tuple(run.codes('train')), sealed=True
  ),
  'pool': _run_file(
    'pool.npz', lambda run: files.read_arrays(run.folder / 'pool.npz'),
    sealed=True,
  ),
  'samples': _run_file('samples.npz', lambda run: run.samples, sealed=True),
  'checkpoint': Kind(_make_checkpoint, _read_checkpoint, sealed=True),
  'safetensors': Kind(_make_weights, _read_weights, sealed=True),
  'prepared': Kind(_make_prepared, _read_prepared, sealed=True),
  'config': _run_file(
    'config.json', lambda run: saved.read(run.folder / 'config.json')[1]
  ),
  'page config': _run_file(
    'config.json', lambda run: [run.settings, run.versions, run.name]
  ),
  'scores': _run_file(
    'scores.json',
    lambda run: [run.scores, run.matrices, score_file.table(run.score_content)],
  ),
  'metrics': _run_file('metrics.jsonl', lambda run: run.rows),
  'timing': _file(
    'timing.jsonl',
    lambda path: path.write_text('{"step": 1, "seconds": 2.5}\n' * 9),
    rows.read,
  ),
  'h5': _file('a.h5', _write_h5, _read_images),
  'npz': _file('a.npz', _write_npz, _read_images),
  'npy': _file(
    'a.npy', lambda path: np.save(path, artefacts.pictures()), _read_images
  ),
  'tiff': _file('a.tiff', _write_picture, _read_images),
  'pictures': Kind(
    _make_pictures, lambda folder: _read_images(folder / 'pictures')
  ),
  'torch': _file('a.pth', _write_torch, torch_file.read_torch),
  'statistics': _file(
    'a.npz', _write_statistics, statistics.load_statistics, sealed=True
  ),
  'figure': _file(
    'a.png', _write_picture, lambda path: embedding.embed_files([path], 10**6)
  ),
  'image archive': _file('b.npz', _write_npz, _read_stream),
}  # fmt: skip
