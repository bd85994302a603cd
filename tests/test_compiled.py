"""Compiled functions are those of the model, for any number of examples."""

import jax
import numpy as np
import pytest

from structae import compiled
from tests import test_pretrained

pytestmark = pytest.mark.usefixtures('barely_optimized')


@pytest.mark.parametrize('name', ['sae4', 'vlae2', 'fvae', 'sae2'])
def test_it_is_the_model(name, tmp_path):
  model = test_pretrained.make(name, test_pretrained.FAMILIES[name])
  compiled.write(tmp_path / 'made', model)
  encode, decode = (
    jax.export.deserialize(bytearray((tmp_path / 'made' / file).read_bytes()))
    for file in (compiled.ENCODER, compiled.DECODER)
  )
  rng = np.random.default_rng(1)
  codes = rng.normal(size=(3, *model.code_shape)).astype(np.float32)
  images = model.decode_mean(codes)
  close = lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5)
  close(decode.call(codes), images)
  close(decode.call(codes[:1]), images[:1])
  close(encode.call(images), model.encode(images))
  assert {'cpu', 'cuda', 'tpu'} <= set(decode.platforms)
  with pytest.raises(ValueError, match='exists; give a new folder'):
    compiled.write(tmp_path / 'made', model)
