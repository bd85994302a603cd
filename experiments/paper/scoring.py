"""The jobs that add scores to runs, and which scores a run lacks."""

import functools
from collections.abc import Iterable
from pathlib import Path

from experiments.paper import over_training
from structae.commands.jobs import Job
from structae.evaluation import registry as metrics
from structae.run import Run


def lacking(
  folder: Path, wanted: Iterable[str], has_factors: bool
) -> tuple[str, ...]:
  """Metrics that can be had of a run, but are not there.

  Args:
    folder: the run.
    wanted: keys of `registry.METRICS`, `IMAGE_METRICS` or `RUN_METRICS`.
    has_factors: whether its data have factors, as all but `IMAGE_METRICS` need.
  """
  usable = [
    name
    for name in wanted
    if (_has_weights() if name in metrics.IMAGE_METRICS else has_factors)
  ]
  return tuple(name for name in usable if not _is_scored(folder, name))


def at_end(job: Job, names: tuple[str, ...]) -> Job:
  """The command that adds scores to those of a run."""
  flags = (f'--workdir={job.folder}', f'--metrics={",".join(names)}')
  return Job(
    name=f'{job.name}-scores',
    command=('-m', 'structae', 'evaluate', *flags),
    folder=job.folder,
    is_finished=lambda: all(_is_scored(job.folder, name) for name in names),
    kind='score',
  )


def at_step(job: Job, step: int) -> Job:
  """The command that scores one checkpoint of a run."""
  return Job(
    name=f'{job.name}-step={step}',
    command=(
      '-m',
      'experiments.paper.over_training',
      str(job.folder),
      f'--step={step}',
    ),
    folder=job.folder,
    is_finished=lambda: over_training.is_scored(Run(job.folder), step),
    kind='score',
  )


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
