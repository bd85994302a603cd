"""Which value of a field is best by the validation images of its runs."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from experiments.paper.studies import Search
from structae.commands.jobs import Job
from structae.run import Run


class Criterion(NamedTuple):
  """A quantity to minimize over the values that are tried.

  Attributes:
    of: of a finished run, in nats.
    words: its definition.
  """

  of: Callable[[Run], float]
  words: str


@dataclasses.dataclass(frozen=True)
class Choice:
  """The values that were tried for a field of a model.

  Attributes:
    model: its name.
    field: the field.
    criterion: a key of `CRITERIA`.
    results: the criterion by value; infinite where training diverged, None
      where it is not finished.
    scale: where they were tried, if not where the study runs.
    num_steps: updates of each try, if not as many as the scale has.
  """

  model: str
  field: str
  criterion: str
  results: Mapping[Any, float | None]
  scale: str = ''
  num_steps: int | None = None

  @property
  def is_known(self) -> bool:
    """Whether all values have been tried."""
    return None not in self.results.values()

  @property
  def best(self) -> Any:
    """The value with the least result; None if not known or all diverged."""
    known = {v: r for v, r in self.results.items() if r is not None}
    if not self.is_known or not any(map(math.isfinite, known.values())):
      return None
    return min(known, key=lambda value: known[value])


def reconstruction(run: Run) -> float:
  """The last validation loss of a run, in nats per image."""
  losses = run.curve('validation_loss')[1]
  if not losses:
    raise ValueError(f'{run.folder} has no validation loss in metrics.jsonl.')
  return losses[-1]


def bound(run: Run) -> float:
  """Validation reconstruction plus KL divergence from the prior, in nats.

  Source: Kingma and Welling, https://arxiv.org/abs/1312.6114, appendix B.
  """
  saved = run.codes('validation')
  if saved.log_var is None:
    raise ValueError(f'{run.folder} has codes without variance: there is no KL')
  mean, log_var = (x.astype(np.float64) for x in (saved.codes, saved.log_var))
  kl = (mean**2 + np.exp(log_var) - 1 - log_var).sum((1, 2)) / 2
  return reconstruction(run) + float(kl.mean())


CRITERIA = {
  'reconstruction': Criterion(
    reconstruction,
    'the last validation loss, the reconstruction in nats per image: it means '
    'the same at every rate and for every model',
  ),
  # The training loss contains the weight, and grows with it whatever the model
  # does; reconstruction alone does not see what the weight is for, and takes
  # the smallest. The bound at weight 1 means the same for all weights.
  'bound': Criterion(
    bound,
    'validation reconstruction (of posterior means) plus KL divergence at '
    'weight 1, in nats per image. The loss that is trained cannot be compared '
    'across weights, which are part of it, and reconstruction alone does not '
    'see what the weight is for. This means the same at every weight; but it '
    'too is friendly to weights near 1, and says nothing of disentanglement, '
    'which stands beside it',
  ),
}


def choice(model: str, search: Search, jobs: Mapping[Any, Job]) -> Choice:
  """What the values that are tried have given so far.

  Args:
    model: its name.
    search: what is tried.
    jobs: the job of each value.
  """
  num_steps = dict(search.trial).get('train.num_steps')
  results = {value: _result(job, search) for value, job in jobs.items()}
  return Choice(
    model, search.field, search.criterion, results, search.scale, num_steps
  )


def _result(job: Job, search: Search) -> float | None:
  run = Run(job.folder)
  if job.is_finished():
    return CRITERIA[search.criterion].of(run)
  return math.inf if run.has_diverged else None
