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

from experiments.paper import extrapolate, over_training, record
from experiments.paper.over_training import SHOWN as CURVES
from structae import files
from structae.config import ConfigError
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
      `over_training.json`) or of an extrapolation (`extrapolation.json`).

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
  scale, seed = run.field('scale'), str(run.field('seed'))
  for name, entry in run.scores.items():
    needed = name in SCORES or name.startswith(_BY_FACTOR)
    if needed and entry.get('value') is not None:
      score = _score(content, scale, run, name)
      score['values'] = {**score.get('values', {}), seed: entry['value']}
      if 'chance' in entry:
        score['chance'] = entry['chance']
      _summarize(score)
  return scale


def _curve(content: dict[str, Any], folder: Path) -> str:
  run = Run(folder)
  size = run.config.train.batch_size
  curves = _section(content, run.field('scale')).setdefault('curves', {})
  curves[wording.model_title(run)] = {
    str(step * size): {name: x for name, x in scores.items() if name in CURVES}
    for step, scores in over_training.known(run).items()
  }
  return run.field('scale')


def _extrapolation(content: dict[str, Any], folder: Path) -> str:
  found = files.read_object(folder / extrapolate.RESULT)
  section = _section(content, 'extrapolation')
  section.pop('source', None)
  section['scale'] = found['scale']
  model = _model(section, wording.model_name(found['model']))
  for kind in ('mse', 'mse_familiar'):
    for column, value in found[kind].items():
      score = model['scores'].setdefault(f'{kind}_{column}', {})
      values = score.get('values', {})
      score['values'] = {**values, str(found['seed']): value}
      _summarize(score)
  return 'extrapolation'


def _section(content: dict[str, Any], name: str) -> dict[str, Any]:
  return content.setdefault(name, {'models': {}})


def _model(section: dict[str, Any], name: str) -> dict[str, Any]:
  return section['models'].setdefault(name, {'scores': {}})


def _score(
  content: dict[str, Any], section: str, run: Run, score: str
) -> dict[str, Any]:
  model = _model(_section(content, section), wording.model_title(run))
  return model['scores'].setdefault(score, {})


def _summarize(score: dict[str, Any]) -> None:
  """Sets mean, deviation and interval to those of the values by seed."""
  chance = score.get('chance')
  score |= record.over_seeds(score['values'], {})
  if chance is not None:
    score['chance'] = chance


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
