"""From a study to its jobs: the same command, the same folder, the same run."""

import functools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from experiments.paper import choosing, studies
from experiments.paper.choosing import Choice
from experiments.paper.extrapolate import RESULT
from experiments.paper.studies import Part, Search
from structae import config as config_lib
from structae.commands.jobs import Job
from structae.config import ConfigError
from structae.data import catalog
from structae.evaluation import registry as metrics
from structae.run import Run

Changes = tuple[tuple[str, Any], ...]  # of fields, by dotted name


class Want(NamedTuple):
  """A model and a seed that a part needs, at whatever value is best."""

  part: Part
  model: str
  seed: int


class Plan:
  """What a study trains, given what has been trained.

  It has three stages. Values are tried (`candidates`); the wanted runs are
  trained at the best (`finals`); what figures need is scored (`scorings`).
  Each is read from the folders of the runs when it is asked for.
  """

  def __init__(
    self, study: studies.Study, scale: str, data: str, seeds: int, runs: Path
  ):
    """Resolves every run that does not depend on a choice.

    Args:
      study: the study.
      scale: a key of `config.scales.SCALES`.
      data: the name of a data set.
      seeds: seeds of the parts in which seeds matter.
      runs: the folder that holds the runs' folders.

    Raises:
      ConfigError: if a model, or what is held out, does not exist on such
        data; one line.
    """
    self.scale, self.data, self._runs = scale, data, runs
    self._data_set = catalog.get(data)
    every = studies.parts(study, scale)
    held_out = {'', *self._data_set.hold_outs}
    parts = [part for part in every if part.hold_out in held_out]
    self.left_out = [part for part in every if part not in parts]
    if not parts:
      raise ConfigError(
        f'{data} has no factor values to hold out; these have: '
        f'{", ".join(k for k, v in catalog.CATALOG.items() if v.hold_outs[1:])}'
      )
    self._wants = [
      Want(part, model, seed)
      for part in parts
      for model in studies.models(part, self._data_set.preset)
      for seed in range(seeds if part.all_seeds else 1)
    ]
    self.training = functools.cache(self._training)
    self.candidates()
    for want in self._wants:
      self.training(want.model, (), want.seed)

  def candidates(self) -> list[Job]:
    """The runs among which values are chosen."""
    return _unique(
      self.training(model, search.changes(value, self.scale), 0)
      for model, search in self._searches()
      for value in search.values
    )

  def choices(self) -> list[Choice]:
    """What the values that are tried have given so far."""
    return [self._choice(*pair) for pair in self._searches()]

  def finals(self) -> list[Job]:
    """The runs that figures are drawn of, as far as values are chosen."""
    return _unique(
      job for want in self._wants for job in self._jobs(want) if job
    )

  def undecided(self) -> list[Want]:
    """What will be trained once values are chosen, and is no candidate."""
    kinds = {
      (want.model, self._search(want.part, want.model), want.part.hold_out,
       want.seed): want
      for want in self._wants
      if None in self._jobs(want) and (want.seed or want.part.hold_out)
    }  # fmt: skip
    return list(kinds.values())

  def hopeless(self) -> list[str]:
    """Models of which every value diverged."""
    return [
      f'{c.model}: diverged at every {c.field.rpartition(".")[2]} tried'
      for c in self.choices()
      if c.is_known and c.best is None
    ]

  def figures(self) -> dict[str, list[Job]]:
    """The finished runs of each figure."""
    found: dict[str, list[Job]] = {}
    for want in self._wants:
      for figure in want.part.figures:
        found.setdefault(figure, []).extend(
          job for job in self._jobs(want) if job and job.is_finished()
        )
    return {figure: _unique(jobs) for figure, jobs in found.items()}

  def scorings(self) -> list[Job]:
    """Scores that figures need and finished runs lack, a job a run."""
    lacking: dict[Job, list[str]] = {}
    for want in self._wants:
      for job in self._jobs(want):
        if job and job.kind == 'train' and job.is_finished():
          names = self._lacking(want.part, job.folder)
          lacking.setdefault(job, []).extend(names)
    return [
      _scoring(job, tuple(dict.fromkeys(names)))
      for job, names in lacking.items()
      if names
    ]

  def _jobs(self, want: Want) -> list[Job | None]:
    """The jobs of a want; None stands for one whose value is not chosen."""
    part, model, seed = want
    search = self._search(part, model)
    if search is None:
      changes: list[Changes] = [()]
    elif part.searches:
      changes = [search.changes(v, self.scale) for v in search.values]
    else:
      best = self._choice(model, search).best
      if best is None:
        return [None]
      changes = [search.changes(best, self.scale)]
    if part.hold_out:
      return [
        self._extrapolation(model, change, seed, part.hold_out)
        for change in changes
      ]
    return [self.training(model, change, seed) for change in changes]

  def _searches(self) -> list[tuple[str, Search]]:
    pairs = [
      (want.model, self._search(want.part, want.model)) for want in self._wants
    ]
    return list(dict.fromkeys((m, s) for m, s in pairs if s is not None))

  def _search(self, part: Part, model: str) -> Search | None:
    searched = self.scale in studies.SEARCHED_SCALES and not part.one_rate
    usual = studies.RATES if searched else None
    return part.searches.get(model, usual)

  def _choice(self, model: str, search: Search) -> Choice:
    results: dict[Any, float | None] = {}
    for value in search.values:
      job = self.training(model, search.changes(value, self.scale), 0)
      results[value] = None
      if job.is_finished():
        results[value] = choosing.CRITERIA[search.criterion].of(Run(job.folder))
      elif Run(job.folder).has_diverged:
        results[value] = math.inf
    return Choice(model, search.field, search.criterion, results)

  def _training(self, model: str, changes: Changes, seed: int) -> Job:
    """The command that trains a model, and the folder where it will."""
    config = config_lib.get_config(model, self._tokens())
    for field, value in (*changes, ('seed', seed)):
      config_lib.change(config, field, value)
    config_lib.check(config)
    config_lib.update(config, config_lib.written_out(config))
    usual = Run.choose(None, model, config).folder
    folder = self._runs / usual.name
    flags = self._flags(model, changes, seed)
    if folder != usual:
      flags += (f'--workdir={folder}',)
    return Job(
      name=_job_name(model, changes, seed),
      command=('-m', 'structae', 'train', *flags),
      folder=folder,
      is_finished=lambda: Run(folder).is_complete(config),
    )

  def _extrapolation(
    self, model: str, changes: Changes, seed: int, hold_out: str
  ) -> Job:
    """The command that trains without values, then on them, in four ways."""
    base = self.training(model, changes, seed).folder.name
    name, _, digest = base.rpartition('-')
    folder = self._runs / f'{name}-without_{hold_out}-{digest}'
    flags = (
      *self._flags(model, changes, seed),
      f'--hold_out={hold_out}',
      f'--workdir={folder}',
    )
    return Job(
      name=f'{_job_name(model, changes, seed)}-without_{hold_out}',
      command=('-m', 'experiments.paper.extrapolate', *flags),
      folder=folder,
      is_finished=lambda: (folder / RESULT).is_file(),
      kind='extrapolate',
    )

  def _lacking(self, part: Part, folder: Path) -> tuple[str, ...]:
    """Metrics that the part asks for, and that can be had, but are not."""
    factors = bool(self._data_set.factors)
    usable = [
      name
      for name in part.metrics
      if (_has_weights() if name in metrics.IMAGE_METRICS else factors)
    ]
    return tuple(name for name in usable if not _is_scored(folder, name))

  def _tokens(self) -> str:
    """The data set and the scale, where they are not the usual ones."""
    named = {self.data: catalog.DEFAULT, self.scale: 'paper'}
    return ','.join(name for name, usual in named.items() if name != usual)

  def _flags(self, model: str, changes: Changes, seed: int) -> tuple[str, ...]:
    fields = [f'--config.{k}={v!r}' for k, v in (*changes, ('seed', seed))]
    return (':'.join(filter(None, [model, self._tokens()])), *fields)


