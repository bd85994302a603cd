"""The user's own images, in every form."""

import os

import h5py
import numpy as np
import pytest
from PIL import Image, ImageOps

from structae.data import catalog, manifest, picture_files
from tests.data import layouts, preparing

FOLDER = catalog.CATALOG['folder']


def run(place, tmp_path, **options):
  folder, made, images, _ = preparing.run(FOLDER, place, tmp_path, **options)
  return made, images, folder


def test_a_directory_of_pictures(tmp_path):
  layouts.pictures(tmp_path / 'in', 6)
  made, actual, _ = run(tmp_path / 'in', tmp_path, size=32)
  assert made.image_shape == (32, 32, 3) and made.num_examples == 6
  assert made.factor_names == ()
  names = ['a.jpg', 'b.png', 'd.bmp', 'f.gif', 'sub/c.webp', 'sub/e.tiff']
  for name, image in zip(names, actual):
    picture = Image.open(tmp_path / 'in' / name).convert('RGB')
    side = min(picture.size)
    # An independent crop and resize.
    expected = ImageOps.fit(picture, (side, side), centering=(0.5, 0.5))
    expected = expected.resize((32, 32), Image.Resampling.LANCZOS)
    difference = np.asarray(expected, int) - image
    assert np.abs(difference).mean() < 4, name


def test_squash_keeps_the_whole_picture(tmp_path):
  (tmp_path / 'in').mkdir()
  wide = np.zeros((40, 80, 3), np.uint8)
  wide[:, :20], wide[:, 60:] = (255, 0, 0), (0, 255, 0)
  Image.fromarray(wide).save(tmp_path / 'in' / 'wide.png')
  _, centre, _ = run(tmp_path / 'in', tmp_path, size=40)
  _, squash, _ = run(tmp_path / 'in', tmp_path, size=40, crop='squash')
  assert not centre.any()
  assert squash[0, 20, 5].tolist() == [255, 0, 0]
  assert squash[0, 20, 35].tolist() == [0, 255, 0]


def test_modes_become_rgb_of_eight_bits(tmp_path):
  (tmp_path / 'in').mkdir()
  grey = np.full((8, 8), 100, np.uint8)
  for name, picture in (
    ('grey.png', Image.fromarray(grey)),
    ('deep.png', Image.fromarray(grey.astype(np.uint16) * 257)),
    ('clear.png', Image.fromarray(np.full((8, 8, 4), 100, np.uint8), 'RGBA')),
    ('table.png', Image.fromarray(grey).convert('P')),
  ):
    picture.save(tmp_path / 'in' / name)
  _, actual, _ = run(tmp_path / 'in', tmp_path, size=8)
  expected = np.full((4, 8, 8, 3), 100)
  # In the order of names: the transparent one lies on white.
  expected[0] = round(100 * 100 / 255 + 255 * 155 / 255)
  np.testing.assert_array_equal(actual, expected)


def test_transparent_pixels_lie_on_white(tmp_path):
  (tmp_path / 'in').mkdir()
  hidden = np.zeros((8, 8, 4), np.uint8)
  hidden[..., 0] = 200
  hidden[:4, :, 3] = 255
  rgba = Image.fromarray(hidden, 'RGBA')
  rgba.save(tmp_path / 'in' / 'a.png')
  grey = Image.fromarray(hidden[..., [0, 3]], 'LA')
  grey.save(tmp_path / 'in' / 'b.png')
  table = Image.new('P', (8, 8), 1)
  table.putpalette([200, 0, 0, 0, 0, 200])
  table.save(tmp_path / 'in' / 'c.png', transparency=1)
  _, actual, _ = run(tmp_path / 'in', tmp_path, size=8)
  assert (actual[0, :4] == (200, 0, 0)).all()
  assert (actual[1, :4] == 200).all()
  assert (actual[:2, 4:] == 255).all() and (actual[2] == 255).all()


def test_names_need_not_be_utf_8(tmp_path):
  layouts.pictures(tmp_path / 'in', 2)
  folder = tmp_path / 'in'
  (folder / 'a.jpg').rename(folder / os.fsdecode(b'\xff.jpg'))
  (folder / os.fsdecode(b'\xfe.png')).write_bytes(b'no picture')
  with pytest.raises(ValueError, match='1 unreadable: \ufffd.png .no picture'):
    run(tmp_path / 'in', tmp_path, size=8)
  made, *_ = run(tmp_path / 'in', tmp_path, size=8, skip_corrupt=True)
  assert made.num_examples == 2 and list(made.skipped) == ['\ufffd.png']


