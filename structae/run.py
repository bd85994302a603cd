"""The folder of a run: its only reader and writer.

| file                 | content                                             |
|----------------------|-----------------------------------------------------|
| `config.json`        | the resolved configuration, with versions           |
| `metrics.jsonl`      | rows `{"step": ..., "loss": ...}`, without a clock  |
| `timing.jsonl`       | rows `{"step", "seconds", "images_per_second"}`     |
| `tensorboard/`       | the same as metrics.jsonl                           |
| `checkpoints/`       | the newest two states, sealed by checksums          |
| `codes/PART.npz`     | codes, factors and image numbers of each part       |
| `pool.npz`           | `pool` `[P, K, D]`: codes that samples recombine    |
| `samples.npz`        | images that figures show, uint8, see `results`      |
| `decoder.npz`        | the decoder for programs without jax: `portable`    |
| `scores.json`        | `{"scores": {name: {"value", "definition", ...}}}`  |
| `figures/*.png`      | sheets and plots                                    |
| `report.html`        | the page about the run                              |
| `COMPLETE`           | written last                                        |

Imports no jax, so that what is wrong with a folder is said at once.
"""

import contextlib
import dataclasses
import datetime
import functools
import json
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import numpy as np

from structae import config as config_lib
from structae import files, streams, versions
from structae.config import ConfigError, saved
from structae.evaluation import codes as codes_lib
from structae.evaluation import score_file
from structae.training import rows as rows_lib

if TYPE_CHECKING:  # each imports jax
  from structae.data.sources import Source
  from structae.model import Model
  from structae.training.checkpoint import Checkpoints
  from structae.training.hooks import Hook
  from structae.training.writers import Metrics

# What is written into the folder itself.
_FILES = {
  'COMPLETE', 'DIVERGED', 'config.json', 'decoder.npz', 'metrics.jsonl',
  'parameters.txt', 'pool.npz', 'report.html', 'samples.npz', 'scores.json',
  'timing.jsonl',
}  # fmt: skip
_FOLDERS = ('checkpoints', 'codes', 'figures', 'tensorboard')
_RESUME = 'remove {}, and the command of the run makes it again'


class CannotSave(RuntimeError):
  """The folder of a run takes no more, as on a full disk; one line."""


