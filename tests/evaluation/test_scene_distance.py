import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.data import shapes3d_synth as synth
from structae.evaluation.scene_distance import scene_distance

SIZE = 32


@functools.cache
def tables():
  return synth.tables(SIZE)


def _images(numbers):
  return np.asarray(synth.images(tables(), jnp.asarray(numbers)))


@jax.jit
def _squares(tables, numbers, samples):
  images = synth.images(tables, numbers).astype(jnp.int32)
  return jnp.stack(
    [jnp.square(images - sample).sum((1, 2, 3)) for sample in samples]
  )


def _brute_force(samples):
  """Errors to all images, the plain way: whole numbers below 2^31."""
  samples = jnp.asarray(samples, jnp.int32)
  parts = np.arange(synth.NUM_IMAGES).reshape(-1, 2000)
  squares = np.concatenate(
    [_squares(tables(), jnp.asarray(part), samples) for part in parts], 1
  )
  return squares.min(1) / (255**2 * samples[0].size), squares.argmin(1)


def test_every_image_of_the_set_has_distance_zero():
  numbers = np.random.RandomState(0).randint(0, synth.NUM_IMAGES, 300)
  images = _images(numbers)
  mse, nearest = scene_distance(tables(), images)
  np.testing.assert_array_equal(mse, 0)
  np.testing.assert_array_equal(_images(nearest), images)
  as_float = images.astype(np.float32) / 255
  mse, nearest = scene_distance(tables(), as_float)
  assert mse.max() < 1e-12
  np.testing.assert_array_equal(_images(nearest), images)


def test_the_nearest_image_is_that_of_brute_force():
  rng = np.random.RandomState(1)
  a, b = _images(rng.randint(0, synth.NUM_IMAGES, (2, 1)).ravel())
  samples = np.stack(
    [
      a // 2 + b // 2,  # between two images
      rng.randint(0, 256, a.shape),  # nothing like one
    ]
  ).astype(np.uint8)
  mse, nearest = scene_distance(tables(), samples)
  expected, number = _brute_force(samples)
  np.testing.assert_allclose(mse, expected, rtol=1e-12)
  np.testing.assert_array_equal(_images(nearest), _images(number))


def test_no_image_in_a_neighbourhood_is_nearer_than_the_nearest():
  rng = np.random.RandomState(2)
  factors = synth.factors(rng.randint(0, synth.NUM_IMAGES, 20))
  images = _images(synth.index(factors)) / 255
  noisy = np.clip(images + 0.2 * rng.randn(*images.shape), 0, 1)
  mse, _ = scene_distance(tables(), noisy)
  for column, size in enumerate(synth.FACTOR_SIZES):
    for value in range(size):
      other = factors.copy()
      other[:, column] = value
      errors = np.square(noisy - _images(synth.index(other)) / 255)
      assert (mse <= errors.mean((1, 2, 3)) + 1e-7).all()


@pytest.mark.parametrize(
  'images, words',
  [
    (np.zeros((2, 16, 16, 3), np.uint8), r'\[S, 32, 32, 3\]'),
    (np.zeros((0, 32, 32, 3), np.uint8), r'\[S, 32, 32, 3\]'),
    (np.full((1, 32, 32, 3), 255.0), r'\[0, 1\]'),
    (np.full((1, 32, 32, 3), np.nan), r'\[0, 1\]'),
  ],
)
def test_what_cannot_be_compared_is_refused(images, words):
  with pytest.raises(ValueError, match=words):
    scene_distance(tables(), images)
