"""How far a run is: a bar on a terminal, plain lines elsewhere."""

import os
import shutil
import sys
import time
from typing import Any

import jax
import jax.numpy as jnp
import tqdm

from structae import processes, streams

# Its own clock would count what is compiled.
_BAR = '{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{postfix}'
_LEAST_BAR = 4  # columns of it, where a terminal is narrow
# What the time of a run is told from: as many updates after the first, or as
# many seconds of them.
_TELLING_STEPS = 9
_TELLING_SECONDS = 3
_LONG_SECONDS = 3600


def log(line: str) -> None:
  """Prints a line on stdout, above a bar if there is one.

  On a terminal that is narrower it goes on in the next line, between words.

  Output that nobody takes any more, since its reader has left or a disk is
  full, costs no work: from then on it is dropped.
  """
  if sys.stdout is None or sys.stdout.closed:
    return
  try:
    tqdm.tqdm.write(streams.fitted(line), file=sys.stdout)
    sys.stdout.flush()
  except (OSError, ValueError):
    sys.stdout = open(os.devnull, 'w', encoding='utf-8')  # noqa: SIM115


def _width() -> int:
  """Columns of a bar; three are left, for the ^C that a terminal shows."""
  return shutil.get_terminal_size().columns - 3


class Progress:
  """Prints step, loss, images per second and the time that is left.

  The first update, most of which is compilation, stands by itself and is left
  out of the rate; so is what else compiles.
  """

  def __init__(
    self, batch_size: int, long_run_hint: str = '', line_seconds: float = 10
  ):
    """Prepares to print.

    Args:
      batch_size: images per update.
      long_run_hint: what to print beside the time of a run of many hours,
        which is known after ten updates at the latest.
      line_seconds: the least time between two plain lines.
    """
    self._batch_size = batch_size
    self._hint = long_run_hint
    self._line_seconds = line_seconds
    self._on_cpu = jax.default_backend() == 'cpu'
    self._before: jax.Array | None = None
    self._bar: tqdm.tqdm | None = None
    self._loss: list[str] = []

  def log(self, line: str) -> None:
    """Prints a line above the bar."""
    log(line)

  def start(self, step: int, num_steps: int) -> None:
    """Starts the clock at `step` of `num_steps`."""
    self._num_steps = num_steps
    self._begin: tuple[float, int] | None = None
    self._printed = self._clock = time.monotonic()
    self._estimated = False
    if step:
      self.log(f'resuming at step {step} of {num_steps}')
    if sys.stderr is not None and sys.stderr.isatty() and processes.first():
      self._bar = tqdm.tqdm(
        total=num_steps,
        initial=step,
        bar_format=_BAR,
        postfix='compiling',
        ncols=_width(),
      )

  def update(self, step: int, state: Any) -> None:
    """Notes that `step` was dispatched; waits for it once a second."""
    if self._on_cpu:
      self._limit_queue(state)
    now = time.monotonic()
    due = step == self._num_steps or self._must_estimate(step)
    if self._begin and now - self._clock < 1 and not due:
      return
    jax.block_until_ready(state)
    now = time.monotonic()
    if self._begin is None:
      self.log(f'first step, with compilation: {now - self._printed:.1f} s')
      self._begin = now, step
      self._printed = now
    self._clock = now
    self._print(step)

  def leave_out(self, seconds: float) -> None:
    """Leaves what was no training, but compiled, out of the rate."""
    if self._begin:
      self._begin = self._begin[0] + seconds, self._begin[1]

  def _must_estimate(self, step: int) -> bool:
    """Whether a run that may be long has made enough updates to tell."""
    if self._estimated or not self._begin:
      return False
    return step - self._begin[1] >= _TELLING_STEPS

  def _limit_queue(self, state: Any) -> None:
    """Leaves at most two steps under way, so that a signal is heard between.

    Devices made of one CPU share its threads: with several steps under way,
    their sums over devices can wait for each other for ever. They get one.
    """
    if jax.device_count() > 1:
      jax.block_until_ready(state)
      return
    before, self._before = self._before, jnp.copy(state.step)
    if before is not None:
      jax.block_until_ready(before)

  def _rate(self, step: int) -> float:
    assert self._begin is not None
    start, first = self._begin
    return (step - first) / max(time.monotonic() - start, 1e-9)

  def _print(self, step: int) -> None:
    rate = self._rate(step)
    if not rate:  # of the first update, which has compiled
      self._advance(step, self._loss)
      return
    left = (self._num_steps - step) / rate
    if not self._estimated:
      self._estimate(step, left)
    speed = f'{rate * self._batch_size:.0f} images/s'
    clock = f'{duration(left)} left'
    if self._bar is not None:
      self._advance(step, [clock, *self._loss[:1], speed, *self._loss[1:]])
    elif time.monotonic() - self._printed >= self._line_seconds:
      self._printed = time.monotonic()
      start = f'step {step}/{self._num_steps}'
      self.log('  '.join([start, *self._loss, speed, clock]))

  def _advance(self, step: int, parts: list[str]) -> None:
    """Moves the bar, if there is one; of the parts, those that fit stand by."""
    if self._bar is None:
      return
    self._bar.ncols = _width()  # which may have changed
    counts = f'100%|| {self._num_steps}/{self._num_steps}, '
    room = self._bar.ncols - len(counts) - _LEAST_BAR
    while len('  '.join(parts)) > room and len(parts) > 1:
      parts = parts[:-1]
    self._bar.set_postfix_str('  '.join(parts), refresh=False)
    self._bar.update(step - self._bar.n)

  def _estimate(self, step: int, left: float) -> None:
    """Says how long a long run will take, once there is something to go by."""
    assert self._begin is not None
    waited = time.monotonic() - self._begin[0] > _TELLING_SECONDS
    if waited or self._must_estimate(step):
      self._estimated = True
      if left > _LONG_SECONDS:
        text = f'about {duration(left)} to go on this device. {self._hint}'
        self.log(text.strip())

  def row(self, row: dict[str, float]) -> None:
    """Notes the loss of a row of metrics."""
    self._loss = [f'loss {row["loss"]:.1f}']
    if 'validation_loss' in row:
      self._loss.append(f'validation {row["validation_loss"]:.1f}')

  def close(self) -> None:
    """Leaves the bar as it is and ends it."""
    if self._bar is not None:
      self._bar.close()


def duration(seconds: float) -> str:
  """Writes seconds as a person writes them: 45 s, 12 min, 3.4 h, 7.7 days."""
  if seconds < 90:
    return f'{seconds:.0f} s'
  if seconds < 90 * 60:
    return f'{seconds / 60:.0f} min'
  if seconds < 48 * 3600:
    return f'{seconds / 3600:.1f} h'
  return f'{seconds / 86400:.1f} days'
