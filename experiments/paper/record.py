"""Every number of a study, for a file: scores over seeds, and differences.

Each model is compared with one, the reference, on the seeds that both have; see
`uncertainty` for the intervals and the permutation test.
"""

import dataclasses
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import ml_collections
import numpy as np

from experiments.paper import over_training
from experiments.paper.choosing import Choice
from experiments.paper.matched import Matching
from structae import parameters
from structae.data import catalog
from structae.evaluation import uncertainty
from structae.pages import seeds, wording
from structae.pages.seeds import Group
from structae.run import Run

RESULT = 'record.json'
# Scores of the tables, with their heads; a record has all there are.
SHOWN = {
  'test_bce_above_floor': 'BCE above entropy, nats',
  'test_mse': 'MSE',
  'disentanglement': 'DCI-d',
  'completeness': 'DCI-c',
  'mig': 'MIG',
  'pairwise_information': 'dependence, nats',
  'scene_distance_hybrid': 'scene distance, hybrid',
}

_BySeed = Mapping[Hashable, float]


def of(
  groups: Sequence[Group],
  choices: Sequence[Choice],
  matching: Matching | None,
  about: Mapping[str, Any],
) -> dict[str, Any]:
  """The numbers of a study.

  Args:
    groups: its finished runs by model, the reference first.
    choices: the values that were tried.
    matching: the checkpoints at which models reconstruct alike, if any.
    about: what else the file is to say: the study, its command and its data.

  Returns:
    `about`, `reference`, `models` and `matched`, for JSON. `models` are by
    name: `steps`, `images`, `learning_rate`, `seeds`, `parameters`, `tried`
    (by field the scale, the updates of a try if not as many as the scale has,
    the criterion and its results by value) and `scores`. A
    score has its `values` by seed, `mean`, `deviation` of the sample,
    `interval` of 95 % and `difference`, that of the reference less the model on
    the seeds of both. `matched` has the `level`, `left_out`, and by model
    `steps`, `losses` and `scores` of the same form. A number that does not
    exist is None.
  """
  reference = groups[0]
  return {
    **about,
    'reference': reference.name,
    'models': {
      group.name: {
        **_facts(group),
        **_tried(group, choices),
        'scores': {
          name: over_seeds(
            group.by_seed(name), _comparable(reference, group, name)
          )
          for name in _names(group)
        },
      }
      for group in groups
    },
    'matched': matching and _matched(groups, matching),
  }


def _facts(group: Group) -> dict[str, Any]:
  first = group.runs[0]
  steps = first.field('train.num_steps')
  return {
    'steps': steps,
    'images': steps * first.field('train.batch_size'),
    'learning_rate': first.field('train.learning_rate'),
    'seeds': [run.field('seed') for run in group.runs],
    'parameters': num_parameters(first.config),
  }


def num_parameters(config: ml_collections.ConfigDict) -> int:
  """Parameters of encoder and decoder of a configuration, without them."""
  shape = catalog.get(config.data.name).image_shape or (0, 0, 3)
  shapes = parameters.expected(config, shape[-1])
  return sum(math.prod(leaf.shape) for leaf in shapes.values())


def _tried(group: Group, choices: Sequence[Choice]) -> dict[str, Any]:
  """The values of fields that were tried for a model, and their results."""
  model = group.runs[0].name
  return {
    'tried': {
      choice.field: {
        'scale': choice.scale or group.runs[0].field('scale'),
        'steps': choice.num_steps,
        'criterion': choice.criterion,
        'results': {
          f'{value:g}': _nats(nats) for value, nats in choice.results.items()
        },
      }
      for choice in choices
      if choice.model == model
    }
  }


def _nats(nats: float | None) -> float | str | None:
  """A result of a value that was tried, as JSON has it."""
  return nats if nats is None or np.isfinite(nats) else 'diverged'


def _names(group: Group) -> list[str]:
  names = dict.fromkeys(name for run in group.runs for name in run.scores)
  return [name for name in names if group.values(name).size]


def _comparable(reference: Group, group: Group, score: str) -> _BySeed:
  """Values of the reference, where they compare with those of a group."""
  if reference is group or not seeds.compared([reference, group], score):
    return {}
  return reference.by_seed(score)


