"""Which value of a field is best, told by the validation split of its runs."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from structae import metrics_file

DIVERGED = 'DIVERGED'  # a file in the folder of a run; holds what was said


class Rule(NamedTuple):
  """What is to be least.

  Attributes:
    of: the folder of a finished run -> nats.
    words: what it is, in words.
  """

  of: Callable[[Path], float]
  words: str


@dataclasses.dataclass(frozen=True)
class Choice:
  """The values that were tried for a field of a model.

  Attributes:
    model: the name of its config file.
    field: the field.
    rule: a key of `RULES`.
    results: by value, what is to be least; infinite where training diverged,
      None where it is not finished.
  """

  model: str
  field: str
  rule: str
  results: Mapping[Any, float | None]

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


def result(folder: Path, rule: str, finished: bool) -> float | None:
  """What a rule says of a run: nats, infinite if it diverged, None so far.

  Args:
    folder: the run.
    rule: a key of `RULES`.
    finished: whether the run is.
  """
  if finished:
    return RULES[rule].of(folder)
  return math.inf if diverged(folder) else None


def diverged(folder: Path) -> bool:
  """Whether training in the folder has been seen to diverge."""
  return (folder / DIVERGED).exists()


def reconstruction(folder: Path) -> float:
  """The last validation loss of a run, in nats per image."""
  rows = metrics_file.read(folder / 'metrics.jsonl')
  losses = [row['validation_loss'] for row in rows if 'validation_loss' in row]
  if not losses:
    raise ValueError(f'{folder} has no validation loss in metrics.jsonl.')
  return losses[-1]


def bound(folder: Path) -> float:
  """Validation reconstruction plus KL divergence from the prior, in nats.

  Source: Kingma and Welling, https://arxiv.org/abs/1312.6114, appendix B.
  """
  from structae.evaluation import codes

  saved = codes.load(folder / 'codes' / 'validation.npz')
  if saved.log_var is None:
    raise ValueError(f'{folder} has codes without variance: there is no KL.')
  mean, log_var = (x.astype(np.float64) for x in (saved.codes, saved.log_var))
  kl = (mean**2 + np.exp(log_var) - 1 - log_var).sum((1, 2)) / 2
  return reconstruction(folder) + float(kl.mean())


RULES = {
  'reconstruction': Rule(
    reconstruction,
    'the last validation loss, the reconstruction in nats per image: it means '
    'the same at every rate and for every model',
  ),
  # The training loss contains the weight, and grows with it whatever the model
  # does; reconstruction alone does not see what the weight is for, and takes
  # the smallest. The bound at weight 1 means the same for all weights.
  'bound': Rule(
    bound,
    'validation reconstruction (of posterior means) plus KL divergence at '
    'weight 1, in nats per image. The loss that is trained cannot be compared '
    'across weights, which are part of it, and reconstruction alone does not '
    'see what the weight is for. This means the same at every weight; but it '
    'too is friendly to weights near 1, and says nothing of disentanglement, '
    'which stands beside it',
  ),
}
