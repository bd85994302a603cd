"""Every checkpoint of a run is scored once, as the model that it holds."""

import json

import numpy as np
import pytest

from experiments.paper import over_training
from structae import build
from structae import config as config_lib
from structae.data import pipeline
from structae.data.selection import Selection
from tests import runs

pytestmark = pytest.mark.usefixtures('barely_optimized')

SMALL = {'num_train': 64, 'num_validation': 16, 'num_test': 32,
         'num_samples': 8}  # fmt: skip


def test_each_checkpoint_is_scored_as_its_own_model(
  tmp_path, monkeypatch, capsys
):
  monkeypatch.setattr(over_training, 'METRICS', ('mig',))
  run, _, source = runs.make(tmp_path / 'run', 1, 3, train=20)
  small = {f'evaluation.{name}': num for name, num in SMALL.items()}
  config_lib.update(run.config, small)
  found = over_training.scored(run)
  batch = run.config.train.batch_size
  assert [*found] == [1 * batch, 3 * batch]

  # The two are told apart by the start of the decoder.
  test = build.split(run.config, source).test
  test = Selection(source, pipeline.subset(test, SMALL['num_test'], seed=1))
  for step in (1, 3):
    mse = run.model(step).errors(test)['mse'].mean()
    np.testing.assert_allclose(found[step * batch]['test_mse'], mse, rtol=1e-6)
  first, last = found.values()
  assert first['test_mse'] != last['test_mse']
  assert first['mig'] == last['mig']  # of the same encoder

  # Nothing is scored again; what is new in the folder is drawn.
  capsys.readouterr()
  path = run.folder / over_training.RESULT
  known = json.loads(path.read_text())
  known['1']['mig'] = 0.5
  path.write_text(json.dumps(known))
  assert over_training.main([str(run.folder)]) == 0
  assert 'step' not in capsys.readouterr().out
  assert (run.folder / 'over_training.png').is_file()
  assert over_training.scored(run)[batch]['mig'] == 0.5


def test_what_is_no_run_is_one_line(tmp_path, capsys):
  assert over_training.main([str(tmp_path)]) == 2
  assert 'no folder of a run' in capsys.readouterr().err
