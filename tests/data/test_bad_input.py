"""Whatever is wrong with the files, one clear line says so."""

import dataclasses
import errno
import hashlib
import io
import multiprocessing
import pathlib
import shutil
import tarfile
import threading
import zipfile

import filelock
import numpy as np
import pytest

from structae.commands import data as command
from structae.data import catalog, manifest, originals, prepare, writing
from structae.data import data_set as rows
from tests.data import layouts

QUOTA = b'<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title>'
UNCHECKED = prepare.Options(verify=False)


def complaint(data_set, place, tmp_path, options=UNCHECKED):
  with pytest.raises(ValueError) as caught:
    prepare.prepare(data_set, place, options, tmp_path / 'cache')
  message = str(caught.value)
  assert '\n' not in message
  # Nothing that is not whole has the name of a prepared set.
  for folder in (tmp_path / 'cache').glob('*-*-????????'):
    manifest.load(folder)
  return message


@pytest.fixture
def shapes(tmp_path):
  data_set = layouts.small('shapes3d', (3, 2, 2, 2, 4, 3))
  layouts.shapes3d(tmp_path / '3dshapes.h5', data_set)
  return data_set, tmp_path / '3dshapes.h5'


def test_missing_files_are_named_with_all_that_is_known(tmp_path):
  message = complaint(catalog.CATALOG['shapes3d'], tmp_path, tmp_path)
  for part in (
    '3dshapes.h5',
    '267,573,662 bytes',
    'sha256 0a0f6ed98baff276',
    'https://storage.googleapis.com/3d-shapes/3dshapes.h5',
    str(tmp_path),
    '--from=DIR',
    'shapes3d_synth needs no files',
  ):
    assert part in message
  message = complaint(catalog.CATALOG['celeba'], tmp_path, tmp_path)
  assert 'img_align_celeba.zip' in message and 'list_attr' in message
  assert 'identity' not in message


def test_size_is_checked_before_any_checksum(shapes, tmp_path):
  data_set, _ = shapes
  message = complaint(data_set, tmp_path, tmp_path, prepare.Options())
  assert 'expected 267,573,662' in message


def published(data_set, path, **changes):
  content = path.read_bytes()
  entry = {
    'name': path.name,
    'urls': ('https://example.org',),
    'num_bytes': len(content),
    'sha256': hashlib.sha256(content).hexdigest(),
    'md5': hashlib.md5(content).hexdigest(),
  }
  return dataclasses.replace(data_set, files=(rows.File(**entry | changes),))


def test_right_checksum_passes_and_wrong_one_is_refused(shapes, tmp_path):
  data_set, path = shapes
  data_set = published(data_set, path)
  folder = prepare.prepare(
    data_set, path, prepare.Options(), tmp_path / 'cache'
  )
  source = manifest.load(folder).sources[0]
  assert source['sha256'] == hashlib.sha256(path.read_bytes()).hexdigest()
  shutil.rmtree(tmp_path / 'cache')
  for kind in ('sha256', 'md5'):
    wrong = published(data_set, path, **{kind: 'f' * 32})
    message = complaint(wrong, path, tmp_path, prepare.Options())
    assert kind in message and 'f' * 32 in message


def test_a_replaced_file_only_warns(shapes, tmp_path, capsys):
  data_set, path = shapes
  data_set = published(data_set, path, md5='f' * 32, strict=False)
  prepare.prepare(data_set, path, prepare.Options(), tmp_path / 'cache')
  assert 'Warning' in capsys.readouterr().err


@pytest.mark.parametrize('share', [0.01, 0.5, 0.999])
def test_truncated_h5(shapes, tmp_path, share):
  data_set, path = shapes
  path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
  assert '3dshapes.h5' in complaint(data_set, path, tmp_path)


def test_damaged_h5_chunk(shapes, tmp_path):
  data_set, path = shapes
  content = bytearray(path.read_bytes())
  middle = len(content) // 2
  content[middle : middle + 4096] = bytes(4096)
  path.write_bytes(content)
  assert 'damaged' in complaint(data_set, path, tmp_path)


