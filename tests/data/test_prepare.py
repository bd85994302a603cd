"""A set is prepared once, by one process, and the originals stay."""

import dataclasses
import hashlib
import json
import multiprocessing
import os
import pathlib
import shutil
import threading

import filelock
import numpy as np
import pytest

from structae import files
from structae.data import manifest, originals, prepare
from tests.data import layouts
from tests.data.preparing import UNCHECKED, run


def test_prepared_once_and_told_apart(tmp_path):
  data_set = layouts.small('shapes3d', (2, 2, 2, 2, 2, 2))
  path = tmp_path / '3dshapes.h5'
  layouts.shapes3d(path, data_set)
  folder, _, first, _ = run(data_set, path, tmp_path)
  stamp = (folder / 'images.npy').stat().st_mtime_ns
  again, *_ = run(data_set, path, tmp_path)
  assert again == folder
  assert (folder / 'images.npy').stat().st_mtime_ns == stamp
  # Without a place, what was prepared is found.
  root = tmp_path / 'cache'
  options = prepare.Options(verify=False)
  found = prepare.prepare(data_set, None, options, root)
  assert found == folder
  with pytest.raises(ValueError, match='without its checksums.*no-verify'):
    prepare.prepare(data_set, root=root)
  # The prepared folder itself may be named.
  assert prepare.prepare(data_set, folder) == folder
  # Another file under the same name is another set.
  layouts.shapes3d(path, data_set, 255 - first)
  other, _, second, _ = run(data_set, path, tmp_path)
  assert other != folder
  np.testing.assert_array_equal(second, 255 - first)


def test_manifest_tells_the_source_and_the_pixels(tmp_path):

  data_set = layouts.small('shapes3d', (2, 1, 1, 1, 1, 1))
  path = tmp_path / '3dshapes.h5'
  images, _ = layouts.shapes3d(path, data_set)
  _, made, *_ = run(data_set, path, tmp_path)
  assert made.images_sha256 == hashlib.sha256(images.tobytes()).hexdigest()
  file = layouts.catalog.CATALOG['shapes3d'].files[0]
  assert made.sources[0]['name'] == file.name
  assert json.dumps(made.options)


def test_half_written_or_changed_sets_are_never_read(shapes, tmp_path):
  data_set, path = shapes
  folder = prepare.prepare(data_set, path, UNCHECKED, tmp_path / 'cache')
  expected = (folder / 'images.npy').read_bytes()
  for spoil in (
    lambda: (folder / 'images.npy').write_bytes(expected[:-1]),
    lambda: dataclasses.replace(manifest.load(folder), version=0).save(folder),
    lambda: (folder / 'manifest.json').write_text('{}'),
    lambda: (folder / 'manifest.json').unlink(),
    lambda: (folder / 'manifest.json').write_text(
      (folder / 'manifest.json').read_text().replace('shapes3d', 'mpi3d')
    ),
  ):
    spoil()
    with pytest.raises(ValueError, match='prepare'):
      manifest.load(folder)
    prepare.prepare(data_set, path, UNCHECKED, tmp_path / 'cache')
    assert (folder / 'images.npy').read_bytes() == expected


def _prepare_in_process(data_set, path, root, queue):
  queue.put(str(prepare.prepare(data_set, path, UNCHECKED, root)))


def test_two_processes_take_turns(shapes, tmp_path):
  data_set, path = shapes
  context = multiprocessing.get_context('spawn')
  queue = context.Queue()
  arguments = (data_set, path, tmp_path / 'cache', queue)
  workers = [
    context.Process(target=_prepare_in_process, args=arguments)
    for _ in range(2)
  ]
  for worker in workers:
    worker.start()
  results = {queue.get(timeout=60) for _ in workers}
  for worker in workers:
    worker.join()
  assert len(results) == 1
  manifest.load(pathlib.Path(results.pop()))


def test_waiting_for_another_process_is_printed(shapes, tmp_path, capsys):
  data_set, path = shapes
  options = prepare._checked(data_set, UNCHECKED)
  sources = originals.identify(originals.find(data_set, path))
  root = tmp_path / 'cache'
  root.mkdir()
  lock = root / f'{prepare._key(data_set, sources, options)}.lock'
  held, free = threading.Event(), threading.Event()

  def hold():
    with filelock.FileLock(lock):
      held.set()
      free.wait(timeout=60)

  holder = threading.Thread(target=hold)
  holder.start()
  held.wait(timeout=60)
  threading.Timer(0.2, free.set).start()
  prepare.prepare(data_set, path, UNCHECKED, root)
  holder.join()
  assert 'Waiting for another process' in capsys.readouterr().err


def test_the_user_files_stay_as_they_are(tmp_path):
  layouts.celeba(tmp_path / '.')
  layouts.rfd(tmp_path)
  before = {
    p: (p.read_bytes(), p.stat().st_mtime_ns)
    for p in tmp_path.rglob('*')
    if p.is_file()
  }
  cache = tmp_path / 'cache'
  prepare.prepare(
    layouts.small('celeba', num_examples=12), tmp_path, UNCHECKED, cache
  )
  prepare.prepare(layouts.small('rfd'), tmp_path, UNCHECKED, cache)
  for path, (content, stamp) in before.items():
    assert path.read_bytes() == content and path.stat().st_mtime_ns == stamp


@pytest.mark.parametrize('name', ['images', 'factors'])
def test_a_flipped_bit_in_a_prepared_set_is_found(tmp_path, name):
  layouts.pictures(tmp_path / 'in', 2)
  folder, made, *_ = run(
    layouts.catalog.CATALOG['folder'], tmp_path / 'in', tmp_path, size=8
  )
  manifest.verify_once(folder, made)
  path = folder / f'{name}.npy'
  content = bytearray(path.read_bytes())
  content[-1] ^= 1
  path.write_bytes(content)
  with pytest.raises(ValueError, match=f'{name}.npy: .*damaged.*prepare again'):
    manifest.verify(folder, made)
  if name == 'images':
    with pytest.raises(ValueError, match='images.npy: damaged'):
      manifest.verify_once(folder, made)
  # From its originals it is made anew.
  again, *_ = run(
    layouts.catalog.CATALOG['folder'], tmp_path / 'in', tmp_path, size=8
  )
  assert again == folder
  manifest.verify(folder, made)


def test_images_are_verified_once(tmp_path, monkeypatch):
  layouts.pictures(tmp_path / 'in', 2)
  folder, made, *_ = run(
    layouts.catalog.CATALOG['folder'], tmp_path / 'in', tmp_path, size=8
  )
  read = []
  sha256 = files.sha256
  monkeypatch.setattr(files, 'sha256', lambda *a: read.append(a) or sha256(*a))
  manifest.verify_once(folder, made)
  assert not read  # they were when they were written
  os.utime(folder / 'images.npy')
  manifest.verify_once(folder, made)
  assert read[0][0] == folder / 'images.npy'
  read.clear()
  manifest.verify_once(folder, made)
  assert not read
  # A copy is another file, whatever times it keeps.
  copy = shutil.copytree(folder, tmp_path / 'copy')
  manifest.verify_once(copy, manifest.load(copy))
  assert read[0][0] == copy / 'images.npy'