@dataclasses.dataclass(frozen=True)
class Run:
  """A run by its folder, which need not be there yet.

  What is read is kept; what is missing is empty. Readers raise ValueError with
  one line that names the file.
  """

  folder: Path

  def __post_init__(self) -> None:
    object.__setattr__(self, 'folder', Path(self.folder))

  @classmethod
  def choose(cls, workdir: Path | None, name: str, config: Any) -> 'Run':
    """The run in a folder, by default `runs/NAME-DATA-SCALE-hash8`."""
    usual = [name, config.data.name, config.scale]
    usual.append(config_lib.config_hash(config))
    return cls(workdir or Path('runs') / '-'.join(usual))

  # Whose it is, and who works in it.

  def check(self, config: Any) -> None:
    """Refuses a folder that cannot be written or holds another run.

    Raises:
      ConfigError: one line.
    """
    folder, path = self.folder, self.folder / 'config.json'
    self._check_place()
    if not path.exists():
      return
    try:
      old = files.read_object(path)['config']
      different = config_lib.differences(old, config)
    except (
      ValueError, KeyError, TypeError, AttributeError, RecursionError,
    ) as error:  # fmt: skip
      raise ConfigError(f'{path} is damaged; give another --workdir') from error
    if different:
      raise ConfigError(
        f'{folder} holds a run with another configuration: '
        f'{"; ".join(different)}. Give another --workdir'
      )

  def _check_place(self) -> None:
    """Refuses a folder that will not take all that a run leaves."""
    folder = self.folder
    try:
      around = (folder, *folder.absolute().parents)
      parent = next(p for p in around if p.exists())
    except OSError as error:
      raise ConfigError(
        f'{str(folder)[:60]}...: {error.strerror}; give another --workdir'
      ) from error
    if parent != folder and os.path.lexists(folder):
      raise ConfigError(
        f'{folder} is a link to nothing; give another --workdir'
      )
    if not parent.is_dir():
      raise ConfigError(f'{parent} is a file; give a folder as --workdir')
    for place in (parent, *(folder / name for name in _FOLDERS)):
      reason = files.refusal(place) if place.exists() else ''
      if reason:
        raise ConfigError(
          f'{place} cannot be written to ({reason}); give another --workdir'
        )
    for name in _FILES:
      if (folder / name).is_dir():
        raise ConfigError(
          f'{folder / name} is a folder, where a run writes a file; give '
          'another --workdir'
        )

  def check_space(self, num_bytes: int) -> None:
    """Refuses a disk without room for what a run will save.

    Raises:
      ConfigError: one line.
    """
    free = shutil.disk_usage(self.folder).free
    if free < num_bytes:
      raise ConfigError(
        f'{self.folder} is on a disk with {free / 1e6:,.0f} MB left, the run '
        f'takes {num_bytes / 1e6:,.0f}: give another --workdir, or make room'
      )

  @contextlib.contextmanager
  def locked(self) -> Iterator[None]:
    """Makes the folder and keeps others from working in it.

    Raises:
      ConfigError: if a live run is in it.
    """
    try:
      self.folder.mkdir(parents=True, exist_ok=True)
      with filelock.FileLock(self.folder / '.lock', timeout=0):
        yield
    except filelock.Timeout as error:
      raise ConfigError(
        f'{self.folder} is in use by a live run; wait for it or give another '
        '--workdir'
      ) from error
    except PermissionError as error:
      raise ConfigError(
        f'{self.folder} cannot be written to: {error}'
      ) from error

  def sweep(self) -> None:
    """Removes what writers left half done when they were killed."""
    ours = {
      self.folder: lambda name: name in _FILES,
      self.folder / 'codes': lambda name: name.endswith('.npz'),
      self.figures: lambda name: name.endswith('.png'),
    }
    for folder, is_ours in ours.items():
      for path, name in files.stale(folder):
        if is_ours(name):
          path.unlink(missing_ok=True)

  def begin(self, name: str, config: Any, digests: dict[str, str]) -> None:
    """Writes `config.json`: the resolved configuration, with versions.

    Args:
      name: the name of the model.
      config: a checked configuration.
      digests: what it is trained on, see `build.digests`.

    Raises:
      ConfigError: if the run in the folder began on other data.
    """
    self.check_digests(digests)
    content = {
      'name': name,
      'config': config.to_dict(),
      'config_hash': config_lib.config_hash(config),
      'digests': digests,
      'versions': versions.installed(versions.TRAINING),
    }
    text = json.dumps(content, indent=1, sort_keys=True)
    self._write('config.json', text + '\n')
    # Kept, since the file may be gone when the run ends.
    self.__dict__['content'] = json.loads(text)

  def check_digests(self, digests: dict[str, str]) -> None:
    """Refuses data other than those the run in the folder began with.

    Args:
      digests: what `build.digests` gives now.

    Raises:
      ConfigError: one line that names what differs.
    """
    if not (self.folder / 'config.json').exists():
      return
    path = self.folder / 'config.json'
    old = _member(path, self.content, 'digests') or digests
    meanings = {
      'data': 'the images or their factors (data.path)',
      'train': 'the numbers of the training images (data.split)',
    }
    different = [
      f'{meanings[name]}: sha256 was {old.get(name)!s:.12}, now {new:.12}'
      for name, new in digests.items()
      if old.get(name) != new
    ]
    if different:
      raise ConfigError(
        f'{self.folder} holds a run on other data: {"; ".join(different)}. '
        'Give the former data, or another --workdir'
      )

  @property
  def is_finished(self) -> bool:
    """Whether it has made all the steps it was asked for, and its results."""
    has_results = (self.folder / 'pool.npz').is_file()
    return has_results and (self.folder / 'COMPLETE').is_file()

  def check_form(self) -> None:
    """Refuses a folder that an earlier version has finished.

    Raises:
      ConfigError: one line with the command that adds what is missing.
    """
    if (self.folder / 'COMPLETE').is_file() and not self.is_finished:
      raise ConfigError(
        f'{self.folder} was written by an earlier version; `structae train '
        f'{self.folder} --workdir={self.folder}` adds what is missing, and '
        'trains nothing anew'
      )

  def is_complete(self, config: Any) -> bool:
    """Whether it is finished with all the steps of a configuration."""
    path = self.folder / 'COMPLETE'
    return self.is_finished and path.read_bytes() == _completion(config)

  def complete(self, config: Any) -> None:
    """Marks the run as finished."""
    self._write('COMPLETE', _completion(config).decode())

  @property
  def has_diverged(self) -> bool:
    """Whether training has been seen to diverge."""
    return (self.folder / 'DIVERGED').exists()

  def mark_diverged(self, reason: str) -> None:
    """Notes that training diverged, so that a study tries it no more."""
    self._write('DIVERGED', f'{reason}\n')

  @property
  def progress(self) -> str | None:
    """How far a run without scores got, in words; None if it has scores."""
    if self.scores:
      return None
    steps = max((row.get('step', 0) for row in self.rows), default=0)
    asked = self.field('train.num_steps')
    of = f' of {asked:,}' if isinstance(asked, int) else ''
    told = f'step {steps:,}{of}'
    return f'diverged, {told}' if self.has_diverged else told

  # What it was asked for.

  @functools.cached_property
  def content(self) -> dict[str, Any]:
    """What `config.json` holds."""
    path = self.folder / 'config.json'
    if not path.is_file():
      raise ConfigError(
        f'{self.folder} is no folder of a run: it has no config.json; give the '
        '--workdir of a training'
      )
    return files.read_object(path)

  @property
  def settings(self) -> dict[str, Any]:
    """The fields of the configuration, nested, as they were written."""
    path = self.folder / 'config.json'
    # Of other programs, they may stand at the top.
    beside = ('name', 'versions')
    rest = {k: v for k, v in self.content.items() if k not in beside}
    return _member(path, self.content, 'config') or rest

  def field(self, path: str) -> Any:
    """A field of the configuration by its dotted path, or None."""
    value: Any = self.settings
    for part in path.split('.'):
      value = value.get(part) if isinstance(value, dict) else None
    return value

  @property
  def name(self) -> str:
    """The name of the model, '' if it has none."""
    return str(self.content.get('name', ''))

  @property
  def versions(self) -> dict[str, Any]:
    """Versions of what it was trained with."""
    return _member(self.folder / 'config.json', self.content, 'versions')

  @functools.cached_property
  def config(self) -> Any:
    """The configuration, resolved and checked field by field."""
    return saved.read(self.folder / 'config.json')[0]

  # What training leaves.

  def checkpoints(self) -> 'Checkpoints':
    """The checkpoints, to be written or restored."""
    from structae.training.checkpoint import Checkpoints

    keep = self.config.train.keep_checkpoints
    return Checkpoints(self.folder / 'checkpoints', keep)

  @property
  def saved_steps(self) -> list[int]:
    """The updates of its sealed checkpoints; whether each is sound is open."""
    seals = (self.folder / 'checkpoints').glob('*/seal.json')
    names = [path.parent.name for path in seals]
    return sorted(int(name) for name in names if name.isdigit())

  def metrics(
    self, step: int, batch_size: int, hook: 'Hook | None' = None
  ) -> 'Metrics':
    """Opens metrics.jsonl and its kin to go on from a step; see `Metrics`."""
    from structae.training.writers import Metrics

    return Metrics(self.folder, step, batch_size, hook)

  @functools.cached_property
  def rows(self) -> list[dict[str, Any]]:
    """The rows of `metrics.jsonl`."""
    return rows_lib.read(self.folder / 'metrics.jsonl')

  def curve(self, key: str) -> tuple[list[float], list[float]]:
    """Steps and values of the rows that carry `key`."""
    found = [row for row in self.rows if _is_number(row.get(key))]
    return [row['step'] for row in found], [row[key] for row in found]

  @property
  def minutes(self) -> float | None:
    """How long it was in training; None if that was not written."""
    found = rows_lib.read(self.folder / 'timing.jsonl', strict=False)
    seconds = [r['seconds'] for r in found if _is_number(r.get('seconds'))]
    return sum(seconds) / 60 if seconds else None

  @property
  def date(self) -> datetime.date:
    """The day on which it was trained to the end, else begun; in UTC."""
    paths = (self.folder / name for name in ('pool.npz', 'config.json'))
    seconds = next(path for path in paths if path.is_file()).stat().st_mtime
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).date()

  # Results.

  @property
  def parts(self) -> list[str]:
    """The parts of which there are codes, `train` first."""
    names = ('train', 'test', 'validation')
    return [k for k in names if (self.folder / 'codes' / f'{k}.npz').is_file()]

  def codes(self, part: str) -> codes_lib.Codes:
    """The saved codes of `train`, `validation` or `test`."""
    return codes_lib.load(self.folder / 'codes' / f'{part}.npz')

  def save_codes(self, part: str, codes: codes_lib.Codes) -> None:
    """Writes the codes of a part."""
    codes_lib.save(self.folder / 'codes' / f'{part}.npz', codes)

  def pool(self, step: int) -> np.ndarray | None:
    """The stored codes of the state after `step` updates, `[P, K, D]`.

    None, with a warning, where they are of another state of the run.
    """
    self.check_form()
    path = self.folder / 'pool.npz'
    if not path.is_file():
      return None
    stored = files.read_arrays(path)
    if 'pool' not in stored or int(stored.get('step', -1)) != step:
      warnings.warn(
        f'{path} is of step {stored.get("step")}, the checkpoint of {step}; '
        'the model is loaded without stored codes.',
        stacklevel=3,
      )
      return None
    return stored['pool']

  @property
  def parameters(self) -> Path:
    """The list of parameters: names, shapes and sizes, to be read by people."""
    return self.folder / 'parameters.txt'

  def save_parameters(self, table: str) -> None:
    """Writes the list of parameters."""
    self._write(self.parameters.name, f'{table}\n')

  def save_pool(self, pool: np.ndarray, step: int) -> None:
    """Writes the stored codes that samples recombine."""
    self._save_arrays('pool.npz', {'pool': pool, 'step': np.array(step)})

  def save_decoder(
    self, plan: dict[str, Any], weights: np.ndarray, step: int
  ) -> None:
    """Writes the decoder for programs without jax; see `portable`."""
    arrays = {'plan': np.array(json.dumps(plan)), 'weights': weights}
    self._save_arrays('decoder.npz', arrays | {'step': np.array(step)})

  def decoder(self) -> tuple[dict[str, Any], np.ndarray, int] | None:
    """The plan of the decoder, its weights, and the step they are of.

    None where an earlier version, or another program, wrote the run.
    """
    path = self.folder / 'decoder.npz'
    if not path.is_file():
      return None
    found = files.read_arrays(path)
    try:
      plan = json.loads(str(found['plan']))
      weights, step = found['weights'], int(found['step'])
      size = [isinstance(n, int) and n > 0 for n in plan['image']]
      good = size == [True] * 3 and bool(np.isfinite(weights).all())
    except (KeyError, TypeError, ValueError):
      good = False
    if not good:
      raise ValueError(f'{path} holds no decoder; remove it.')
    return plan, weights, step

  @functools.cached_property
  def samples(self) -> dict[str, np.ndarray]:
    """Images that figures show, by name; see `results`."""
    path = self.folder / 'samples.npz'
    found = files.read_arrays(path) if path.exists() else {}
    for name, array in found.items():
      _check_images(path, name, array)
    _check_traversal(path, found)
    return found

  def save_samples(self, samples: Mapping[str, np.ndarray]) -> None:
    """Writes images that figures show, and `labels` of variables."""
    self._save_arrays('samples.npz', samples)
    self.__dict__.pop('samples', None)

  @functools.cached_property
  def score_content(self) -> dict[str, Any]:
    """All of `scores.json`; empty if there is none."""
    return score_file.load(self.folder / 'scores.json')

  @property
  def scores(self) -> dict[str, dict[str, Any]]:
    """Scores by name; see `evaluation.score`."""
    return self.score_content.get('scores', {})

  @property
  def matrices(self) -> dict[str, dict[str, Any]]:
    """Matrices of scores by name: `values`, `rows`, `columns`."""
    return self.score_content.get('matrices', {})

  @property
  def details(self) -> dict[str, Any]:
    """What else metrics have answered, by metric."""
    return self.score_content.get('details', {})

  @property
  def floor(self) -> float | None:
    """The least possible loss in nats, if a score names it."""
    floors = [s['floor'] for s in self.scores.values() if 'floor' in s]
    return float(floors[0]) if floors else None

  def save_scores(self, content: dict[str, Any]) -> None:
    """Writes `scores.json`."""
    score_file.save(self.folder / 'scores.json', content)
    self.__dict__.pop('score_content', None)

  def table(self) -> str:
    """The scores of a finished run as lines for a terminal.

    Raises:
      ConfigError: if there are none, or they are damaged.
    """
    path = self.folder / 'scores.json'
    again = _RESUME.format(self.folder / 'COMPLETE')
    if not path.is_file():
      raise ConfigError(f'{path} is missing; {again}')
    try:
      return score_file.table(self.score_content, streams.columns())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
      raise ConfigError(f'{path} is damaged; {again}') from error

  def save_report(self, page: str) -> Path:
    """Writes `report.html`; returns its path."""
    self._write('report.html', page)
    return self.folder / 'report.html'

  @property
  def figures(self) -> Path:
    """The folder of the figures."""
    return self.folder / 'figures'

  @functools.cached_property
  def sheets(self) -> dict[str, Path]:
    """The figures by the stem of their file."""
    found = sorted(self.figures.glob('*.png'))
    return {path.stem: path for path in found if path.name[0] != '.'}

  # What was trained.

  def source(self) -> 'Source':
    """Opens its data.

    Raises:
      ConfigError: if they are not those it was trained on.
    """
    from structae import build

    source = build.source(self.config)
    self.check_digests(build.digests(self.config, source))
    return source

  def model(self, step: int | None = None) -> 'Model':
    """The model of a checkpoint that its seal confirms.

    Its data are not needed. Newer checkpoints that are damaged are warned of.

    Args:
      step: the number of updates after which it was saved, one of
        `checkpoints().steps()`; the newest by default.

    Raises:
      ConfigError: if there is no sound checkpoint, or it is of another model.
    """
    from structae import devices, parameters
    from structae.model import Model
    from structae.training import checkpoint

    devices.check()
    path, skipped = checkpoint.sound(self.folder / 'checkpoints', step)
    if path is None:
      reason = 'holds no checkpoint; train it first'
      if skipped:
        reason = f'holds no sound checkpoint: {"; ".join(skipped)}; train again'
      raise ConfigError(f'{self.folder} {reason}')
    for line in skipped:
      warnings.warn(f'{self.folder}: {line}', stacklevel=2)
    check = lambda held: parameters.check(self.config, parameters.flatten(held))
    try:
      params, step = checkpoint.read_params(
        path.absolute(), ('encoder', 'decoder'), check
      )
    except checkpoint.CheckpointError as error:
      raise ConfigError(str(error)) from error
    keys = ('name', 'config_hash', 'digests', 'versions')
    about = {key: self.content[key] for key in keys if key in self.content}
    about |= {'step': step, 'scores': self._known_scores(step)}
    return Model(self.config, params, self.pool(step), about)

  def _known_scores(self, step: int) -> dict[str, Any]:
    """The scores of a state by name: `value`, `n` and `definition`."""
    if self.score_content.get('step', step) != step:
      return {}
    return {
      name: {k: entry[k] for k in ('value', 'n', 'definition') if k in entry}
      for name, entry in self.scores.items()
      if entry.get('value') is not None
    }

  def _write(self, name: str, text: str) -> None:
    files.write_text(self.folder / name, text)
    if name == 'config.json':
      self.__dict__.pop('content', None)
      self.__dict__.pop('config', None)

  def _save_arrays(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
    files.write_arrays(self.folder / name, arrays, compress=True)


def read_run(folder: str | os.PathLike) -> Run:
  """A run whose every file has been read.

  Args:
    folder: the folder of a run.

  Returns:
    The run.

  Raises:
    ValueError: if the folder is none of a run, or names the first file in it
      that is broken.
  """
  run = Run(Path(folder))
  run.check_form()
  run.decoder()
  for _ in (run.settings, run.versions, run.scores, run.rows, run.samples):
    pass
  return run


def check_start(config: Any) -> None:
  """Refuses a run to start from that is unfinished or of another model.

  Args:
    config: a configuration; `train.init_from` is the run to start from.

  Raises:
    ConfigError: one line.
  """
  if not config.train.init_from:
    if config.train.trainable != 'all':
      raise ConfigError(
        f'train.trainable is {config.train.trainable}, so the other half must '
        'come from somewhere: --config.train.init_from=RUN'
      )
    return
  start = Run(Path(config.train.init_from))
  if not (start.folder / 'COMPLETE').is_file():
    raise ConfigError(
      f'train.init_from is {start.folder}, which holds no finished run; train '
      'it first'
    )
  fields = ('model.', 'data.name', 'data.size', 'objective.name')
  lines = [
    line
    for line in config_lib.differences(start.settings, config)
    if line.startswith(fields)
  ]
  if lines:
    raise ConfigError(
      f'train.init_from is {start.folder}, a run with another model: '
      f'{"; ".join(lines)}'
    )


def _completion(config: Any) -> bytes:
  return f'{config.train.num_steps} steps\n'.encode()


def _member(path: Path, content: dict[str, Any], key: str) -> dict[str, Any]:
  value = content.get(key) or {}
  if not isinstance(value, dict):
    raise ConfigError(f'{path}: {key!r} must be an object, not {value!r:.40}.')
  return value


def _is_number(value: Any) -> bool:
  return isinstance(value, int | float) and not isinstance(value, bool)


# Axes of the images under a name, where they are not [N, H, W, C].
_NUM_AXES = {'traversal': 5, 'partial_hybrid': 5}


def _check_images(path: Path, name: str, array: np.ndarray) -> None:
  ndim = _NUM_AXES.get(name, 4)
  good = array.dtype == np.uint8 and array.ndim == ndim
  if name != 'labels' and not (good and array.shape[-1] in (1, 3)):
    raise ValueError(
      f'{path}: {name!r} must be uint8 images with {ndim} axes, '
      f'got {array.dtype} {list(array.shape)}.'
    )


def _check_traversal(path: Path, found: dict[str, np.ndarray]) -> None:
  if not {'traversal', 'labels'} <= found.keys():
    return
  dimensions, variables = len(found['traversal']), found['labels'].size
  if not variables or dimensions % variables:
    raise ValueError(
      f'{path}: {variables} labels cannot name the variables of {dimensions} '
      'latent dimensions.'
    )
