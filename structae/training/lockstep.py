"""The training loop of several runs, step by step together.

Each has rows and checkpoints of its own. One whose loss is no longer a number
stops alone; a signal stops all.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from jax.sharding import Mesh

from structae.training import (
  checkpoint,
  loop,
  progress,
  side_by_side,
  step,
  writers,
)
from structae.training import stop as stop_lib


@dataclasses.dataclass
class Member:
  """One of the runs.

  Attributes:
    name: what to call it.
    checkpoints: of it.
    metrics: of it.
    validate: see `loop.train`.
    failure: why it has stopped, or ''.
  """

  name: str
  checkpoints: checkpoint.Checkpoints
  metrics: writers.Metrics
  validate: Callable[[Any], dict[str, float]]
  failure: str = ''


def restore(
  all_checkpoints: list[checkpoint.Checkpoints], starts: list[Any]
) -> list[Any]:
  """The states of the newest step that every run has; `starts` without one.

  They were saved one after the other, so that a kill leaves some behind.
  """
  steps = [set(checkpoints.steps()) for checkpoints in all_checkpoints]
  common = set.intersection(*steps)
  if not common:
    return starts
  return [
    checkpoints.read(max(common), checkpoint.abstract(start))
    for checkpoints, start in zip(all_checkpoints, starts)
  ]


def train(
  states: list[step.TrainState],
  updates: dict[int, loop.Update],
  data: Any,
  mesh: Mesh,
  members: list[Member],
  settings: Any,
  show: progress.Progress,
  stopping: stop_lib.Stop,
) -> list[step.TrainState]:
  """Trains all runs to the last step.

  Args:
    states: of the runs, all after as many updates.
    updates: see `side_by_side.make_step`, by the number of updates.
    data: see `side_by_side.make_data`.
    mesh: the devices, a row for each run.
    members: the runs.
    settings: the section `train` of the config.
    show: prints how far they are.
    stopping: whether they were asked to stop.

  Returns:
    The states after the last update.

  Raises:
    stop.Interrupted: if asked to stop, once the states are saved.
    checkpoint.CheckpointError: if a checkpoint cannot be written.
  """
  now, last = int(states[0].step), settings.num_steps
  like = checkpoint.abstract(states[0])
  state = side_by_side.stack(states, mesh)
  show.start(now, last)
  saved_at = time.monotonic()
  while now < last and not all(member.failure for member in members):
    size = max(n for n in updates if now % n == 0 and now + n <= last)
    state = updates[size](state, data)
    now += size
    show.update(now, state)
    logging = now % settings.log_every == 0 or now == last
    if logging:
      validates = now % settings.validate_every == 0 or now == last
      states = side_by_side.parts(state, like, mesh)
      states = _write_rows(states, members, now, validates, show)
      state = side_by_side.stack(states, mesh)
    due = time.monotonic() - saved_at >= 60 * settings.save_minutes
    asked = stopping.requested
    if asked or (logging and due) or now == last:
      _save(side_by_side.parts(state, like, mesh), members, now, show)
      saved_at = time.monotonic()
    if asked:
      break
  for member in members:
    member.checkpoints.wait()
    member.metrics.close()
  show.close()
  if stopping.requested:
    raise stop_lib.Interrupted(f'stopped at step {now} of {last}, saved')
  return side_by_side.parts(state, like, mesh)


def _write_rows(
  states: list[step.TrainState],
  members: list[Member],
  now: int,
  validates: bool,
  show: progress.Progress,
) -> list[step.TrainState]:
  """Writes a row of each run that goes on; their sums start anew."""
  states = [*states]
  for i, member in enumerate(members):
    if member.failure:
      continue
    try:
      states[i], row = step.take_means(states[i])
    except step.NotFinite as error:
      _fail(member, error, show)
      continue
    if validates:
      row |= member.validate(states[i].params)
    member.metrics.write(now, row)
    show.row(row)
  return states


def _save(
  states: list[step.TrainState],
  members: list[Member],
  now: int,
  show: progress.Progress,
) -> None:
  for state, member in zip(states, members):
    if member.failure:
      continue
    try:
      step.check_finite(state)  # the newest checkpoint is a good one
    except step.NotFinite as error:
      _fail(member, error, show)
      continue
    member.metrics.flush()  # no checkpoint may be ahead of its rows
    member.checkpoints.save(now, state, member.metrics.seal)


def _fail(
  member: Member, error: step.NotFinite, show: progress.Progress
) -> None:
  member.failure = str(error)
  show.log(f'{member.name}: {error}; it stops here, the others go on')
