"""FactorVAE: its permutation, its two gradients, a critic that learns."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from structae.models import critic as critics
from structae.nn.posterior import Posterior
from structae.objectives import adversarial, divergences, reconstruction

L, X = 3, 4


def encode(params, x):
  mean, log_var = jnp.split(x @ params['encoder'], 2, -1)
  return Posterior(mean[..., None], log_var[..., None])


def decode(params, codes):
  return codes[..., 0] @ params['decoder']


def critic(params, codes):
  return jnp.tanh(codes[..., 0] @ params['critic'][0]) @ params['critic'][1]


@pytest.fixture(scope='module')
def params():
  keys = jax.random.split(jax.random.key(0), 4)
  return {
    'encoder': jax.random.normal(keys[0], (X, 2 * L)) / 3,
    'decoder': jax.random.normal(keys[1], (L, X)),
    'critic': [
      jax.random.normal(keys[2], (L, 8)),
      jax.random.normal(keys[3], (8, 2)),
    ],
  }


IMAGES = jax.random.uniform(jax.random.key(5), (16, X))
KEY = jax.random.key(6)
GAMMA = 7.0


def halves(params):
  """Both losses of algorithm 2, each with what it needs as constants."""
  keys = jax.random.split(KEY, 3)
  first, second = IMAGES[::2], IMAGES[1::2]

  def of_autoencoder(own, critic_params):
    posterior = encode(own, first)
    codes = posterior.sample(keys[0])
    q = jax.nn.softmax(critic({'critic': critic_params}, codes))
    rec = reconstruction.BERNOULLI.nats(decode(own, codes), first)
    tc = jnp.log(q[:, 0]) - jnp.log(q[:, 1])
    return (rec + divergences.kl(posterior) + GAMMA * tc).mean()

  def of_critic(critic_params):
    classify = lambda u: jax.nn.softmax(critic({'critic': critic_params}, u))
    codes = encode(params, first).sample(keys[0])
    mixed = adversarial.permute(keys[2], encode(params, second).sample(keys[1]))
    right = jnp.log(classify(codes)[:, 0]) + jnp.log(classify(mixed)[:, 1])
    return -right.mean() / 2

  return of_autoencoder, of_critic


def test_each_half_s_gradient_is_that_of_its_own_loss_alone(params):
  loss = adversarial.factor_vae(encode, decode, critic, GAMMA)
  (value, _), both = jax.value_and_grad(loss, has_aux=True)(params, IMAGES, KEY)
  own = {name: params[name] for name in ('encoder', 'decoder')}
  of_autoencoder, of_critic = halves(params)
  value_a, alone = jax.value_and_grad(of_autoencoder)(own, params['critic'])
  value_c, judged = jax.value_and_grad(of_critic)(params['critic'])
  np.testing.assert_allclose(value, value_a + value_c, rtol=1e-5)
  for name in own:
    np.testing.assert_allclose(both[name], alone[name], rtol=1e-4, atol=1e-5)
  for a, b in zip(both['critic'], judged):
    assert np.abs(a).max() > 1e-4
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_the_second_batch_teaches_the_critic_alone(params):
  loss = adversarial.factor_vae(encode, decode, critic, GAMMA)
  change = lambda places: IMAGES.at[places].multiply(0.5)
  terms = lambda images: loss(params, images, KEY)[1]
  before, after = terms(IMAGES), terms(change(jnp.arange(1, 16, 2)))
  assert before['critic'] != after['critic']
  for name in ('reconstruction', 'kl', 'total_correlation'):
    assert before[name] == after[name]
  first = terms(change(jnp.arange(0, 16, 2)))
  assert first['reconstruction'] != before['reconstruction']


def test_an_odd_number_of_images_is_refused(params):
  loss = adversarial.factor_vae(encode, decode, critic)
  with pytest.raises(ValueError, match='two batches in one, got 15'):
    loss(params, IMAGES[:15], KEY)


def test_permuting_keeps_marginals_and_loses_dependence():
  codes = jnp.arange(500.0)[:, None, None] * jnp.ones((1, 3, 2))
  mixed = adversarial.permute(jax.random.key(0), codes).reshape(500, 6)
  for column in mixed.T:
    np.testing.assert_array_equal(np.sort(column), np.arange(500))
  correlation = np.corrcoef(mixed.T) - np.eye(6)
  assert np.abs(correlation).max() < 0.2
  # Values never change their place inside a code.
  places = 1000 * jnp.arange(6.0).reshape(1, 3, 2) + codes % 1000
  kept = adversarial.permute(jax.random.key(0), places) // 1000
  np.testing.assert_array_equal(kept[0].ravel(), np.arange(6))
  assert (kept == kept[:1]).all()


def test_a_critic_that_cannot_tell_pays_log_2():
  logits = jnp.zeros((10, 2))
  np.testing.assert_allclose(
    adversarial.critic_loss(logits, logits), np.log(2), rtol=1e-6
  )
  assert adversarial.total_correlation(logits) == 0


def test_the_critic_learns_the_total_correlation_of_a_gaussian():
  rho = 0.9
  module = critics.Critic((32, 32))
  params = module.init(jax.random.key(0), jnp.zeros((1, 2, 1)))
  optimizer = optax.adam(optax.cosine_decay_schedule(5e-3, 800))

  def draw(key, num=512):
    a, b = jax.random.normal(key, (2, num))
    return jnp.stack([a, rho * a + jnp.sqrt(1 - rho**2) * b], 1)[..., None]

  @jax.jit
  def train(params, opt_state):
    def update(carry, key):
      params, opt_state = carry
      keys = jax.random.split(key, 3)
      codes, mixed = draw(keys[0]), adversarial.permute(keys[1], draw(keys[2]))
      gradient = jax.grad(
        lambda p: adversarial.critic_loss(
          module.apply(p, codes), module.apply(p, mixed)
        )
      )(params)
      updates, opt_state = optimizer.update(gradient, opt_state)
      return (optax.apply_updates(params, updates), opt_state), None

    keys = jax.random.split(jax.random.key(1), 800)
    return jax.lax.scan(update, (params, opt_state), keys)[0][0]

  params = train(params, optimizer.init(params))
  logits = module.apply(params, draw(jax.random.key(2), 20_000))
  expected = -np.log(1 - rho**2) / 2
  estimate = adversarial.total_correlation(logits)
  np.testing.assert_allclose(estimate, expected, rtol=0.1)
