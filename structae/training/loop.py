"""The training loop: run, log, save."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from structae.data import pipeline
from structae.training import checkpoint, progress, step, stop, writers

Update = Callable[[step.TrainState, Any], step.TrainState]


class Diverged(RuntimeError):
  """A loss that is no longer a number; one line for the user."""


def train(
  state: step.TrainState,
  updates: dict[int, Update],
  batches: pipeline.Batches,
  *,
  workdir: Path,
  settings: Any,
  validate: Callable[[Any], dict[str, float]],
  show: progress.Progress,
  stopping: stop.Stop,
) -> step.TrainState:
  """Trains from the newest checkpoint, or from `state`, to the last step.

  Args:
    state: the state before the first update.
    updates: `(state, data) -> state` by the number of updates it makes; 1 is
      among them.
    batches: what updates draw from.
    workdir: the run's folder.
    settings: the section `train` of the config.
    validate: `params -> named values`, over the validation images.
    show: tells a person how far the run is.
    stopping: tells whether the run was asked to stop.

  Returns:
    The state after the last update.

  Raises:
    Diverged: if the loss is not finite; names the step and the terms.
    stop.Interrupted: if asked to stop, once the state is saved.
    checkpoint.CheckpointError: if a checkpoint cannot be written or read.
  """
  checkpoints = checkpoint.Checkpoints(workdir / 'checkpoints')
  restored, skipped = checkpoints.restore(checkpoint.abstract(state))
  for line in skipped:
    show.say(line)
  state = state if restored is None else restored
  now, last = int(state.step), settings.num_steps
  metrics = writers.Metrics(workdir, now)
  show.start(now, last)
  saved_at = time.monotonic()
  while now < last:
    size = max(n for n in updates if now % n == 0 and now + n <= last)
    state = updates[size](state, batches.data(now, size))
    now += size
    show.update(now, state)
    logging = now % settings.log_every == 0 or now == last
    if logging:
      state, row = _row(state)
      if now % settings.validate_every == 0 or now == last:
        row |= validate(state.params)
      metrics.write(now, row)
      show.row(row)
    due = time.monotonic() - saved_at >= 60 * settings.save_minutes
    if stopping.requested or (logging and due) or now == last:
      metrics.flush()  # no checkpoint may be ahead of its rows
      checkpoints.save(now, state)
      saved_at = time.monotonic()
    if stopping.requested:
      break
  checkpoints.wait()
  metrics.close()
  show.close()
  stopping.check(f'stopped at step {now} of {last}, saved')
  return state


def _row(state: step.TrainState) -> tuple[step.TrainState, dict[str, float]]:
  """Fetches the means since the last row and starts the sums anew."""
  totals = jax.device_get(state.totals)
  num_steps, first_bad = totals.pop('num_steps'), totals.pop('first_bad')
  if first_bad != step.NEVER:
    bad = [name for name, total in totals.items() if not np.isfinite(total)]
    raise Diverged(
      f'{" and ".join(bad) or "the loss"} is not finite at step {first_bad}; '
      'the last good state is kept. Try a lower train.learning_rate'
    )
  row = {name: float(total / num_steps) for name, total in totals.items()}
  # On the same devices as before, or the update would be compiled anew.
  fresh = jax.device_put(
    step.zeros(totals), jax.tree.map(lambda t: t.sharding, state.totals)
  )
  return state._replace(totals=fresh), row