def test_wrong_shape_type_and_order(tmp_path):
  import h5py

  data_set = layouts.small('shapes3d', (2, 2, 1, 1, 1, 1))
  path = tmp_path / '3dshapes.h5'
  images, _ = layouts.shapes3d(path, data_set)
  for wrong, part in (
    (images[:, :32], '(N, 64, 64, 3)'),
    (images.astype(np.float32), 'expected uint8'),
    (images[:3], 'expected 4'),
  ):
    path.unlink()
    layouts.shapes3d(path, data_set)
    with h5py.File(path, 'r+') as file:
      del file['images']
      file['images'] = wrong
    assert part in complaint(data_set, path, tmp_path)
  for change, part in (
    (lambda labels: labels[::-1], 'reordered'),
    (lambda labels: labels + 0.05, 'label 0.05'),
  ):
    path.unlink()
    layouts.shapes3d(path, data_set)
    with h5py.File(path, 'r+') as file:
      file['labels'][:] = change(file['labels'][:])
    assert part in complaint(data_set, path, tmp_path)


@pytest.mark.parametrize('compressed', [False, True])
@pytest.mark.parametrize('share', [0.01, 0.5, 0.999])
def test_truncated_npz(tmp_path, compressed, share):
  data_set = layouts.small('mpi3d_toy', (2, 2, 2, 1, 1, 2, 2))
  path = tmp_path / 'mpi3d_toy.npz'
  layouts.mpi3d(path, data_set, compressed)
  path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
  assert 'fetch it again' in complaint(data_set, path, tmp_path)


def test_damaged_deflated_npz(tmp_path):
  data_set = layouts.small('mpi3d_toy', (2, 2, 2, 1, 1, 2, 2))
  path = tmp_path / 'mpi3d_toy.npz'
  layouts.mpi3d(path, data_set, compressed=True)
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 255
  path.write_bytes(content)
  assert 'mpi3d_toy.npz' in complaint(data_set, path, tmp_path)


def test_the_grid_of_another_variant_is_refused(tmp_path):
  data_set = layouts.small('mpi3d_toy', (2, 2, 2, 1, 1, 2, 2))
  path = tmp_path / 'mpi3d_toy.npz'
  layouts.mpi3d(path, layouts.small('mpi3d_toy', (2, 2, 2, 1, 1, 2, 1)))
  assert 'expected 32' in complaint(data_set, path, tmp_path)


def test_an_array_that_hides_a_pickle_is_not_loaded(tmp_path):
  data_set = layouts.small('mpi3d_toy', (1, 1, 1, 1, 1, 1, 2))
  path = tmp_path / 'mpi3d_toy.npz'
  np.savez(path, images=np.array([{}, {}], object))
  assert 'plain array' in complaint(data_set, path, tmp_path)
  layouts.rfd(tmp_path, labels=np.array([[None] * 9] * 24, object))
  assert 'labels' in complaint(layouts.small('rfd'), tmp_path, tmp_path)


def test_quota_page_in_place_of_a_file(tmp_path):
  data_set = layouts.small('celeba', num_examples=12)
  layouts.celeba(tmp_path)
  (tmp_path / 'list_attr_celeba.txt').write_bytes(QUOTA)
  assert 'web page' in complaint(data_set, tmp_path, tmp_path)
  layouts.celeba(tmp_path)
  (tmp_path / 'img_align_celeba.zip').write_bytes(QUOTA)
  assert 'web page' in complaint(data_set, tmp_path, tmp_path)
  assert 'web page' in complaint(
    data_set, tmp_path, tmp_path, prepare.Options()
  )


def test_truncated_zip_and_tables_that_disagree(tmp_path):
  data_set = layouts.small('celeba', num_examples=12)
  layouts.celeba(tmp_path)
  path = tmp_path / 'img_align_celeba.zip'
  path.write_bytes(path.read_bytes()[:-200])
  assert 'cut off' in complaint(data_set, tmp_path, tmp_path)
  layouts.celeba(tmp_path)
  with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr('img_align_celeba/000001.jpg', b'')
  assert '11 pictures are missing' in complaint(data_set, tmp_path, tmp_path)
  layouts.celeba(tmp_path)
  attributes = tmp_path / 'list_attr_celeba.txt'
  lines = attributes.read_text().splitlines()
  attributes.write_text('\n'.join(lines[:-1]))
  assert 'announces 12 rows' in complaint(data_set, tmp_path, tmp_path)
  attributes.write_text('\n'.join([*lines[:-1], lines[-1][:-4]]))
  assert 'list_attr' in complaint(data_set, tmp_path, tmp_path)


