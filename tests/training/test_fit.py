"""Any pair of functions is trained."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from PIL import Image

from experiments import own_model
from structae.codec import Codec
from structae.data import sources
from structae.data.selection import Selection
from structae.data.sets import arm_synth
from structae.evaluation import codes as codes_lib
from structae.nn.posterior import Posterior
from structae.objectives import autoencoding, reconstruction
from structae.training import fit as fit_lib

ROWS = np.arange(5, 2000, 7)


def encode(params, x):
  return Posterior((x @ params['in'])[..., None])


def decode(params, codes):
  return codes[..., 0] @ params['out']


def params(num_features, num_codes):
  keys = jax.random.split(jax.random.key(0))
  return {
    'in': 0.1 * jax.random.normal(keys[0], (num_features, num_codes)),
    'out': 0.1 * jax.random.normal(keys[1], (num_codes, num_features)),
  }


def test_a_linear_autoencoder_finds_the_principal_components():
  """No linear model beats them, and training reaches them (Baldi, Hornik)."""
  rng = np.random.RandomState(0)
  mixing = rng.normal(0, 1, (3, 6)) * np.array([[2.0], [1.0], [0.5]])
  data = rng.normal(0, 1, (512, 3)) @ mixing + rng.normal(0, 0.1, (512, 6))
  data = (data - data.mean(0)).astype(np.float32)
  noise = 0.5
  loss = autoencoding.autoencoding(
    encode, decode, likelihood=reconstruction.gaussian(noise)
  )
  start = params(6, 3)
  trained, rows = fit_lib.fit(
    loss, start, data, num_steps=600, batch_size=256,
    optimizer=optax.adam(optax.cosine_decay_schedule(0.1, 600)),
  )  # fmt: skip
  value, _ = loss(trained, jnp.asarray(data), jax.random.key(0))
  left = (np.linalg.svd(data, compute_uv=False)[3:] ** 2).sum() / len(data)
  least = left / (2 * noise**2) + 3 * np.log(2 * np.pi * noise**2)
  assert value >= least - 1e-3
  np.testing.assert_allclose(value, least, atol=0.02)
  assert [row['step'] for row in rows] == [100, 200, 300, 400, 500, 600]
  assert rows[-1]['loss'] < rows[0]['loss']
  np.testing.assert_array_equal(start['in'], params(6, 3)['in'])  # untouched


def test_a_source_serves_as_well():
  source = sources.load('arm_synth', 1)
  loss = autoencoding.autoencoding(
    encode, decode, likelihood=reconstruction.gaussian(0.5)
  )
  trained, rows = fit_lib.fit(
    loss, params(15, 4), source, num_steps=3, batch_size=8, log_every=2
  )
  assert [row['step'] for row in rows] == [2, 3]
  codes = Codec(encode, decode, trained).encode(Selection(source, ROWS))
  expected = arm_synth.table()[ROWS] @ np.asarray(trained['in'])
  np.testing.assert_allclose(codes[..., 0], expected, atol=1e-5)


def test_a_part_is_all_that_is_trained_on():
  data = np.random.RandomState(0).normal(0, 1, (32, 4)).astype(np.float32)
  data[::2] = np.inf  # would make the loss infinite at once
  part = np.arange(1, 32, 2)
  loss = autoencoding.autoencoding(
    encode, decode, likelihood=reconstruction.gaussian(0.5)
  )
  reported = []
  settings = dict(num_steps=3, batch_size=8, log_every=1)
  trained, rows = fit_lib.fit(
    loss, params(4, 2), data, part=part, report=reported.append, **settings
  )
  alone, _ = fit_lib.fit(loss, params(4, 2), data[part], **settings)
  np.testing.assert_array_equal(trained['in'], alone['in'])
  assert reported == rows and len(rows) == 3
  for wrong in ([], [-1], [32]):
    with pytest.raises(ValueError, match='numbers of the 32 examples'):
      part = np.array(wrong, int)
      fit_lib.fit(loss, params(4, 2), data, part=part, **settings)


def test_what_cannot_be_trained_on_is_named():
  loss = autoencoding.autoencoding(encode, decode)
  with pytest.raises(ValueError, match=r'got shape \(3,\)'):
    fit_lib.fit(loss, {}, np.zeros(3), num_steps=1)
  with pytest.raises(ValueError, match='at least 1, got 0'):
    fit_lib.fit(loss, {}, np.zeros((3, 2)), num_steps=0)
  hot = optax.sgd(1e30)
  gaussian = autoencoding.autoencoding(
    encode, decode, likelihood=reconstruction.gaussian(0.1)
  )
  with pytest.raises(FloatingPointError, match='not finite at step'):
    fit_lib.fit(
      gaussian, params(4, 2), np.ones((8, 4), np.float32), num_steps=9,
      batch_size=8, optimizer=hot,
    )  # fmt: skip


def test_the_example_leaves_codes_and_figures(tmp_path):
  rows, score = own_model.train(tmp_path, num_steps=300)
  assert rows[-1]['loss'] < rows[0]['loss']
  assert set(rows[0]) == {'step', 'loss', 'reconstruction', 'kl'}
  codes = codes_lib.load(tmp_path / 'codes.npz')
  assert codes.codes.shape == codes.log_var.shape == (1797, 8, 1)
  assert 0 <= score['mig'] <= 1
  for name in ('hybrid', 'prior'):
    with Image.open(tmp_path / 'figures' / f'{name}.png') as sheet:
      # 48 digits of 8 pixels, enlarged to 96, eight in a row.
      assert sheet.size == (8 * 99 - 3, 6 * 99 - 3)


@pytest.mark.parametrize(
  'images, message',
  [
    (np.full((9, 2, 2, 1), 200), 'images are int64; expected uint8 in 0..255'),
    (np.full((9, 4), 2, np.int32), 'images are int32; expected uint8'),
    (np.linspace(0, 255, 36).reshape(9, 2, 2, 1), 'run from 0 to 255; expecte'),
    (np.linspace(-1, 1, 36).reshape(9, 4), 'run from -1 to 1; expected uint8'),
    (np.array([[0.5, 0.5], [0.5, np.nan]]), 'to nan; expected uint8'),
  ],
)
def test_images_of_another_range_are_refused(images, message):
  """Targets would be clipped to 1, and the loss mean nothing."""
  flat = lambda p, x: encode(p, reconstruction.as_floats(x).reshape(len(x), -1))
  size = images[0].size
  loss = autoencoding.autoencoding(
    flat, lambda p, u: decode(p, u).reshape(-1, *images.shape[1:])
  )
  start = params(size, 2)
  with pytest.raises(ValueError, match=message):
    fit_lib.fit(loss, start, images, num_steps=1, batch_size=4)
  with pytest.raises(ValueError, match='expected uint8 in 0..255, or floats'):
    loss(start, jnp.asarray(images), jax.random.key(0))