def over_seeds(values: _BySeed, reference: _BySeed) -> dict[str, Any]:
  """A score as a record has it.

  Args:
    values: by seed.
    reference: those of the model that this one is compared with; may be empty.
  """
  found = uncertainty.mean([*values.values()])
  entry: dict[str, Any] = {
    'values': {str(seed): value for seed, value in values.items()},
    'mean': found.mean,
    'deviation': _known(found.deviation),
    'interval': _interval(found),
  }
  pair = uncertainty.paired(reference, values)
  if pair is not None:
    entry['difference'] = {
      'mean': pair.mean,
      'interval': _interval(pair),
      'p': pair.p_value if pair.num >= uncertainty.FEWEST else None,
      'seeds': pair.num,
    }
  return entry


def _interval(
  found: uncertainty.Mean | uncertainty.Difference,
) -> list[float] | None:
  return None if np.isnan(found.low) else [found.low, found.high]


def _known(number: float) -> float | None:
  return None if np.isnan(number) else number


def _matched(groups: Sequence[Group], matching: Matching) -> dict[str, Any]:
  found = {group.name: _states(group.runs, matching) for group in groups}
  first = _values(found[groups[0].name])
  return {
    'level': matching.level,
    'left_out': {
      f'{group.name}, seed {run.field("seed")}': matching.left_out[run.folder]
      for group in groups
      for run in group.runs
      if run.folder in matching.left_out
    },
    'models': {
      group.name: {
        'steps': {str(state.seed): state.step for state in states},
        'losses': {
          str(state.seed): matching.losses[state.run.folder] for state in states
        },
        'scores': {
          name: over_seeds(
            values, {} if group is groups[0] else first.get(name, {})
          )
          for name, values in _values(states).items()
        },
      }
      for group in groups
      for states in [found[group.name]]
      if states
    },
  }


@dataclasses.dataclass(frozen=True)
class _State:
  """A checkpoint of a run, and its scores."""

  run: Run
  step: int
  scores: Mapping[str, float]

  @property
  def seed(self) -> int:
    return self.run.field('seed')


def _states(runs: Sequence[Run], matching: Matching) -> list[_State]:
  """The matched checkpoints of runs that have been scored."""
  found = []
  for run in runs:
    step = matching.steps.get(run.folder)
    if step is not None and over_training.is_scored(run, step):
      found.append(_State(run, step, over_training.known(run)[step]))
  return found


def _values(states: Sequence[_State]) -> dict[str, dict[Hashable, float]]:
  """Scores by name, then by seed."""
  found: dict[str, dict[Hashable, float]] = {}
  for state in states:
    for name, value in state.scores.items():
      found.setdefault(name, {})[state.seed] = value
  return found


# As tables.


def table(models: Mapping[str, Any]) -> list[list[str]]:
  """Scores of models over seeds, with intervals; the first row is the head.

  Args:
    models: of a record, or of what is matched in it.
  """
  shown = _shown(models)
  rows = [['model', 'seeds', *(SHOWN[name] for name in shown)]]
  for model, content in models.items():
    scores = content['scores']
    counts = [len(scores[name]['values']) for name in shown if name in scores]
    cells = [_mean(scores.get(name)) for name in shown]
    rows.append([model, str(max(counts, default=0)), *cells])
  return rows


def differences(models: Mapping[str, Any]) -> list[list[str]]:
  """Differences of the reference less each other model, on shared seeds."""
  shown = _shown(models)
  rows = [['less', 'seeds', *(SHOWN[name] for name in shown)]]
  for model, content in models.items():
    found = {
      name: content['scores'].get(name, {}).get('difference') for name in shown
    }
    counts = [pair['seeds'] for pair in found.values() if pair]
    if counts:
      cells = [_difference(pair) for pair in found.values()]
      rows.append([model, str(max(counts)), *cells])
  return rows


def _shown(models: Mapping[str, Any]) -> list[str]:
  return [
    name for name in SHOWN if any(name in m['scores'] for m in models.values())
  ]


def _mean(score: Mapping[str, Any] | None) -> str:
  if score is None:
    return '–'
  if score['deviation'] is None:
    return wording.number(score['mean'])
  text = wording.mean_and_deviation(score['mean'], score['deviation'])
  return f'{text}{_ends(score["interval"])}'


def _difference(pair: Mapping[str, Any] | None) -> str:
  if pair is None:
    return '–'
  text = f'{wording.number(pair["mean"])}{_ends(pair["interval"])}'
  return text if pair['p'] is None else f'{text}, p {pair["p"]:.2g}'


def _ends(interval: Sequence[float] | None) -> str:
  if interval is None:
    return ''
  return f' [{", ".join(map(wording.number, interval))}]'
