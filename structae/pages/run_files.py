"""What a finished run left in its folder, read and checked.

| file                 | content                                             |
|----------------------|-----------------------------------------------------|
| `config.json`        | the resolved configuration, with versions           |
| `scores.json`        | `{"scores": {name: {"value", "definition", ...}}}`  |
| `metrics.jsonl`      | rows `{"step": ..., "loss": ...}`                   |
| `figures/*.png`      | sheets and plots                                    |
| `figures/frames.npz` | `traversal` `[L, S, H, W, C]`, `hybrid` `[M, H, W,  |
|                      | C]`, uint8, and `labels`, `K` names of variables    |

Only `config.json` must be there.
"""

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from structae import files, metrics_file


@dataclasses.dataclass(frozen=True)
class Run:
  """A run as its files tell it; what is missing is empty."""

  folder: Path
  config: dict[str, Any]
  versions: dict[str, Any]
  scores: dict[str, dict[str, Any]]
  matrices: dict[str, dict[str, Any]]
  rows: list[dict[str, Any]]
  sheets: dict[str, Path]
  frames: dict[str, np.ndarray]
  details: dict[str, Any] = dataclasses.field(default_factory=dict)

  @property
  def floor(self) -> float | None:
    """The least possible loss in nats, if a score names it."""
    floors = [s['floor'] for s in self.scores.values() if 'floor' in s]
    return float(floors[0]) if floors else None

  def curve(self, key: str) -> tuple[list[float], list[float]]:
    """Steps and values of the rows that carry `key`."""
    rows = [row for row in self.rows if _is_number(row.get(key))]
    return [row['step'] for row in rows], [row[key] for row in rows]

  def field(self, path: str) -> Any:
    """A field of the configuration by its dotted path, or None."""
    value: Any = self.config
    for part in path.split('.'):
      value = value.get(part) if isinstance(value, dict) else None
    return value


def read_run(workdir: str | os.PathLike[str]) -> Run:
  """Reads the folder of a finished run.

  Args:
    workdir: the folder.

  Returns:
    The run.

  Raises:
    ValueError: if the folder is none of a run, or names the first file in it
      that is broken.
  """
  folder = Path(workdir)
  if not (folder / 'config.json').is_file():
    raise ValueError(
      f'{folder} is no folder of a run: it has no config.json. '
      'Give the --workdir of a training.'
    )
  config = _object(folder / 'config.json')
  scores = _object(folder / 'scores.json', missing={})
  versions = _member(folder / 'config.json', config, 'versions')
  versions = versions or _member(folder / 'scores.json', scores, 'versions')
  # The settings may stand beside what else there is to say of the run.
  settings = _member(folder / 'config.json', config, 'config')
  if settings:
    config = {'name': config.get('name', ''), **settings}
  return Run(
    folder=folder,
    config={k: v for k, v in config.items() if k != 'versions'},
    versions=versions,
    scores=_scores(folder / 'scores.json', scores),
    matrices=_matrices(folder / 'scores.json', scores),
    rows=metrics_file.read(folder / 'metrics.jsonl'),
    sheets={p.stem: p for p in sorted((folder / 'figures').glob('*.png'))},
    frames=_frames(folder / 'figures' / 'frames.npz'),
    details=_member(folder / 'scores.json', scores, 'details'),
  )


def flatten(
  values: Mapping[str, Any], prefix: str = ''
) -> Iterable[tuple[str, Any]]:
  """Nested settings as `('data.name', value)`, in order."""
  for key, value in values.items():
    if isinstance(value, Mapping):
      yield from flatten(value, f'{prefix}{key}.')
    else:
      yield f'{prefix}{key}', value


def _object(path: Path, missing: dict | None = None) -> dict[str, Any]:
  if missing is not None and not path.exists():
    return missing
  try:
    content = json.loads(path.read_text('utf-8'))
  except (OSError, ValueError) as error:
    raise ValueError(f'{path} cannot be read as JSON: {error}.') from error
  if not isinstance(content, dict):
    raise ValueError(f'{path} must hold a JSON object, not {content!r:.40}.')
  return content


def _scores(path: Path, content: dict[str, Any]) -> dict[str, dict[str, Any]]:
  scores = _member(path, content, 'scores')
  for name, score in scores.items():
    numbers = (
      [score.get('value', ''), score.get('floor')]
      if (isinstance(score, dict))
      else ['']
    )
    if not all(x is None or _is_number(x) for x in numbers):
      raise ValueError(
        f'{path}: score {name!r} needs numbers as its "value" and, if it has '
        f'one, its "floor"; got {score!r:.60}.'
      )
  return scores


def _matrices(path: Path, content: dict[str, Any]) -> dict[str, dict[str, Any]]:
  matrices = _member(path, content, 'matrices')
  for name, matrix in matrices.items():
    try:
      shape = np.asarray(matrix['values'], float).shape
      named = (len(matrix['rows']), len(matrix['columns']))
    except (TypeError, KeyError, ValueError) as error:
      raise ValueError(
        f'{path}: matrix {name!r} needs "values", "rows" and "columns".'
      ) from error
    if shape != named:
      raise ValueError(
        f'{path}: matrix {name!r} is {shape} but has names for {named}.'
      )
  return matrices


def _member(path: Path, content: dict[str, Any], key: str) -> dict[str, Any]:
  value = content.get(key) or {}
  if not isinstance(value, dict):
    raise ValueError(f'{path}: {key!r} must be an object, not {value!r:.40}.')
  return value


def _is_number(value: Any) -> bool:
  return isinstance(value, int | float) and not isinstance(value, bool)


def _frames(path: Path) -> dict[str, np.ndarray]:
  if not path.exists():
    return {}
  try:
    with np.load(path, allow_pickle=False) as file:
      frames = {name: file[name] for name in file.files}
  except files.DAMAGED as error:
    raise ValueError(f'{path} cannot be read: {error}.') from error
  for name, ndim in {'traversal': 5, 'hybrid': 4}.items():
    x = frames.get(name)
    if x is None:
      continue
    if x.dtype != np.uint8 or x.ndim != ndim or x.shape[-1] not in (1, 3):
      raise ValueError(
        f'{path}: {name!r} must be uint8 images with {ndim} axes, '
        f'got {x.dtype} {list(x.shape)}.'
      )
  _check_labels(path, frames)
  return frames


def _check_labels(path: Path, frames: dict[str, np.ndarray]) -> None:
  if 'traversal' in frames and 'labels' in frames:
    dimensions, variables = len(frames['traversal']), frames['labels'].size
    if not variables or dimensions % variables:
      raise ValueError(
        f'{path}: {variables} labels cannot name the variables of '
        f'{dimensions} latent dimensions.'
      )
