"""From a study to its jobs: the same command, the same folder, the same run."""

import functools
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from experiments.paper import choosing, matched, scoring, studies
from experiments.paper.choosing import Choice
from experiments.paper.extrapolate import RESULT
from experiments.paper.matched import Matching
from experiments.paper.studies import Part, Search
from structae import config as config_lib
from structae.commands.jobs import Job
from structae.config import ConfigError
from structae.data import catalog
from structae.run import Run

Changes = tuple[tuple[str, Any], ...]  # of fields, by dotted name


class Want(NamedTuple):
  """A model and a seed that a part needs, at whatever value is best."""

  part: Part
  model: str
  seed: int


class Plan:
  """What a study trains, given what has been trained.

  It has four stages. Values are tried (`candidates`); the wanted runs are
  trained at the best (`finals`); what figures need is scored (`scorings`), and
  so are checkpoints at matched reconstruction (`matchings`). Each is read from
  the folders of the runs when it is asked for.
  """

  def __init__(
    self,
    study: studies.Study,
    scale: str,
    data: str,
    seeds: int,
    runs: Path,
    changes: Mapping[str, Any] | None = None,
    level: float | None = None,
  ):
    """Resolves every run that does not depend on a choice.

    Args:
      study: the study.
      scale: a key of `config.scales.SCALES`.
      data: the name of a data set.
      seeds: seeds of the parts in which seeds matter.
      runs: the folder that holds the runs' folders.
      changes: of fields, by dotted name, for every run at that scale; values
        that are tried at another are tried without them.
      level: the validation loss at which models are matched, in nats; by
        default that of the worst.

    Raises:
      ConfigError: if a model, or what is held out, does not exist on such
        data, or a change cannot be made; one line.
    """
    self.scale, self.data, self._runs = scale, data, runs
    self.changes, self.seeds = dict(changes or {}), seeds
    self.is_matched, self._level = study.is_matched, level
    self._usual_data = study.data
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
      for seed in range(min(seeds, part.max_seeds or seeds))
    ]
    # A study that is stopped has every model at as many seeds as it can.
    self._wants.sort(key=lambda want: want.seed)
    self._check_changes()
    self.training = functools.cache(self._training)
    self.candidates()
    for want in self._wants:
      self._run(want.part, want.model, (), want.seed)

  def _check_changes(self) -> None:
    """Refuses values that a field does not take, and fields of the study's.

    Raises:
      ConfigError: one line.
    """
    own = {'seed': 'see --seeds', 'data.name': 'see --data'}
    own |= {'scale': 'see --scale'}
    for _, search in self._searches():
      tried = ', '.join(f'{value:g}' for value in search.values)
      own[search.field] = f'it tries {tried}'
      own |= {field: f'it takes {value}' for field, value in search.below}
    config = config_lib.default_config()
    for field, value in self.changes.items():
      if field in own:
        raise ConfigError(f'{field} is for the study to set: {own[field]}')
      config_lib.change(config, field, value)

  def command(self, name: str) -> str:
    """The command of a study of that name, without where it runs."""
    flags = [f'--scale={self.scale}', f'--seeds={self.seeds}']
    if self.data != self._usual_data:
      flags.append(f'--data={self.data}')
    flags += [f'--config.{k}={_written(v)}' for k, v in self.changes.items()]
    if self._level is not None:
      flags.append(f'--level={self._level:g}')
    return shlex.join(['python', '-m', 'experiments.paper.study', name, *flags])

  @property
  def changed(self) -> list[str]:
    """What differs from the study as it is, as parts of a name."""
    level = {} if self._level is None else {'level': self._level}
    return [
      re.sub(r'[^\w.=,-]+', '_', f'{field.rpartition(".")[2]}={value}')[:60]
      for field, value in (self.changes | level).items()
    ]

  def candidates(self) -> list[Job]:
    """The runs among which values are chosen."""
    return _unique(
      self._trial(model, search, value)
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
      if None in self._jobs(want) and not self._is_tried(want)
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
    has_factors = bool(self._data_set.factors)
    lacking: dict[Job, list[str]] = {}
    for want in self._wants:
      for job in self._jobs(want):
        if job and job.kind == 'train' and job.is_finished():
          names = scoring.lacking(job.folder, want.part.metrics, has_factors)
          lacking.setdefault(job, []).extend(names)
    return [
      scoring.at_end(job, tuple(dict.fromkeys(names)))
      for job, names in lacking.items()
      if names
    ]

  def matching(self) -> Matching | None:
    """Where models reconstruct alike; None before all runs have ended."""
    if not self.is_matched or self.undecided():
      return None
    jobs = [job for job in self.finals() if not Run(job.folder).has_diverged]
    if not jobs or not all(job.is_finished() for job in jobs):
      return None
    return matched.of([Run(job.folder) for job in jobs], self._level)

  def matchings(self) -> list[Job]:
    """Scores of the checkpoints at which models reconstruct alike."""
    found = self.matching()
    jobs = {job.folder: job for job in self.finals()}
    return [
      scoring.at_step(jobs[folder], step)
      for folder, step in (found.steps if found else {}).items()
    ]

  def _is_tried(self, want: Want) -> bool:
    """Whether a run, once its value is chosen, is among those tried."""
    search = self._search(want.part, want.model)
    assert search is not None
    return not (want.seed or want.part.hold_out or search.scale)

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
      return [self._extrapolation(part, model, x, seed) for x in changes]
    return [self._run(part, model, x, seed) for x in changes]

  def _searches(self) -> dict[tuple[str, Search], Part]:
    """What is searched, with the first part that needs it."""
    found: dict[tuple[str, Search], Part] = {}
    for part, model, _ in self._wants:
      search = self._search(part, model)
      if search is not None:
        found.setdefault((model, search), part)
    return found

  def _search(self, part: Part, model: str) -> Search | None:
    usual = None if part.one_rate else studies.rates(self.scale)
    return part.searches.get(model, usual)

  def _choice(self, model: str, search: Search) -> Choice:
    jobs = {value: self._trial(model, search, value) for value in search.values}
    return choosing.choice(model, search, jobs)

  def _trial(self, model: str, search: Search, value: Any) -> Job:
    """The run that tries a value."""
    changes = search.changes(value, search.scale or self.scale)
    if search.scale:
      return self.training(model, search.trial, changes, 0, search.scale)
    part = self._searches()[model, search]
    return self._run(part, model, changes, 0)

  def _run(self, part: Part, model: str, changes: Changes, seed: int) -> Job:
    """A run of a part."""
    fixed = self._fixed(part, model)
    return self.training(model, fixed, changes, seed, self.scale)

  def _fixed(self, part: Part, model: str) -> Changes:
    """The changes that all runs of a part have in common."""
    fixed = dict(part.changes) | self.changes
    if part.num_checkpoints:
      usual = config_lib.get_config(model, self._tokens(self.scale))
      total = fixed.get('train.num_steps', usual.train.num_steps)
      fixed = matched.kept(total, part.num_checkpoints) | fixed
    return tuple(fixed.items())

  def _training(
    self, model: str, fixed: Changes, changes: Changes, seed: int, scale: str
  ) -> Job:
    """The command that trains a model, and the folder where it will."""
    config = config_lib.get_config(model, self._tokens(scale))
    for field, value in (*fixed, *changes, ('seed', seed)):
      config_lib.change(config, field, value)
    config_lib.check(config)
    config_lib.update(config, config_lib.written_out(config))
    usual = Run.choose(None, model, config).folder
    folder = self._runs / usual.name
    flags = self._flags(model, (*fixed, *changes), seed, scale)
    if folder != usual:
      flags += (f'--workdir={folder}',)
    elsewhere = '' if scale == self.scale else f'-{scale}'
    return Job(
      name=_job_name(f'{model}{elsewhere}', changes, seed),
      command=('-m', 'structae', 'train', *flags),
      folder=folder,
      is_finished=lambda: Run(folder).is_complete(config),
    )

  def _extrapolation(
    self, part: Part, model: str, changes: Changes, seed: int
  ) -> Job:
    """The command that trains without values, then on them, in four ways."""
    base = self._run(part, model, changes, seed).folder.name
    name, _, digest = base.rpartition('-')
    folder = self._runs / f'{name}-without_{part.hold_out}-{digest}'
    fixed = self._fixed(part, model)
    flags = (
      *self._flags(model, (*fixed, *changes), seed, self.scale),
      f'--hold_out={part.hold_out}',
      f'--workdir={folder}',
    )
    return Job(
      name=f'{_job_name(model, changes, seed)}-without_{part.hold_out}',
      command=('-m', 'experiments.paper.extrapolate', *flags),
      folder=folder,
      is_finished=lambda: (folder / RESULT).is_file(),
      kind='extrapolate',
    )

  def _tokens(self, scale: str) -> str:
    """The data set and the scale, where they are not the usual ones."""
    named = {self.data: catalog.DEFAULT, scale: 'paper'}
    return ','.join(name for name, usual in named.items() if name != usual)

  def _flags(
    self, model: str, changes: Changes, seed: int, scale: str
  ) -> tuple[str, ...]:
    fields = [f'--config.{k}={_written(v)}' for k, v in changes]
    given = ':'.join(filter(None, [model, self._tokens(scale)]))
    return (given, *fields, f'--config.seed={seed}')


def _written(value: Any) -> str:
  """A value as a flag has it: text as it is."""
  return value if isinstance(value, str) else repr(value)


def _job_name(model: str, changes: Changes, seed: int) -> str:
  fields = [f'{field.rpartition(".")[2]}={value}' for field, value in changes]
  return '-'.join([model, *fields, f'seed={seed}'])


def _unique(jobs: Iterable[Job]) -> list[Job]:
  """One job a folder: no two may work in the same."""
  return list({job.folder: job for job in jobs}.values())
