"""`docs/results.json`: what the tables of `docs/results.md` say, by section.

A section has `heading`, the anchor of its part of the page, `command`, `scale`
and `models`, by name, as a record has them (see `record`): `scores` with
`values` by seed, `mean`, `deviation`, `interval`, `difference` and `chance`, as
far as they are known. `said` holds, by what they are, the numbers of sentences
that no score gives.
"""

import json
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from experiments.paper import extrapolate, grouped, over_training, record
from experiments.paper.over_training import SHOWN as CURVES
from structae import config as config_lib
from structae import files
from structae.config import ConfigError
from structae.config.identity import RESUMABLE
from structae.evaluation import uncertainty
from structae.pages import wording
from structae.run import Run

_DIGITS = 6  # significant ones; a page shows four at most
# Of what a run or a record has, the scores that tables and sentences need.
SCORES = (
  *record.SHOWN,
  'explained_variance', 'informativeness_test', 'irs', 'sap', 'modularity',
  'mig_periodic', 'used_variables', 'order_correlation',
  'scene_distance_reconstruction', 'scene_distance_prior', 'seen_shape',
  'seen_orientation',
)  # fmt: skip
_BY_FACTOR = ('probe_', 'seen_', 'scene_break_')
# Of sections that the page has once their study has run.
_HEADINGS = {
  'record': 'the-families-over-seeds',
  'supervision': 'what-labels-do',
}
_FACTS = ('steps', 'images', 'learning_rate', 'parameters', 'seeds', 'tried')


def read(path: Path) -> dict[str, Any]:
  """The file.

  Raises:
    ConfigError: if there is none.
  """
  if not path.is_file():
    raise ConfigError(f'there is no {path}; give the folder of the documents')
  return files.read_object(path)


def write(path: Path, content: Mapping[str, Any]) -> None:
  """Writes the file, numbers in few digits."""
  text = json.dumps(_rounded(content), indent=1, ensure_ascii=False)
  files.write_text(path, f'{text}\n')


def merge(content: dict[str, Any], folder: Path) -> list[str]:
  """Takes over the numbers of a study, a run or an extrapolation.

  Args:
    content: of the file; changed in place. What it says of the same models is
      replaced, of a run that of the same seed.
    folder: of a study (`record.json`), of a run (`scores.json`,
      `over_training.json`), of an extrapolation (`extrapolation.json`) or of
      hybrids of groups (`grouped.json`).

  Returns:
    The names of the sections that have changed.

  Raises:
    ConfigError: if the folder holds nothing of these.
  """
  made = {
    record.RESULT: _study,
    'scores.json': _run,
    over_training.RESULT: _curve,
    extrapolate.RESULT: _extrapolation,
    grouped.RESULT: _grouped,
  }
  found = [name for name in made if (folder / name).is_file()]
  if not found:
    raise ConfigError(f'{folder} holds none of {", ".join(made)}')
  return list(dict.fromkeys(made[name](content, folder) for name in found))


def _study(content: dict[str, Any], folder: Path) -> str:
  found = files.read_object(folder / record.RESULT)
  section = _section(content, found['study'])
  section.pop('source', None)
  heading = _HEADINGS.get(found['study'], found['study'])
  section.setdefault('heading', heading)
  for name in ('command', 'scale', 'changes', 'reference'):
    section[name] = found[name]
  section['models'] = _needed(found['models'])
  if found['matched']:
    matched = found['matched']
    section['matched'] = {**matched, 'models': _needed(matched['models'])}
  return found['study']


def _needed(models: Mapping[str, Any]) -> dict[str, Any]:
  return {
    name: {
      **{key: model[key] for key in _FACTS if key in model},
      'scores': {k: v for k, v in model['scores'].items() if k in SCORES},
    }
    for name, model in models.items()
  }


