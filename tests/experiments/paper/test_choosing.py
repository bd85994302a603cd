"""By what a value is chosen."""

import json
import math

import numpy as np
import pytest
from scipy import integrate, stats

from experiments.paper import choosing
from structae.evaluation import codes as codes_lib
from structae.run import Run


@pytest.fixture
def run(tmp_path):
  key = 'validation_loss'
  rows = [{'step': 1, key: 1.0}, {'step': 2, 'loss': 0.0},
          {'step': 3, key: 5.0}, {'step': 4, 'loss': 0.0}]  # fmt: skip
  text = ''.join(json.dumps(row) + '\n' for row in rows)
  (tmp_path / 'metrics.jsonl').write_text(text)
  return Run(tmp_path)


def choice(**results):
  return choosing.Choice('ae', 'train.learning_rate', 'reconstruction', results)


def test_the_least_is_chosen_once_all_are_known():
  assert choice(a=3.0, b=2.0, c=math.inf).best == 'b'
  assert choice(a=3.0, b=None).best is None
  assert not choice(a=3.0, b=None).is_known
  assert choice(a=math.inf, b=math.inf).best is None
  assert choice(a=math.inf, b=math.inf).is_known


def test_the_last_validation_loss_counts(run, tmp_path):
  assert choosing.reconstruction(run) == 5.0
  with pytest.raises(ValueError, match='no validation loss'):
    choosing.reconstruction(Run(tmp_path / 'none'))


def test_the_bound_adds_the_divergence_from_the_prior(run):
  mean, log_var = np.array([0.7, -1.2]), np.array([-0.5, 0.3])

  def divergence(m, v):
    q, p = stats.norm(m, math.exp(v / 2)), stats.norm()
    terms = lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z))
    return integrate.quad(terms, -20, 20)[0]

  shaped = lambda x: np.tile(x, (3, 1)).reshape(3, 2, 1).astype(np.float32)
  codes = codes_lib.Codes(
    shaped(mean), shaped(log_var), np.zeros((3, 0), np.int32), (), (),
    np.arange(3), {},
  )  # fmt: skip
  run.save_codes('validation', codes)
  expected = 5 + sum(map(divergence, mean, log_var))
  assert choosing.bound(run) == pytest.approx(expected, abs=1e-5)