@pytest.mark.parametrize('suffix', ['npz', 'h5'])
def test_labels_of_any_numbers_count_by_their_ranks(tmp_path, suffix):
  path = tmp_path / f'mine.{suffix}'
  images = layouts.random_images((3, 8, 8, 3))
  labels = np.array([[0.75, -30.0], [1.25, -30.0], [0.75, 7.5]])
  if suffix == 'npz':
    np.savez(path, images=images, labels=labels)
  else:
    with h5py.File(path, 'w') as file:
      file['images'], file['labels'] = images, labels
  made, _, folder = run(path, tmp_path, size=8)
  found = manifest.load_array(folder, 'factors')
  assert found.tolist() == [[0, 0], [1, 0], [0, 1]]
  assert made.factor_sizes == (2, 2)


@pytest.mark.parametrize(
  'names, part',
  [
    (['hue', 'hue'], "two factors are called 'hue'"),
    (['', 'hue'], "called ''; expected 1 to 100"),
    (['a' * 101, 'hue'], 'expected 1 to 100 printable'),
    (['a\nb', 'hue'], "called 'a[?]b'"),
  ],
)
def test_names_of_factors_are_checked_before_training(tmp_path, names, part):
  arrays = {'images': np.zeros((4, 8, 8), np.uint8)}
  arrays |= {'factors': np.zeros((4, 2), int), 'factor_names': names}
  np.savez(tmp_path / 'mine.npz', **arrays)
  with pytest.raises(ValueError, match=part):
    run(tmp_path / 'mine.npz', tmp_path, size=8)


def test_pictures_are_turned_as_their_exif_says(tmp_path):
  (tmp_path / 'in').mkdir()
  picture = np.zeros((16, 16, 3), np.uint8)
  picture[:8] = 255
  exif = Image.Exif()
  exif[0x0112] = 3  # upside down
  Image.fromarray(picture).save(tmp_path / 'in' / 'a.png', exif=exif)
  _, actual, _ = run(tmp_path / 'in', tmp_path, size=16)
  np.testing.assert_array_equal(actual[0], picture[::-1])


