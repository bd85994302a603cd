"""Every set is prepared from files in its true layout and trained on."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from structae.data import catalog, pipeline, prepare, sources, splits
from tests.data import layouts

REAL = [d.name for d in catalog.CATALOG.values() if not d.made_here]


@pytest.mark.parametrize('name', REAL)
def test_every_set_trains(name, tmp_path):
  data_set, place = layouts.write(name, tmp_path)
  folder = prepare.prepare(
    data_set, place, prepare.Options(verify=False), tmp_path / 'cache'
  )
  source = sources.prepared(folder, mesh=MESH)
  if data_set.image_shape:
    assert source.image_shape == data_set.image_shape
  before, after = train(source, splits.split(source.size).train)
  assert after < before


MESH = jax.sharding.Mesh(np.array(jax.devices()[:1]), ('data',))


def train(source, part, num_steps=4):
  """Fits the logits of a mean image; the loss of a batch before and after."""
  batches = pipeline.make_batches(source, part, jax.random.key(1), 8, MESH)

  def loss(params, images):
    targets = images / 255.0
    return optax.sigmoid_binary_cross_entropy(params, targets).sum() / 8

  @jax.jit
  def run(data):
    def update(params, step):
      images = batches.images(data, step)
      return params - jax.grad(loss)(params, images), None

    params = jnp.zeros(source.image_shape)
    trained, _ = jax.lax.scan(update, params, jnp.arange(num_steps))
    images = batches.images(data, jnp.int32(0))
    return jnp.stack([loss(params, images), loss(trained, images)])

  result = np.asarray(run(batches.data(0, num_steps)))
  batches.close()
  return result
