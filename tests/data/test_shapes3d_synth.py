import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.data import raycast
from structae.data import shapes3d_synth as synth

tables = functools.cache(synth.tables)


def _image(*factors, size=32):
  number = synth.index(np.array([factors]))
  return np.asarray(synth.images(tables(size), jnp.asarray(number)))[0]


def _covers(surface, scale, shape, orientation, size=32):
  """The pixels that at least one ray finds a surface in."""
  n = synth.SUBSAMPLES[size]
  seen = raycast.cast(
    jnp.asarray(synth.SCALES[scale]),
    jnp.asarray(shape),
    jnp.asarray(synth.ANGLES[orientation]),
    n * size,
  )[0]
  return np.asarray(seen == surface).reshape(size, n, size, n).any((1, 3))


def _differ(a, b):
  return (a != b).any(-1)


def _render(index, size):
  """Renders one image without the tables, each ray in its own colour."""
  floor, wall, solid = synth.factors(np.array(index))[:3]
  geometry = synth._geometry(jnp.asarray(index % synth.NUM_GEOMETRIES))
  surface, intensity, specular = raycast.cast(
    *geometry, size * synth.SUBSAMPLES[size]
  )
  hues = np.zeros((4, 3))
  hues[raycast.FLOOR] = synth.HUE_LEVELS[floor]
  hues[raycast.WALL] = synth.HUE_LEVELS[wall]
  hues[raycast.OBJECT] = synth.HUE_LEVELS[solid]
  colour = (hues / (synth.NUM_LEVELS - 1))[np.asarray(surface)]
  light = np.asarray(intensity)[..., None]
  rays = np.clip(colour * light + np.asarray(specular)[..., None], 0, 1)
  is_sky = np.asarray(surface)[..., None] == raycast.SKY
  rays = np.where(is_sky, synth.SKY_COLOUR / 255, rays)
  n = synth.SUBSAMPLES[size]
  pixels = rays.reshape(size, n, size, n, 3).mean((1, 3))
  return np.round(255 * pixels).astype(np.uint8)


def test_numbers_and_factors_are_one_to_one():
  numbers = np.arange(synth.NUM_IMAGES)
  factors = synth.factors(numbers)
  f, w, o, s, sh, t = factors.T.astype(np.int64)
  expected = ((((f * 10 + w) * 10 + o) * 8 + s) * 4 + sh) * 15 + t
  np.testing.assert_array_equal(expected, numbers)
  np.testing.assert_array_equal(synth.index(factors), numbers)
  assert factors.dtype == np.int32
  assert (factors.max(0) + 1).tolist() == list(synth.FACTOR_SIZES)
  some = jnp.array([[0, 479_999], [17, 123_456]])
  np.testing.assert_array_equal(
    synth.factors(some), synth.factors(np.asarray(some))
  )
  np.testing.assert_array_equal(synth.index(synth.factors(some)), some)


@pytest.mark.parametrize('size', [32, 64])
def test_composed_images_are_the_rendered_ones(size):
  numbers = np.random.RandomState(size).randint(0, synth.NUM_IMAGES, 12)
  composed = np.asarray(synth.images(tables(size), jnp.asarray(numbers)))
  for number, image in zip(numbers, composed):
    rendered = _render(int(number), size)
    difference = abs(rendered.astype(int) - image)
    assert difference.max() <= 1
    assert difference.mean() < 0.05


def test_the_same_bytes_with_and_without_jit():
  numbers = jnp.array([0, 77_777, 479_999])
  jitted = synth.images(tables(32), numbers)
  with jax.disable_jit():
    plain = synth.images(tables(32), numbers)
  np.testing.assert_array_equal(jitted, plain)
  assert jitted.dtype == jnp.uint8
  assert jitted.shape == (3, 32, 32, 3)


def test_surfaces_never_add_up_beyond_white():
  for channel in range(3):
    brightest = sum(
      np.asarray(table).max(1).astype(int)
      for table in (tables(32).floor, tables(32).wall, tables(32).object)
    ) + np.asarray(tables(32).sky[:, channel])
    assert brightest.max() <= 255