def test_unreadable_pictures_are_listed_or_skipped(tmp_path):
  data_set = layouts.small('celeba', num_examples=12)
  images, attributes, *_ = layouts.celeba(tmp_path, corrupt=(3, 7))
  message = complaint(data_set, tmp_path, tmp_path)
  assert '2 unreadable' in message and '--skip-corrupt' in message
  folder = prepare.prepare(
    data_set,
    tmp_path,
    prepare.Options(verify=False, skip_corrupt=True),
    tmp_path / 'cache',
  )
  made = manifest.load(folder)
  kept = [0, 1, 2, 4, 5, 6, 8, 9, 10, 11]
  assert made.num_examples == 10 and len(made.skipped) == 2
  actual = manifest.map_images(folder, made)
  np.testing.assert_array_equal(actual, images[kept, 45:173, 25:153])
  # Who asks for all of them is still told, and what was prepared stays.
  assert '2 unreadable' in complaint(data_set, tmp_path, tmp_path)
  with pytest.raises(ValueError, match='pictures left out.*skip-corrupt'):
    prepare.prepare(data_set, None, UNCHECKED, tmp_path / 'cache')
  assert manifest.load(folder) == made
  np.testing.assert_array_equal(
    manifest.load_array(folder, 'factors'), attributes[kept]
  )