def test_corrupt_pictures(tmp_path):
  layouts.pictures(tmp_path / 'in', 6)
  (tmp_path / 'in' / 'a.jpg').write_bytes(b'\xff\xd8 not much of a picture')
  whole = (tmp_path / 'in' / 'b.png').read_bytes()
  (tmp_path / 'in' / 'b.png').write_bytes(whole[: len(whole) // 2])
  with pytest.raises(ValueError) as caught:
    run(tmp_path / 'in', tmp_path, size=16)
  message = str(caught.value)
  assert '2 unreadable: a.jpg' in message and 'b.png' in message
  assert '\n' not in message
  made, actual, _ = run(tmp_path / 'in', tmp_path, size=16, skip_corrupt=True)
  assert list(made.skipped) == ['a.jpg', 'b.png'] and len(actual) == 4
  for path in (tmp_path / 'in').rglob('*.*'):
    path.write_bytes(b'')
  with pytest.raises(ValueError, match='None of the images'):
    run(tmp_path / 'in', tmp_path, size=16, skip_corrupt=True)


def test_a_changed_directory_is_another_set(tmp_path):
  layouts.pictures(tmp_path / 'in', 3)
  _, before, _ = run(tmp_path / 'in', tmp_path, size=16)
  (tmp_path / 'in' / 'a.jpg').unlink()
  _, after, _ = run(tmp_path / 'in', tmp_path, size=16)
  assert len(before) == 3 and len(after) == 2


def test_a_directory_of_other_things_is_not_searched_to_its_end(
  tmp_path, monkeypatch
):
  monkeypatch.setattr(picture_files, '_MOST_OTHERS', 5)
  layouts.pictures(tmp_path / 'in', 2)
  (tmp_path / 'in' / 'deep').mkdir()
  for i in range(15):
    (tmp_path / 'in' / 'deep' / f'{i}.txt').write_text('')
  made, *_ = run(tmp_path / 'in', tmp_path, size=16)
  assert made.num_examples == 2  # ten others a picture are allowed
  for i in range(15, 40):
    (tmp_path / 'in' / 'deep' / f'{i}.txt').write_text('')
  with pytest.raises(ValueError, match='21 of its first .. files'):
    run(tmp_path / 'in', tmp_path, size=16)


def test_a_picture_that_unpacks_to_far_more_is_refused(tmp_path):
  Image.new('RGB', (10_000, 7_000)).save(tmp_path / 'a.png')
  layouts.pictures(tmp_path, 1)
  with pytest.raises(ValueError, match='would unpack to 10000x7000 pixels'):
    run(tmp_path, tmp_path, size=16)


def test_links_out_of_the_directory_are_passed_over(tmp_path):
  layouts.pictures(tmp_path / 'in', 2)
  layouts.pictures(tmp_path / 'out', 1)
  (tmp_path / 'in' / 'z.png').symlink_to(tmp_path / 'out' / 'b.png')
  made, *_ = run(tmp_path / 'in', tmp_path, size=16)
  assert made.num_examples == 2


@pytest.mark.parametrize('suffix', ['npz', 'h5'])
@pytest.mark.parametrize('grey', [False, True])
def test_a_file_of_images_and_factors(tmp_path, suffix, grey):
  rng = np.random.default_rng(0)
  images = rng.integers(0, 256, (20, 64, 96, 3)).astype(np.uint8)
  images = images[..., 0] if grey else images
  factors = rng.integers(0, 4, (20, 2))
  path = tmp_path / f'mine.{suffix}'
  names = ['colour', 'place']
  if suffix == 'npz':
    np.savez(path, images=images, factors=factors, factor_names=names)
  else:
    with h5py.File(path, 'w') as file:
      file['images'], file['factors'] = images, factors
      file['factor_names'] = names
  made, actual, folder = run(path, tmp_path)
  expected = images[:, :, 16:80].reshape(20, 64, 64, -1)
  np.testing.assert_array_equal(actual, expected)
  np.testing.assert_array_equal(manifest.load_array(folder, 'factors'), factors)
  assert made.factor_names == ('colour', 'place')
  assert made.factor_sizes == tuple(factors.max(0) + 1)


def test_factors_are_optional(tmp_path):
  images = layouts.random_images((4, 16, 16, 3))
  np.savez(tmp_path / 'mine.npz', images=images)
  np.save(tmp_path / 'mine.npy', images)
  for name in ('mine.npz', 'mine.npy'):
    made, actual, _ = run(tmp_path / name, tmp_path, size=16)
    assert made.factor_names == ()
    np.testing.assert_array_equal(actual, images)


def test_a_picture_is_a_set_of_one(tmp_path):
  layouts.pictures(tmp_path / 'in', 2)
  _, both, _ = run(tmp_path / 'in', tmp_path, size=16)
  _, one, _ = run(tmp_path / 'in' / 'a.jpg', tmp_path, size=16)
  np.testing.assert_array_equal(one, both[:1])


@pytest.mark.parametrize(
  'arrays, part',
  [
    ({'pictures': np.zeros((4, 8, 8, 3), np.uint8)}, "no array 'images'"),
    ({'images': np.zeros((4, 8, 8, 3))}, 'expected uint8'),
    ({'images': np.zeros((4, 3, 8, 8), np.uint8)}, '8 channels'),
    (
      {
        'images': np.zeros((4, 8, 8), np.uint8),
        'factors': np.zeros((3, 2), int),
      },
      'expected (4, F)',
    ),
    (
      {
        'images': np.zeros((4, 8, 8), np.uint8),
        'factors': np.full((4, 1), 0.5),
      },
      'whole numbers',
    ),
    (
      {
        'images': np.zeros((4, 8, 8), np.uint8),
        'factors': np.full((4, 1), -1),
      },
      'from -1',
    ),
    (
      {
        'images': np.zeros((4, 8, 8), np.uint8),
        'factors': np.zeros((4, 1), int),
        'factor_names': ['a', 'b'],
      },
      '2 factor names for 1',
    ),
  ],
)
def test_files_of_another_form(tmp_path, arrays, part):
  np.savez(tmp_path / 'mine.npz', **arrays)
  with pytest.raises(ValueError) as caught:
    run(tmp_path / 'mine.npz', tmp_path, size=8)
  assert part in str(caught.value) and '\n' not in str(caught.value)


def test_what_is_no_set_of_images(tmp_path):
  (tmp_path / 'empty').mkdir()
  with pytest.raises(ValueError, match='holds no images'):
    run(tmp_path / 'empty', tmp_path)
  (tmp_path / 'notes.txt').write_text('hello')
  with pytest.raises(ValueError, match='expected a directory'):
    run(tmp_path / 'notes.txt', tmp_path)
  with pytest.raises(ValueError, match='crop of folder'):
    run(tmp_path / 'empty', tmp_path, crop=128)
