"""Scores of a run's variables that ask its decoder or its data."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Trained = Any
from structae.evaluation import score_file
from structae.evaluation.codes import Codes
from structae.evaluation.metrics import order
from structae.evaluation.metrics.variable_effect import variable_effect
from structae.evaluation.registry import RUN_METRICS

# Each is decoded once, and once more for every variable: a standard error of
# about a tenth of an effect.
NUM_EFFECT_CODES = 128
# Combinations of factors whose images tell the levels of the factors; there
# are as many again for each factor, and the levels are good to about .03.
NUM_LEVEL_DRAWS = 500
# Which way is up, where a name would be misread: a correlation is mostly bad.
BETTER = {'order_correlation': {'better': 'higher'}}


def score(
  run: Trained,
  train: Codes,
  names: Sequence[str],
  say: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
  """Which variables have an effect, and whether they are in order.

  Args:
    run: the trained model.
    train: codes of training images.
    names: out of `metrics.RUN_METRICS`.
    say: tells a person what cannot be scored.

  Returns:
    `scores`, `matrices` and `details`; see `scores.score_codes`.
  """
  found: dict[str, dict[str, Any]] = {k: {} for k in score_file.PARTS}
  functions = {'variable_effect': _effect, 'order': _order}
  for name in names:
    try:
      values, matrices, details, num = functions[name](run, train)
      reason = ''
    except ValueError as error:
      say(f'{name}: {error}')
      values, matrices, details, num = {}, {}, {}, len(train.codes)
      reason = str(error)
    for key, definition in RUN_METRICS[name].items():
      found['scores'][key] = {
        'value': values.get(key),
        'definition': definition,
        'n': num,
        'metric': name,
        **BETTER.get(key, {}),
        **({'missing': reason} if reason else {}),
      }
    found['matrices'] |= matrices
    found['details'][name] = details
  return found


_Answer = tuple[dict[str, Any], dict[str, Any], dict[str, Any], int]


def _effect(run: Trained, train: Codes) -> _Answer:
  rows = np.random.RandomState(0).permutation(len(train.codes))
  codes = train.codes[np.sort(rows[:NUM_EFFECT_CODES])]
  details = variable_effect(run.decode, codes)
  values = {'used_variables': details.pop('used_variables')}
  matrix = {
    'values': details.pop('variable_effect').tolist(),
    'rows': [f'U_{k + 1}' for k in range(codes.shape[1])],
    'columns': ['effect'],
  }
  return values, {'variable_effect': matrix}, details, len(codes)


def _order(run: Trained, train: Codes) -> _Answer:
  if run.config.model.decoder == 'hourglass':
    raise ValueError('an hourglass decoder reads its variables in no order.')
  if train.codes.shape[1] < 2:
    raise ValueError('there is one variable, and so no order.')
  varies = np.flatnonzero(train.factors.min(0) < train.factors.max(0))
  if len(varies) < 2:
    raise ValueError('fewer than two factors vary.')
  levels = _levels(run)[varies]
  shares = order.information_shares(train.codes, train.factors[:, varies])
  value = order.order_correlation(shares, levels)
  names = [train.factor_names[j] for j in varies]
  details = {
    'information_shares': shares.tolist(),
    'factor_levels': dict(zip(names, levels.tolist())),
    'num_level_draws': NUM_LEVEL_DRAWS,
  }
  return {'order_correlation': value}, {}, details, len(train.codes)


def _levels(run: Trained) -> np.ndarray:
  """The levels of all factors of a data set that shows every combination."""
  source = run.source
  sizes = source.factor_sizes
  if int(np.prod(sizes, dtype=np.int64)) != source.size:
    raise ValueError(
      f'{source.name} does not show every combination of its factors, which '
      'the levels of factors take.'
    )

  def render(factors: np.ndarray) -> np.ndarray:
    numbers = np.ravel_multi_index(tuple(factors.T), sizes)
    if (source.factors(numbers) != factors).any():
      raise ValueError(f'{source.name} is not in the order of its factors.')
    return run.doors.images(numbers.astype(np.int32))

  return order.factor_levels(render, sizes, num=NUM_LEVEL_DRAWS)