def test_tar_that_is_cut_off_or_does_not_match(tmp_path):
  data_set = layouts.small('rfd')
  images, labels = layouts.rfd(tmp_path)
  path = tmp_path / 'finger' / 'finger_images.tar'
  whole = path.read_bytes()
  path.write_bytes(whole[: len(whole) // 2 + 100])
  assert 'finger_images.tar' in complaint(data_set, tmp_path, tmp_path)
  layouts.rfd(tmp_path, labels=labels[:-1])
  assert 'expected 23' in complaint(data_set, tmp_path, tmp_path)
  labels = labels.copy()
  labels[0, 1] = 8
  layouts.rfd(tmp_path, labels=labels)
  assert "'color' runs from 0 to 8" in complaint(data_set, tmp_path, tmp_path)
  layouts.rfd(tmp_path, labels=labels + 0.5)
  assert 'whole numbers' in complaint(data_set, tmp_path, tmp_path)


def test_archives_write_nothing_outside(tmp_path):
  data_set = layouts.small('rfd')
  layouts.rfd(tmp_path, num=2)
  path = tmp_path / 'finger' / 'finger_images.tar'
  with tarfile.open(path, 'w') as archive:
    for i, name in enumerate(('../../0.png', '/1.png')):
      data = layouts.png(layouts.random_images((1, 128, 128, 3), i)[0])
      info = tarfile.TarInfo(name)
      info.size = len(data)
      archive.addfile(info, io.BytesIO(data))
    link = tarfile.TarInfo('2.png')
    link.type, link.linkname = tarfile.SYMTYPE, '/etc/passwd'
    archive.addfile(link)
  before = {p for p in tmp_path.rglob('*')}
  folder = prepare.prepare(data_set, tmp_path, UNCHECKED, tmp_path / 'cache')
  assert manifest.load(folder).num_examples == 2
  fresh = {p for p in tmp_path.rglob('*')} - before
  assert all(tmp_path / 'cache' in (p, *p.parents) for p in fresh)


def test_cars3d_and_smallnorb_that_are_damaged(tmp_path):
  cars = layouts.small('cars3d', (4, 24, 2))
  path = tmp_path / 'nips2015-analogy-data.tar.gz'
  layouts.cars3d(path, 2)
  whole = path.read_bytes()
  path.write_bytes(whole[: len(whole) // 2])
  assert 'fetch it again' in complaint(cars, path, tmp_path)
  path.write_bytes(QUOTA)
  assert 'web page' in complaint(cars, path, tmp_path)
  norb = layouts.small('smallnorb', num_examples=20)
  layouts.smallnorb(tmp_path)
  dat = next(tmp_path.glob('*training-dat.mat.gz'))
  whole = dat.read_bytes()
  dat.write_bytes(whole[: len(whole) // 2])
  assert 'fetch it again' in complaint(norb, tmp_path, tmp_path)
  dat.write_bytes(b'no gzip at all')
  assert 'damaged' in complaint(norb, tmp_path, tmp_path)


def test_full_disk(shapes, tmp_path, monkeypatch):
  data_set, path = shapes
  monkeypatch.setattr(
    writing.shutil, 'disk_usage', lambda _: shutil._ntuple_diskusage(9, 8, 1)
  )
  assert 'GB are free' in complaint(data_set, path, tmp_path)
  monkeypatch.undo()

  def full(*_):
    raise OSError(errno.ENOSPC, 'No space left on device')

  monkeypatch.setattr(writing, '_flush', full)
  assert 'disk is full' in complaint(data_set, path, tmp_path)


def test_an_interrupted_preparation_goes_on(shapes, tmp_path, monkeypatch):
  data_set, path = shapes
  whole = prepare.prepare(data_set, path, UNCHECKED, tmp_path / 'cache')
  expected = (whole / 'images.npy').read_bytes()
  shutil.rmtree(whole)
  monkeypatch.setattr(writing, '_SECONDS_BETWEEN_NOTES', 0)
  blocks = []
  good = writing._good
  monkeypatch.setattr(
    'structae.data.hdf5._BLOCK', 32
  )  # nine blocks instead of one

  def stop_at_third(opened, start, block):
    blocks.append(start)
    if len(blocks) == 3:
      raise KeyboardInterrupt
    return good(opened, start, block)

  monkeypatch.setattr(writing, '_good', stop_at_third)
  with pytest.raises(KeyboardInterrupt):
    prepare.prepare(data_set, path, UNCHECKED, tmp_path / 'cache')
  partial = next((tmp_path / 'cache').glob('*.partial'))
  # What was written after the last note is not trusted.
  with open(partial / 'images.npy', 'ab') as file:
    file.write(b'half an image')
  again = prepare.prepare(data_set, path, UNCHECKED, tmp_path / 'cache')
  assert again == whole and blocks[3] == 64
  assert (again / 'images.npy').read_bytes() == expected
  made = manifest.load(again)
  pixels = manifest.map_images(again, made).tobytes()
  assert made.images_sha256 == hashlib.sha256(pixels).hexdigest()
  assert not partial.exists()


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


def test_an_original_that_was_mapped_must_not_change(tmp_path):
  data_set = layouts.small('mpi3d_toy', (2, 2, 1, 1, 1, 2, 2))
  path = tmp_path / 'mpi3d_toy.npz'
  layouts.mpi3d(path, data_set)
  folder = prepare.prepare(data_set, path, UNCHECKED, tmp_path / 'cache')
  manifest.load(folder)
  layouts.mpi3d(path, data_set)
  with pytest.raises(ValueError, match='changed since'):
    manifest.load(folder)
  path.unlink()
  with pytest.raises(ValueError, match='missing'):
    manifest.load(folder)


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


def test_waiting_for_another_process_is_said(shapes, tmp_path, capsys):
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


@pytest.mark.parametrize(
  'arguments, part',
  [
    (['info', 'shape3d'], "Did you mean 'shapes3d'?"),
    (['prepare', 'shapes3d_synth'], 'needs no preparation'),
    (['prepare', 'shapes3d', '--size=50'], 'choose one of 32, 64'),
    (['prepare', 'shapes3d', '--from=/nowhere'], '3dshapes.h5'),
    (['prepare', 'folder', '--from=/nowhere'], '/nowhere'),
    (['prepare', 'shapes3d', '--size=many'], "'many'; expected a whole number"),
    (['paint'], "invalid choice: 'paint'"),
    ([], 'required'),
  ],
)
def test_mistakes_on_the_command_line(arguments, part, capsys):
  try:
    code = command.main(arguments)
  except SystemExit as stop:
    code = stop.code
  error = capsys.readouterr().err
  assert code == 2 and part in error and error.count('\n') == 1


def test_the_command_line_imports_no_jax():
  import subprocess
  import sys

  code = (
    'import sys; from structae.commands import data as m; m.main(["list"]);'
    'm.main(["info", "celeba"]); from structae.data import prepare;'
    'assert "jax" not in sys.modules and "tensorflow" not in sys.modules'
  )
  output = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True, check=True
  ).stdout
  for name in catalog.CATALOG:
    assert name in output