def _job_name(model: str, changes: Changes, seed: int) -> str:
  fields = [f'{field.rpartition(".")[2]}={value}' for field, value in changes]
  return '-'.join([model, *fields, f'seed={seed}'])


def _scoring(job: Job, names: tuple[str, ...]) -> Job:
  """The command that adds scores to those of a run."""
  flags = (f'--workdir={job.folder}', f'--metrics={",".join(names)}')
  return Job(
    name=f'{job.name}-scores',
    command=('-m', 'structae', 'evaluate', *flags),
    folder=job.folder,
    is_finished=lambda: all(_is_scored(job.folder, name) for name in names),
    kind='score',
  )


def _unique(jobs: Iterable[Job]) -> list[Job]:
  """One job a folder: no two may work in the same."""
  return list({job.folder: job for job in jobs}.values())


def _is_scored(folder: Path, metric: str) -> bool:
  scores = Run(folder).scores
  if metric in metrics.IMAGE_METRICS:
    return scores.get(f'{metric}_rec', {}).get('value') is not None
  found = {entry.get('score', name) for name, entry in scores.items()}
  return all(row.name in found for row in metrics.of_metric(metric))


@functools.cache
def _has_weights() -> bool:
  """Whether FIDs can be computed: they need the Inception weights."""
  from structae.evaluation.images import weights as inception_weights

  try:
    inception_weights.find_weights()
  except (OSError, ValueError):
    return False
  return True
