"""The training loop: run, log, save."""

import time
from collections.abc import Callable
from typing import Any

from structae import memory, processes
from structae.data import pipeline
from structae.training import checkpoint, progress, step, stop, writers

Update = Callable[[step.TrainState, Any], step.TrainState]


def train(
  state: step.TrainState,
  updates: dict[int, Update],
  batches: pipeline.Batches,
  *,
  checkpoints: checkpoint.Checkpoints,
  open_metrics: Callable[[int], writers.Metrics],
  settings: Any,
  validate: Callable[[Any], dict[str, float]],
  show: progress.Progress,
  stopping: stop.Stop,
) -> step.TrainState:
  """Trains from the newest checkpoint, or from `state`, to the last step.

  Several processes make the same updates, and save and stop together; rows are
  written by the first alone.

  Args:
    state: the state before the first update.
    updates: `(state, data) -> state` by the number of updates it makes; 1 is
      among them.
    batches: what updates draw from.
    checkpoints: of the run.
    open_metrics: opens the files of rows, to go on from a step.
    settings: the section `train` of the config.
    validate: `params -> named values`, over the validation images.
    show: prints how far the run is.
    stopping: whether the run was asked to stop.

  Returns:
    The state after the last update.

  Raises:
    ValueError: if rows of the restored checkpoint are lost.
    step.NotFinite: if the loss is not finite; the last good state is kept.
    stop.Interrupted: if asked to stop, once the state is saved.
    checkpoint.CheckpointError: if a checkpoint cannot be written or read.
  """
  checkpoints.sweep()
  restored, skipped = checkpoints.restore(checkpoint.abstract(state))
  for line in skipped:
    show.log(line)
  state = state if restored is None else restored
  now, last = int(state.step), settings.num_steps
  first, validated = True, False

  def open_checked() -> writers.Metrics:
    metrics = open_metrics(now)
    metrics.check(checkpoints.rows(now))
    return metrics

  metrics = processes.agree(
    lambda: open_checked() if processes.first() else None
  )
  if any(processes.any_of(stopping.requested)):
    raise stop.Interrupted(f'stopped at step {now} of {last}')
  show.start(now, last)
  saved_at = time.monotonic()
  while now < last:
    size = max(n for n in updates if now % n == 0 and now + n <= last)
    state = updates[size](state, batches.data(now, size))
    now += size
    show.update(now, state)
    if first:  # which is waited for, since it compiles
      memory.give_back()
      if metrics:
        metrics.start_clock(now)
    first = False
    logging = now % settings.log_every == 0 or now == last
    if logging:
      state, row = step.take_means(state)
      if metrics:
        if now % settings.validate_every == 0 or now == last:
          began = time.monotonic()
          row |= validate(state.params)
          if not validated:  # which compiles
            validated, seconds = True, time.monotonic() - began
            show.leave_out(seconds)
            metrics.leave_out(seconds)
        metrics.write(now, row)
        show.row(row)
    due = time.monotonic() - saved_at >= 60 * settings.save_minutes
    asked, due = processes.any_of(stopping.requested, due)
    if asked or (logging and due) or now == last:
      step.check_finite(state)  # the newest checkpoint is a good one
      if metrics:
        metrics.flush()  # no checkpoint may be ahead of its rows
      checkpoints.save(now, state, metrics and metrics.seal)
      saved_at = time.monotonic()
    if asked:
      break
  checkpoints.wait()
  if metrics:
    metrics.close()
  show.close()
  if any(processes.any_of(stopping.requested)):
    raise stop.Interrupted(f'stopped at step {now} of {last}, saved')
  return state
