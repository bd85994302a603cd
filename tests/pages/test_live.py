"""The part of a report in which its decoder is played with."""

import json
import re
import warnings

import numpy as np
import pytest

from structae.evaluation.codes import Codes
from structae.pages import live, report
from structae.run import Run
from tests import finished_run


@pytest.fixture
def folder(make_run):
  folder = make_run()
  finished_run.add_decoder(folder)
  return folder


def model(text):
  """What the script of the page is given."""
  found = re.search(r'data-model="([^"]*)"', text)[1]
  return json.loads(found.replace('&quot;', '"'))


def test_the_decoder_takes_the_place_of_frames(folder, make_run):
  with_decoder = report.write_report(folder).read_text()
  without = report.write_report(make_run('older')).read_text()
  assert 'Play with the decoder' in with_decoder
  assert 'One variable at a time' in without
  assert with_decoder.count('<img') == without.count('<img') - 20 - 48
  assert 'function decoderOf' in with_decoder and 'data-model' not in without


def test_sliders_span_the_middle_of_the_training_codes(folder):
  codes = np.linspace(-1, 3, 101)[:, None, None] * np.arange(1, 5)[:, None]
  codes = Codes(
    codes=codes.astype(np.float32),
    log_var=None,
    factors=np.zeros((101, 0), np.int32),
    factor_names=(),
    factor_sizes=(),
    indices=np.arange(101),
    meta={},
  )
  Run(folder).save_codes('train', codes)
  given = model(report.write_report(folder).read_text())
  np.testing.assert_allclose(given['low'], -0.92 * np.arange(1, 5), rtol=1e-4)
  np.testing.assert_allclose(given['high'], 2.92 * np.arange(1, 5), rtol=1e-4)
  pool = np.reshape(given['pool'], (6, 4, 1))
  np.testing.assert_allclose(pool, Run(folder).pool(5), rtol=1e-4)


def test_sliders_are_named_by_what_they_carry(folder):
  content = json.loads((folder / 'scores.json').read_text())
  nats = np.array([[0.1, 0.02], [0.9, 0.8], [0.0, 0.6], [0.05, 0.05]])
  content['matrices'] = {
    'mutual_information': {
      'values': nats.tolist(),
      'rows': [f'U_{k}' for k in range(1, 5)],
      'columns': ['floor_hue', '<b>'],
    },
    'variable_effect': {
      'values': [[0.5], [0.2], [0.002], [0.2]],
      'rows': [f'U_{k}' for k in range(1, 5)],
      'columns': ['effect'],
    },
  }
  content['details'] = {'mig': {'entropy': [1.0, 1.0]}}
  (folder / 'scores.json').write_text(json.dumps(content))
  text = report.write_report(folder).read_text()
  names = re.findall(r'<label class="number"><span>(.*?)</span>', text)
  assert names == [
    'U₁ floor hue',
    'U₂ floor hue, &lt;b&gt;',
    'U₃ little effect',
    'U₄',
  ]


def test_what_is_too_large_or_of_another_step_is_left_out(folder, monkeypatch):
  run = Run(folder)
  assert live.sections(run, [])
  monkeypatch.setattr(live, '_MOST_WEIGHTS', 100)
  assert not live.sections(run, [])
  monkeypatch.undo()
  run.save_pool(run.pool(5), 6)
  with pytest.warns(UserWarning, match='of step 6'):
    assert not live.sections(run, [])


@pytest.mark.parametrize(
  'arrays',
  [{'plan': np.array('{}')}, {'plan': np.array('{'), 'weights': np.ones(3)},
   {'plan': np.array('[]'), 'weights': np.ones(3), 'step': np.array(1)},
   {'plan': np.array('{}'), 'weights': np.full(3, np.nan), 'step': 1}],
)  # fmt: skip
def test_another_file_is_refused_in_one_line(folder, arrays):
  with warnings.catch_warnings():
    np.savez(folder / 'decoder.npz', **arrays)
  with pytest.raises(ValueError, match=r'decoder\.npz holds no decoder'):
    report.write_report(folder)