def _run(content: dict[str, Any], folder: Path) -> str:
  run = Run(folder)
  scale, seed = run.field('scale'), run.field('seed')
  model = _model(_section(content, scale), titled(run))
  for name, entry in run.scores.items():
    needed = name in SCORES or name.startswith(_BY_FACTOR)
    if needed and entry.get('value') is not None:
      _add(model, seed, name, entry['value'])
      if 'chance' in entry:
        model['scores'][name]['chance'] = entry['chance']
  return scale


def titled(run: Run) -> str:
  """The model of a run, with the settings that are not those of its scale."""
  changed = _changed(run.name, run.settings)
  return ', '.join([wording.model_title(run), *changed])


def _named(name: str, settings: Mapping[str, Any]) -> str:
  """The same of a model's name and its settings."""
  return ', '.join([wording.model_name(name), *_changed(name, settings)])


def _changed(name: str, settings: Mapping[str, Any]) -> list[str]:
  """The settings of a variant that are not those of its scale, in words."""
  if name not in config_lib.VARIANTS:
    return []
  fields = config_lib.flat(settings)
  usual = config_lib.get_config(name, fields['scale'])
  config_lib.update(usual, config_lib.written_out(usual))
  others = {**config_lib.flat(usual), 'seed': fields['seed']}
  # The number of updates is resumable only where no schedule ends with it.
  free = RESUMABLE - {'train.num_steps'}
  return [
    f'{field.rpartition(".")[2].replace("_", " ")} {value}'
    for field, value in fields.items()
    if field not in free and field in others and value != others[field]
  ]


def _curve(content: dict[str, Any], folder: Path) -> str:
  run = Run(folder)
  size = run.config.train.batch_size
  curves = _section(content, run.field('scale')).setdefault('curves', {})
  curves[titled(run)] = {
    str(step * size): {name: x for name, x in scores.items() if name in CURVES}
    for step, scores in over_training.known(run).items()
  }
  return run.field('scale')


def _extrapolation(content: dict[str, Any], folder: Path) -> str:
  found = files.read_object(folder / extrapolate.RESULT)
  section = _section(content, 'extrapolation')
  section.pop('source', None)
  section['scale'] = found['scale']
  model = _model(section, _named(found['model'], found['config']))
  for kind in ('mse', 'mse_familiar'):
    for column, value in found[kind].items():
      name = f'{kind}_{found["hold_out"]}_{column}'
      _add(model, found['seed'], name, value)
  return 'extrapolation'


def _grouped(content: dict[str, Any], folder: Path) -> str:
  found = files.read_object(folder / grouped.RESULT)
  name, settings = found['name'], found['config']
  scale, seed = settings['scale'], settings['seed']
  model = _model(_section(content, scale), _named(name, settings))
  for number, scores in found['by_number'].items():
    for name in ('scene_distance', 'at_random', 'new'):
      score = f'{name}_of_{number}_groups'
      _add(model, seed, score, scores[name])
  return scale


def _section(content: dict[str, Any], name: str) -> dict[str, Any]:
  return content.setdefault(name, {'models': {}})


def _model(section: dict[str, Any], name: str) -> dict[str, Any]:
  return section['models'].setdefault(name, {'scores': {}})


def _add(model: dict[str, Any], seed: int, name: str, value: float) -> None:
  """Adds a seed's score; mean, deviation and interval are then of all seeds."""
  model['seeds'] = sorted({*model.get('seeds', ()), seed})
  score = model['scores'].setdefault(name, {})
  values = {**score.get('values', {}), str(seed): value}
  score |= record.over_seeds(values, {})


def difference(
  a: Mapping[str, Any], b: Mapping[str, Any]
) -> uncertainty.Difference | None:
  """The paired difference of two scores; None without seeds of both."""
  values: list[Mapping[Hashable, float]] = [
    score.get('values', {}) for score in (a, b)
  ]
  return uncertainty.paired(*values)


def _rounded(value: Any) -> Any:
  if isinstance(value, Mapping):
    return {key: _rounded(inner) for key, inner in value.items()}
  if isinstance(value, list | tuple):
    return [_rounded(inner) for inner in value]
  return float(f'{value:.{_DIGITS}g}') if isinstance(value, float) else value
