"""Where the numbers of training go: rows of JSON, and TensorBoard."""

import json
import os
import time
from pathlib import Path
from typing import Any, TextIO

import tensorboardX

from structae import files
from structae.training import rows


class Metrics:
  """Appends rows to `metrics.jsonl`, the truth, and to TensorBoard's files.

  Its rows hold the step and values and no clock, so that the file of a resumed
  run equals that of an uninterrupted one. The clock is in `timing.jsonl`.
  """

  def __init__(self, folder: Path, step: int, batch_size: int):
    """Opens the files of a run, cutting off rows past `step`.

    Args:
      folder: the run's folder.
      step: where the run starts or goes on.
      batch_size: images of an update.
    """
    self._batch_size = batch_size
    self._metrics = _cut(folder / 'metrics.jsonl', step)
    self._timing = _cut(folder / 'timing.jsonl', step)
    self._board = tensorboardX.SummaryWriter(
      str(folder / 'tensorboard'), purge_step=step + 1 if step else None
    )
    self.start_clock(step)

  def start_clock(self, step: int) -> None:
    """Starts the clock anew, once all is compiled."""
    self._step, self._clock = step, time.monotonic()

  def write(self, step: int, values: dict[str, float]) -> None:
    """Writes one row, and the time since the last."""
    _append(self._metrics, {'step': step, **values})
    now = time.monotonic()
    seconds, num = now - self._clock, (step - self._step) * self._batch_size
    rate = num / max(seconds, 1e-9)
    _append(
      self._timing,
      {
        'step': step,
        'seconds': round(seconds, 4),
        'images_per_second': round(rate, 1),
      },
    )
    self._step, self._clock = step, now
    for name, value in values.items():
      self._board.add_scalar(name, value, step)

  def flush(self) -> None:
    """Puts everything written so far on disk."""
    for file in (self._metrics, self._timing):
      file.flush()
      os.fsync(file.fileno())
    self._board.flush()

  def close(self) -> None:
    """Flushes and closes the files."""
    self.flush()
    self._metrics.close()
    self._timing.close()
    self._board.close()


def _cut(path: Path, step: int) -> TextIO:
  """Opens a file of rows to append to, without those past a step."""
  kept = [row for row in rows.read(path) if row['step'] <= step]
  files.write_text(path, ''.join(json.dumps(row) + '\n' for row in kept))
  return open(path, 'a', encoding='utf-8')


def _append(file: TextIO, row: dict[str, Any]) -> None:
  file.write(json.dumps(row) + '\n')