def test_32_pixels_are_the_area_mean_of_64():
  numbers = jnp.arange(5, synth.NUM_IMAGES, 9973)
  large = np.asarray(synth.images(tables(64), numbers), np.float64)
  small = np.asarray(synth.images(tables(32), numbers), np.float64)
  mean = large.reshape(-1, 32, 2, 32, 2, 3).mean((2, 4))
  # Either rounds to whole grey levels, once for each surface in a pixel.
  assert abs(mean - small).max() <= 2
  assert abs(mean - small).mean() < 0.25


@pytest.mark.parametrize(
  'column, surface', [(0, 'FLOOR'), (1, 'WALL'), (2, 'OBJECT')]
)
def test_a_hue_changes_its_surface_and_nothing_else(column, surface):
  factors = [1, 4, 7, 5, 1, 3]
  covered = _covers(getattr(raycast, surface), *factors[3:])
  before = _image(*factors)
  for hue in range(10):
    changed = list(factors)
    changed[column] = hue
    different = _differ(before, _image(*changed))
    assert not (different & ~covered).any()
    assert different.any() == (hue != factors[column])


@pytest.mark.parametrize('column, value', [(3, 0), (4, 0)])
def test_scale_and_shape_change_the_object_and_its_shadow_alone(column, value):
  factors = [1, 4, 7, 6, 2, 9]
  changed = list(factors)
  changed[column] = value
  different = _differ(_image(*factors), _image(*changed))
  touched = [_covers(raycast.OBJECT, *f[3:]) for f in (factors, changed)]
  floor = _covers(raycast.FLOOR, *factors[3:])
  assert (different & (touched[0] ^ touched[1])).any()
  assert not (different & ~touched[0] & ~touched[1] & ~floor).any()
  # Far from the object the floor stays as it was.
  assert not different[:, [0, 1, -2, -1]].any()


def test_the_object_grows_with_its_scale():
  for shape in range(4):
    areas = [_covers(raycast.OBJECT, s, shape, 7).sum() for s in range(8)]
    assert (np.diff(areas) >= 0).all() and areas[-1] > 2 * areas[0]


def test_the_corner_of_the_room_swaps_sides_with_the_orientation():
  # The farther a wall, the lower its upper edge: the corner has most sky.
  for orientation, side in ((0, 1), (14, -1)):
    walls = _covers(raycast.WALL, 0, 2, orientation, 64)
    corner = walls.argmax(0)  # the first row with wall, by column
    farthest = np.flatnonzero(corner == corner.max()).mean()
    assert np.sign(farthest - 31.5) == side
    assert 8 < abs(farthest - 31.5) < 16


def test_the_shadow_moves_to_the_back_at_minus_30_and_to_the_front_at_30():
  rows = []
  for orientation in (0, 14):
    n = 192
    surface, intensity, _ = raycast.cast(
      jnp.asarray(1.0),
      jnp.asarray(2),
      jnp.asarray(synth.ANGLES[orientation]),
      n,
    )
    # Under the lamp there is no other darkness on the floor near the object.
    near = abs(np.arange(n) - n / 2) < 0.3 * n
    floor = np.asarray(surface == raycast.FLOOR) & near[None, :]
    floor &= (np.arange(n) > 0.66 * n)[:, None]
    lit = np.median(np.asarray(intensity)[floor])
    shadow = floor & (np.asarray(intensity) < 0.6 * lit)
    assert shadow.sum() > 200
    rows.append(np.nonzero(shadow)[0].mean())
  assert rows[0] < rows[1]


def test_the_sky_is_constant():
  for orientation in (0, 7, 14):
    sky = ~_covers(raycast.WALL, 3, 3, orientation)
    sky &= _covers(raycast.SKY, 3, 3, orientation)
    sky &= ~_covers(raycast.OBJECT, 3, 3, orientation)
    assert sky[0].all()
    colours = _image(9, 9, 9, 3, 3, orientation)[sky]
    np.testing.assert_array_equal(colours, synth.SKY_COLOUR + 0 * colours)


def test_a_size_that_does_not_exist_is_named():
  with pytest.raises(ValueError, match='48.*32, 64, 128'):
    synth.tables(48)
