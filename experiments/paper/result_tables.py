"""The tables of `docs/results.md`, made of `docs/results.json`.

A table follows a line `<!-- results: NAME -->`, NAME a key of `TABLES`.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiments.paper import claims, grouped
from structae import markdown
from structae.config import ConfigError
from structae.figures import models as names

_NONE = '–'


@dataclasses.dataclass(frozen=True)
class Shown:
  """How scores stand in a table.

  Attributes:
    head: of the row or column.
    scores: one or more; what reads the same stands once.
    decimals: of the numbers.
    times: what they are multiplied by.
    chance: decimals of what an uninformed model reaches; None leaves it out.
  """

  head: str
  scores: tuple[str, ...]
  decimals: int = 2
  times: float = 1.0
  chance: int | None = None

  def cell(self, model: Mapping[str, Any]) -> str:
    """The mean over seeds, with the deviation if there are several."""
    found = [model['scores'].get(name) for name in self.scores]
    return _once(
      claims.mean(x, self.decimals, self.times) if x else _NONE for x in found
    )

  def chances(self, models: Mapping[str, Any]) -> str:
    """What an uninformed model reaches, of the first model."""
    if self.chance is None:
      return ''
    scores = next(iter(models.values()))['scores']
    found = [scores[name]['chance'] for name in self.scores]
    return _once(claims.number(x, self.chance) for x in found)

  def difference(self, model: Mapping[str, Any]) -> str:
    """The interval of the difference of the reference less a model."""
    found = [model['scores'].get(name, {}) for name in self.scores]
    return _once(
      claims.interval(pair['interval'], self.decimals, self.times)
      if (pair := score.get('difference')) and pair['interval']
      else _NONE
      for score in found
    )


def _once(texts: Any) -> str:
  return ', '.join(dict.fromkeys(texts))


def _shown(head: str, score: str, *how: Any, **more: Any) -> Shown:
  return Shown(head, (score,), *how, **more)


_BCE = _shown('test BCE above the entropy, nats', 'test_bce_above_floor', 0)
_MSE = _shown('test MSE × 1000', 'test_mse', 1, 1000)
_DCI = _shown('DCI disentanglement', 'disentanglement')
_MIG = _shown('MIG', 'mig')
_DEPENDENCE = _shown('dependence of the codes, nats', 'pairwise_information')
_HYBRID = _shown('scene distance × 1000, hybrid', 'scene_distance_hybrid', 1,
                 1000)  # fmt: skip
_PRIOR = _shown('prior', 'scene_distance_prior', 1, 1000)
_ORDER = 'order, high-level factors first (−1 … 1)'

_HOUR = (
  _shown('test MSE × 1000', 'test_mse', 2, 1000),
  _shown('explained variance', 'explained_variance', 3, chance=0),
  dataclasses.replace(_BCE, decimals=1),
  _shown('DCI disentanglement (10,000 + 5,000 codes)', 'disentanglement',
         chance=3),
  _shown('DCI completeness', 'completeness', chance=3),
  _shown('DCI informativeness', 'informativeness_test', 3, chance=2),
  _shown('MIG', 'mig', chance=3),
  _shown('dependence of posterior means, nats', 'pairwise_information',
         chance=3),
  _shown(_ORDER, 'order_correlation', chance=0),
  _shown('scene distance × 1000: reconstructions',
         'scene_distance_reconstruction', 1, 1000),
  _shown('scene distance × 1000: hybrids', 'scene_distance_hybrid', 1, 1000),
  Shown('probe: hues', ('probe_floor_hue', 'probe_wall_hue',
                        'probe_object_hue'), chance=2),
  _shown('probe: shape', 'probe_shape', chance=2),
  _shown('probe: scale', 'probe_scale', 3, chance=2),
  _shown('probe: orientation', 'probe_orientation', 3, chance=2),
)  # fmt: skip
_GRAPH = (
  _BCE,
  _MSE,
  dataclasses.replace(_DCI, decimals=3),
  _shown('IRS', 'irs', 3),
  _shown('SAP', 'sap', 3),
  dataclasses.replace(_MIG, decimals=3),
  dataclasses.replace(_HYBRID, head='scene distance of hybrids × 1000'),
)
_RECORD = (
  _BCE,
  _MSE,
  _DCI,
  _MIG,
  _shown('order', 'order_correlation'),
  _DEPENDENCE,
  _HYBRID,
  _PRIOR,
  _shown('shape seen', 'seen_shape'),
)
_LABELS = (_BCE, _DCI, _MIG, _shown('MIG, periodic', 'mig_periodic'), _HYBRID)
_SETTINGS = (
  dataclasses.replace(_BCE, decimals=1),
  _DCI,
  _shown('DCI completeness', 'completeness'),
  _MIG,
  _shown('order', 'order_correlation'),
  _HYBRID,
  _shown('reconstruction', 'scene_distance_reconstruction', 1, 1000),
  _shown('orientation seen', 'seen_orientation'),
)
_QUICK = (
  _shown('test MSE × 1000', 'test_mse', 1, 1000),
  _shown('explained variance', 'explained_variance', 3, chance=0),
  dataclasses.replace(_BCE, decimals=1),
  _shown('MIG (10,000 training codes)', 'mig', chance=3),
  _shown(_ORDER, 'order_correlation', chance=0),
  _shown('scene distance × 1000: reconstructions',
         'scene_distance_reconstruction', 1, 1000),
  _shown('scene distance × 1000: hybrids', 'scene_distance_hybrid', 1, 1000),
  *(
    Shown(f'{factor}: {way}',
          tuple(f'{score}_{name}' for name in names), chance=chance)
    for factor, names in {
      'hues': ('floor_hue', 'wall_hue', 'object_hue'),
      'shape': ('shape',),
      'scale': ('scale',),
      'orientation': ('orientation',),
    }.items()
    for way, score, chance in (
      ('seen', 'seen', None), ('read by a probe', 'probe', 2)
    )
  ),
)  # fmt: skip

_GROUPS = tuple(
  _shown(f'{number}{rest}', f'{score}_of_{number}_groups', 1, 1000)
  for number in (12, *grouped.NUMBERS)
  for score, rest in (('scene_distance', ''), ('at_random', ', at random'))
  if rest == '' or 1 < number < 12
)

Rows = list[list[str]]


def by_score(
  section: Mapping[str, Any],
  shown: Sequence[Shown],
  differences: bool = False,
) -> Rows:
  """A row a score, a column a model; the first row is the head."""
  models = _ordered(section['models'])
  chance = any(row.chance is not None for row in shown)
  head = ['', *['chance'] * chance, *models]
  others = [x for name, x in models.items() if name != section.get('reference')]
  rows = [[*head, *['difference'] * differences]]
  for row in shown:
    cells = [row.cell(model) for model in models.values()]
    more = [row.difference(x) for x in others] if differences else []
    chances = [row.chances(models)] * chance
    rows.append([row.head, *chances, *cells, *more])
  return rows


def by_model(
  models: Mapping[str, Any],
  shown: Sequence[Shown],
  *facts: str,
  differences: bool = False,
) -> Rows:
  """A row a model, a column a score; columns without a number are left out."""
  models = _ordered(models)
  cell = Shown.difference if differences else Shown.cell
  columns = {
    column.head: [cell(column, model) for model in models.values()]
    for column in shown
  }
  known = {k: v for k, v in columns.items() if {*v} != {_NONE}}
  rows = [['', *(fact.replace('_', ' ') for fact in facts), *known]]
  for i, (name, model) in enumerate(models.items()):
    cells = [cells[i] for cells in known.values()]
    if not differences or {*cells} != {_NONE}:
      rows.append([name, *(_fact(model, fact) for fact in facts), *cells])
  return rows


def _fact(model: Mapping[str, Any], name: str) -> str:
  value = model.get(name, _NONE)
  if isinstance(value, list):
    return str(len(value))
  if isinstance(value, float):  # a learning rate: 9e-4
    digits, _, power = f'{value:.1e}'.partition('e')
    return f'{digits.removesuffix(".0")}e{int(power)}'
  return str(value)


def _ordered(models: Mapping[str, Any]) -> dict[str, Any]:
  return {name: models[name] for name in sorted(models, key=names.rank)}


def _hour(content: Mapping[str, Any]) -> Rows:
  return by_score(content['hour'], _HOUR)


def _groups(content: Mapping[str, Any]) -> Rows:
  return by_score(content['hour'], _GROUPS)


def _graph(content: Mapping[str, Any]) -> Rows:
  head, *rows = by_score(content['graph'], _GRAPH, differences=True)
  models = _ordered(content['graph']['models'])
  counts = [f'{model["parameters"]:,}' for model in models.values()]
  return [head, ['parameters', *counts, ''], *rows]


def _record(content: Mapping[str, Any]) -> Rows:
  models = content['record']['models']
  return by_model(models, _RECORD, 'seeds', 'learning_rate')


def _record_differences(content: Mapping[str, Any]) -> Rows:
  models = content['record']['models']
  return by_model(models, _RECORD, differences=True)


def _matched(content: Mapping[str, Any]) -> Rows:
  return by_model(content['record']['matched']['models'], _RECORD)


def _matched_differences(content: Mapping[str, Any]) -> Rows:
  models = content['record']['matched']['models']
  return by_model(models, _RECORD, differences=True)


def _supervision(content: Mapping[str, Any]) -> Rows:
  return by_model(content['supervision']['models'], _LABELS, 'seeds')


def _held_out(content: Mapping[str, Any], what: str) -> Rows:
  """Errors on what the base has not seen, and on the rest."""
  columns = [
    _shown(f'{column}{rest}', f'{kind}_{what}_{column}', 1, 1000)
    for kind, rest in (('mse', ''), ('mse_familiar', ', familiar'))
    for column in ('none', 'encoder', 'decoder', 'both')
  ]
  return by_model(content['extrapolation']['models'], columns, 'seeds')


def _quick(content: Mapping[str, Any]) -> Rows:
  models = content['quick']['models']
  return by_score({'models': {'SAE-12': models['SAE-12']}}, _QUICK)


def _settings(content: Mapping[str, Any]) -> Rows:
  return by_model(content['quick']['models'], _SETTINGS, 'seeds')


TABLES: dict[str, Callable[[Mapping[str, Any]], Rows]] = {
  'claims': claims.table,
  'record': _record,
  'record differences': _record_differences,
  'matched': _matched,
  'matched differences': _matched_differences,
  'supervision': _supervision,
  'hour': _hour,
  'groups': _groups,
  'graph': _graph,
  'missing shape': lambda content: _held_out(content, 'shape'),
  'missing views': lambda content: _held_out(content, 'camera'),
  'quick': _quick,
  'settings': _settings,
}


def made(name: str, content: Mapping[str, Any]) -> str:
  """A table in Markdown.

  Raises:
    ConfigError: if there is no such table, or nothing to put in it.
  """
  if name not in TABLES:
    raise ConfigError(f'{name!r} is no table; there are {", ".join(TABLES)}')
  try:
    head, *rows = TABLES[name](content)
  except KeyError as error:
    raise ConfigError(
      f'nothing is known of {error} for the table {name!r}; give the folder of '
      'the study or the run that has it'
    ) from error
  return markdown.table(head, rows)
