import numpy as np
import pytest
from PIL import Image

from structae.figures import grids


def draw(*shape):
  return np.random.default_rng(0).integers(0, 250, shape, np.uint8)


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('scale', [1, 3])
def test_a_grid_holds_each_image_at_its_place_and_gaps_elsewhere(
  channels, scale
):
  images = draw(5, 4, 6, channels)
  sheet = grids.grid(images, 3, scale=scale, gap=2, fill=251)
  assert sheet.shape == (2 * 4 * scale + 2, 3 * 6 * scale + 4, channels)
  rest = sheet.copy()
  for i, image in enumerate(images):
    top, left = (i // 3) * (4 * scale + 2), (i % 3) * (6 * scale + 2)
    for y in range(4 * scale):
      for x in range(6 * scale):
        assert (sheet[top + y, left + x] == image[y // scale, x // scale]).all()
    rest[top : top + 4 * scale, left : left + 6 * scale] = 251
  assert (rest == 251).all()


def test_small_images_are_enlarged_and_large_ones_are_not():
  assert grids.grid(draw(1, 32, 32, 3)).shape == (96, 96, 3)
  assert grids.grid(draw(1, 128, 128, 3)).shape == (128, 128, 3)


def test_a_grid_is_about_square_by_default():
  assert grids.grid(draw(9, 2, 2, 1), scale=1, gap=0).shape == (6, 6, 1)


def test_every_original_stands_above_its_reconstruction():
  originals, reconstructions = draw(2, 5, 4, 4, 3)
  sheet = grids.pairs(originals, reconstructions, 3, scale=1)
  step, double = 4 + grids.GAP, 2 * 4 + grids.GAP + grids.WIDE_GAP
  for i in range(5):
    top, left = (i // 3) * double, (i % 3) * step
    np.testing.assert_array_equal(
      sheet[top : top + 4, left : left + 4], originals[i]
    )
    np.testing.assert_array_equal(
      sheet[top + step : top + step + 4, left : left + 4], reconstructions[i]
    )


@pytest.mark.parametrize('num_labels', [6, 3, 1])
@pytest.mark.parametrize('channels', [1, 3])
def test_a_traversal_has_its_dimensions_in_order_and_variables_apart(
  num_labels, channels
):
  images = draw(6, 4, 16, 16, channels)
  labels = grids.variable_labels(num_labels)
  sheet = grids.traversal_sheet(images, labels, scale=1)
  strip = 4 * 16 + 3 * grids.GAP
  frames = sheet[:, -strip:]
  width = 6 // num_labels
  between = grids.WIDE_GAP if width > 1 else grids.GAP
  top = 0
  for row, frame_row in enumerate(images):
    for s, frame in enumerate(frame_row):
      left = s * (16 + grids.GAP)
      actual = frames[top : top + 16, left : left + 16]
      np.testing.assert_array_equal(actual, np.broadcast_to(frame, (16, 16, 3)))
    top += 16 + (grids.GAP if (row + 1) % width else between)
  assert len(sheet) == top - between
  # Labels leave ink on the left, and the bar of a group spans its rows.
  margin = sheet[:, :-strip]
  assert (margin < 128).any()
  bar = (margin[: width * 16, -8] < 128).all()
  assert bar == (width > 1)


def test_labels_count_in_decoder_order():
  assert grids.variable_labels(12)[::11] == ['U₁', 'U₁₂']


@pytest.mark.parametrize('channels', [1, 3])
def test_a_saved_image_is_read_back_to_the_bit(tmp_path, channels):
  image = draw(5, 7, channels)
  path = tmp_path / 'new' / 'image.png'
  grids.save_png(path, image)
  with Image.open(path) as file:
    back = np.asarray(file).reshape(image.shape)
  np.testing.assert_array_equal(back, image)
  assert [p.name for p in path.parent.iterdir()] == ['image.png']


@pytest.mark.parametrize(
  'images',
  [
    np.zeros((2, 4, 4, 3)),
    np.zeros((2, 4, 4), np.uint8),
    np.zeros((2, 4, 4, 2), np.uint8),
    np.zeros((0, 4, 4, 3), np.uint8),
  ],
)
def test_what_is_no_image_is_refused_in_one_line(images):
  with pytest.raises(ValueError, match='uint8') as error:
    grids.grid(images)
  assert '\n' not in str(error.value)


def test_labels_must_divide_the_rows():
  with pytest.raises(ValueError, match='4 labels'):
    grids.traversal_sheet(draw(6, 2, 4, 4, 3), grids.variable_labels(4))


def test_pairs_must_have_one_shape():
  with pytest.raises(ValueError, match='one shape'):
    grids.pairs(draw(2, 4, 4, 3), draw(3, 4, 4, 3))
