"""The decoder of the page, run in node, against `decode`."""

import base64
import dataclasses
import functools
import html
import json
import re
import shutil
import subprocess
from importlib import resources

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae import Model, build, pages, portable
from structae import config as config_lib
from structae.pages import live

NODE = shutil.which('node')
pytestmark = [
  pytest.mark.skipif(NODE is None, reason='node is not installed'),
  pytest.mark.usefixtures('barely_optimized'),
]

TINY = {
  'data.size': 8,
  'model.num_latents': 4,
  'model.num_blocks': 4,
  'model.width': 8,
  'model.num_groups': 2,
}
# One of every decoder, and of every layer that one may have.
MODELS = {
  'structural': ('sae4', {}),
  'stages of two blocks': ('sae2', {}),
  'adaptive': ('adaae4', {'model.activation': 'elu'}),
  'ladder': ('vlae2', {'model.activation': 'elu'}),
  'ladder that shrinks': ('vlae4', {'model.preset': 'released'}),
  'hourglass': ('ae', {'objective.likelihood': 'gaussian'}),
  'strided': ('sae4', {'model.resampling': 'strided'}),
  'strided ladder': ('vlae4', {'model.resampling': 'strided'}),
  'unequal stages': ('sae2', {'model.stage_blocks': (3, 1)}),
  # A leaf without blocks, one that is small, and a diamond between.
  'graph': (
    'sae4',
    {
      'model.decoder': 'graph',
      'model.graph': 'a; b: a; c: a, b; d',
      'model.stage_blocks': (1, 2, 1),
    },
  ),
}


@functools.cache
def make(kind, channels=3):
  """A model as initialized, its weights rounded to float16, and codes."""
  name, settings = MODELS[kind]
  config = config_lib.get_config(name, 'smoke')
  single = {'model.num_variables': 4} if name in ('ae', 'adaae4') else {}
  config_lib.update(config, TINY | single | settings)
  module = build.model(config, channels)
  params = build.init(config, module, jax.random.key(0), (8, 8, channels))
  params = jax.tree.map(lambda x: x.astype(jnp.float16), params)
  model = Model(config, jax.tree.map(lambda x: x.astype(jnp.float32), params))
  codes = jax.random.normal(jax.random.key(1), (3, *model.code_shape))
  return model, np.asarray(codes)


def run(model, body, **values):
  """Runs JavaScript with `decoder`, and returns what `answer` then is."""
  plan, weights = portable.decoder(model)
  values |= {
    'plan': plan,
    'weights': base64.b64encode(weights.astype('<f2')).decode(),
  }
  source = resources.files('structae.pages').joinpath('decoder.js').read_text()
  script = f"""{source}
    const values = JSON.parse(require('fs').readFileSync(0));
    const decoder = decoderOf(values.plan, weightsOf(values.weights));
    const answer = (() => {{ {body} }})();
    process.stdout.write(JSON.stringify(answer));"""
  done = subprocess.run(
    [NODE, '-e', script], input=json.dumps(values), text=True,
    capture_output=True, timeout=60,
  )  # fmt: skip
  assert not done.returncode, done.stderr
  return json.loads(done.stdout)


@pytest.mark.parametrize('kind', MODELS)
def test_it_equals_jax_on_random_codes(kind):
  model, codes = make(kind, channels=1 if kind == 'strided' else 3)
  images = run(
    model,
    'return values.codes.map((code) => [...decoder.decode(code)]);',
    codes=codes.reshape(3, -1).tolist(),
  )
  expected = model.decode_mean(codes)
  assert np.ptp(expected, 0).max() > 0.01  # codes tell images apart
  images = np.array(images).reshape(expected.shape)
  np.testing.assert_allclose(images, expected, atol=2e-6)


@pytest.mark.parametrize(
  'kind, blocks',
  [('structural', [4, 3, 2, 1]), ('stages of two blocks', [4, 4, 2, 2]),
   ('adaptive', [4] * 4), ('ladder that shrinks', [4, 3, 2, 1]),
   ('hourglass', [4] * 4), ('unequal stages', [4, 4, 1, 1]),
   ('graph', [5, 4, 2, 2])],
)  # fmt: skip
def test_what_reads_nothing_new_is_not_computed_again(kind, blocks):
  model, codes = make(kind)
  numbers = codes[0].ravel()
  changed = np.where(np.eye(4, dtype=bool), numbers + 1, numbers)
  kept, fresh, computed, idle = run(
    model,
    """const kept = [], computed = [];
    for (const code of values.changed) {
      const state = {};
      decoder.decode(values.code, state);
      kept.push([...decoder.decode(code, state)]);
      computed.push(state.computed);
    }
    const fresh = values.changed.map((code) => [...decoder.decode(code)]);
    const state = {};
    decoder.decode(values.code, state);
    decoder.decode(values.code, state);
    return [kept, fresh, computed, state.computed];""",
    code=numbers.tolist(),
    changed=changed.tolist(),
  )
  assert kept == fresh and computed == blocks and idle == 0


def test_half_precision_is_read_to_the_bit():
  halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
  halves = halves[np.isfinite(halves)]
  source = resources.files('structae.pages').joinpath('decoder.js').read_text()
  script = f"""{source}
    const text = require('fs').readFileSync(0, 'latin1');
    process.stdout.write(JSON.stringify([...weightsOf(text)]));"""
  text = base64.b64encode(halves.astype('<f2')).decode()
  done = subprocess.run(
    [NODE, '-e', script], input=text, capture_output=True, text=True, check=True
  )
  np.testing.assert_array_equal(json.loads(done.stdout), halves.astype(float))


def test_vectors_and_weights_beyond_float16_are_refused():
  model, _ = make('structural')
  params = jax.tree.map(lambda x: x * 1e6, model.params)
  with pytest.raises(ValueError, match='beyond the range of float16'):
    portable.decoder(Model(model.config, params))


def test_a_notebook_shows_a_model(monkeypatch):
  model, codes = make('structural')
  with pytest.raises(ValueError, match='no stored codes'):
    pages.play(model)
  model = dataclasses.replace(model, pool=codes)
  player = pages.play(model)
  assert 'id="live"' in player.page and 'function decoderOf' in player.page
  assert re.fullmatch(r'The decoder with sliders, 0\.\d MB: .*', repr(player))
  shown = player._repr_html_()
  assert html.unescape(shown.split('srcdoc="')[1].split('"')[0]) == player.page
  monkeypatch.setattr(live, '_MOST_WEIGHTS', 10)
  with pytest.raises(ValueError, match='a page takes 10 at most'):
    pages.play(model)
