"""The result of an extrapolation study: four models, images new to all."""

import json
from typing import Any

import numpy as np

from experiments.paper.extrapolate import RESULT, Study
from structae import build, files, restore, workdir
from structae import config as config_lib
from structae.config import ConfigError
from structae.data import pipeline, splits
from structae.doors import Trained
from structae.figures import grids
from structae.training import stop as stop_lib

NUM_SHOWN = 10
DEFINITIONS = {
  'mse': 'Mean squared error, pixels in 0..1, of reconstructions of test '
  'images with the held-out values: images that no run has trained on.',
  'mse_familiar': 'The same of test images without them.',
  'none': 'The base, trained without the held-out values.',
  'encoder': 'The base with its encoder trained on, on all training images.',
  'decoder': 'The base with its decoder trained on, on all training images: '
  'for a structural decoder S_0, the Str-Tfm networks and the blocks.',
  'both': 'The base trained on as a whole, on all training images.',
  'optimizer': 'A continuation starts from the parameters of the base; the '
  'moments of Adam start at zero, and the learning rate takes its configured '
  'course over the updates of the continuation.',
}


def conclude(study: Study) -> None:
  """Writes and prints the result of finished runs; once is enough.

  Args:
    study: the runs, all finished.

  Raises:
    ConfigError: if a run cannot be read.
    stop.Interrupted: if asked to stop.
  """
  content, path = _finished(study), study.folder / RESULT
  if content is None:
    with stop_lib.Stop() as stopping:
      content = _score(study, stopping)
      files.write_text(path, json.dumps(content, indent=1) + '\n')
  print(table(content))
  print(f'written to {path}')
  print(f'drawn: {study.folder / "figures" / "extrapolation.png"}')


def _finished(study: Study) -> dict[str, Any] | None:
  """The result that is there, if it is of these very runs."""
  try:
    content = json.loads((study.folder / RESULT).read_text('utf-8'))
    return content if content['runs'] == _runs(study) else None
  except (OSError, ValueError, KeyError, TypeError):
    return None


def _runs(study: Study) -> dict[str, Any]:
  """What tells the runs from others, and where they are."""
  return {
    column: {
      'folder': str(asked.workdir),
      'config_hash': config_lib.config_hash(asked.config),
      'num_steps': asked.config.train.num_steps,
    }
    for column, asked in study.runs.items()
  }


def _score(study: Study, stopping: stop_lib.Stop) -> dict[str, Any]:
  base = restore.restore(_folder(study, 'none'))
  run, config = base.trained, base.trained.config
  novel, familiar = test_images(run, study.hold_out, base.splits.train)
  num = config.evaluation.num_test
  novel, familiar = (
    pipeline.subset(part, num, seed=1) for part in (novel, familiar)
  )
  mse: dict[str, dict[str, float]] = {'mse': {}, 'mse_familiar': {}}
  shown = np.random.RandomState(1).permutation(novel)[:NUM_SHOWN]
  rows = [run.doors.images(shown)]
  for column in study.runs:
    print(f'reconstructing with {column}', flush=True)
    params = run.params
    if column != 'none':
      params = restore.restore(_folder(study, column)).trained.params
    for name, part in (('mse', novel), ('mse_familiar', familiar)):
      errors = run.doors.reconstruct(params, part)['mse']
      mse[name][column] = float(errors.mean(dtype=np.float64))
    codes = run.doors.encode(params, shown).mean
    rows.append(run.doors.decode(params, codes))
    stopping.check(f'stopped after scoring {column}')
  sheet = grids.traversal_sheet(np.stack(rows), ['input', *study.runs])
  grids.save_png(study.folder / 'figures' / 'extrapolation.png', sheet)
  return {
    'model': base.name,
    'seed': config.seed,
    'hold_out': study.hold_out,
    'values': splits.EXTRAPOLATION[study.hold_out],
    'data': config.data.name,
    'scale': config.scale,
    'num_test': num,
    'num_images': len(novel),
    'num_familiar': len(familiar),
    **mse,
    'definitions': DEFINITIONS,
    'runs': _runs(study),
    'versions': workdir.versions(),
  }


def _folder(study: Study, column: str) -> Any:
  return study.runs[column].workdir


def test_images(
  run: Trained, hold_out: str, base_train: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """The numbers of test images with the held-out values, and without.

  Args:
    run: the trained base.
    hold_out: the name of what was held out.
    base_train: the numbers of the images that the base was trained on.

  Raises:
    ConfigError: if an image is among those that a run was trained on, or none
      is left.
  """
  config = run.config.copy_and_resolve_references()
  config.data.hold_out = 'none'
  whole = build.split(config, run.source)
  kept, novel = splits.hold_out(
    whole,
    run.source.factors,
    run.source.factor_names,
    splits.EXTRAPOLATION[hold_out],
  )
  if not len(novel.test):
    raise ConfigError(f'no test image of {run.source.name} is held out')
  seen = np.union1d(whole.train, base_train)
  for part, train in ((novel.test, seen), (kept.test, seen),
                      (novel.train, base_train)):  # fmt: skip
    if np.intersect1d(part, train).size:
      raise ConfigError('a run was trained on images it would be judged by')
  return novel.test, kept.test


def table(content: dict[str, Any]) -> str:
  """The result as lines to read."""
  columns = list(content['mse'])
  lines = [
    f'{content["model"]}, {content["data"]}, {content["scale"]} scale, seed '
    f'{content["seed"]}, held out: {content["hold_out"]}. MSE x 1000 by what '
    'was trained on:',
    ' ' * 24 + ''.join(f'{column:>9}' for column in columns),
  ]
  for name, words, num in (
    ('mse', 'held-out values', content['num_images']),
    ('mse_familiar', 'familiar', content['num_familiar']),
  ):
    values = ''.join(f'{1e3 * content[name][c]:9.3f}' for c in columns)
    lines.append(f'{words:16}{num:>8,}{values}')
  return '\n'.join(lines)
