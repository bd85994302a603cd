"""Models at the same reconstruction: a checkpoint of each, as good as others.

A model that reconstructs better has more in its codes, so that its scores of
codes and samples differ from another's for two reasons. Here each run is taken
at the checkpoint whose validation loss is nearest to that of the worst run, or
to a level that is stated.

What this can tell: whether a difference stands between models that are equally
good at what all are trained for. What it cannot: how models would compare that
were trained to end there. A checkpoint in the midst of training has a learning
rate that has not come down, and it is the younger, the faster its model learns;
one run is compared at a tenth of its course, another at its end. And the worst
run sets the level: where it has learned little, so has every model there.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.paper import choosing
from structae.run import Run

# Of the distance of the level from the entropy of the images: within it, a
# checkpoint is at the level.
TOLERANCE = 0.1


@dataclasses.dataclass(frozen=True)
class Matching:
  """Checkpoints of runs at which they reconstruct alike.

  Attributes:
    level: the validation loss at which they are compared, in nats per image.
    steps: the updates of the checkpoint, by the folder of the run.
    losses: its validation loss.
    left_out: of runs without such a checkpoint, the nearest loss; None where
      none is known.
  """

  level: float
  steps: Mapping[Path, int]
  losses: Mapping[Path, float]
  left_out: Mapping[Path, float | None]


def kept(num_steps: int, num_checkpoints: int) -> dict[str, object]:
  """Fields by which a run keeps and validates states evenly over its updates.

  None changes what is trained.

  Args:
    num_steps: updates of the run.
    num_checkpoints: how many states to keep, about.
  """
  every = max(1, num_steps // num_checkpoints)
  return {
    'train.log_every': every,
    'train.validate_every': every,
    'train.save_minutes': 0.0,
    'train.keep_checkpoints': 0,
  }


def of(runs: Sequence[Run], level: float | None = None) -> Matching:
  """Finds where finished runs reconstruct alike.

  Args:
    runs: one or more.
    level: a validation loss in nats; by default that of the worst run.
  """
  if level is None:
    level = max(choosing.reconstruction(run) for run in runs)
  steps: dict[Path, int] = {}
  losses: dict[Path, float] = {}
  left_out: dict[Path, float | None] = {}
  for run in runs:
    found = checkpoints(run)
    step = min(found, key=lambda step: abs(found[step] - level), default=None)
    floor = run.floor or 0.0
    if step is None:
      left_out[run.folder] = None
    elif abs(found[step] - level) > TOLERANCE * abs(level - floor):
      left_out[run.folder] = found[step]
    else:
      steps[run.folder], losses[run.folder] = step, found[step]
  return Matching(level, steps, losses, left_out)


def checkpoints(run: Run) -> dict[int, float]:
  """The validation loss of every checkpoint that has one, by its updates."""
  known = dict(zip(*run.curve('validation_loss'), strict=True))
  return {step: known[step] for step in run.saved_steps if step in known}
