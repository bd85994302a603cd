"""Where the numbers of training go: rows of JSON, and TensorBoard."""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import tensorboardX

from structae import files
from structae.training import hooks, progress, rows


class Metrics:
  """Appends rows to `metrics.jsonl`, the truth, and to TensorBoard's files.

  Its rows hold the step and values and no clock, so that the file of a resumed
  run equals that of an uninterrupted one. The clock is in `timing.jsonl`.
  """

  def __init__(
    self,
    folder: Path,
    step: int,
    batch_size: int,
    hook: hooks.Hook | None = None,
  ):
    """Opens the files of a run, cutting off rows past `step`.

    Args:
      folder: the run's folder.
      step: where the run starts or goes on.
      batch_size: images of an update.
      hook: is called with every row.
    """
    self._batch_size, self._hook = batch_size, hook
    self._path = folder / 'metrics.jsonl'
    self._num, self._sha256 = 0, hashlib.sha256()
    kept = _cut(self._path, step)
    for row in kept:
      self._count(row)
    self._metrics = open(self._path, 'a', encoding='utf-8')
    _cut(folder / 'timing.jsonl', step)
    self._timing = open(folder / 'timing.jsonl', 'a', encoding='utf-8')
    self._board = tensorboardX.SummaryWriter(
      str(folder / 'tensorboard'), purge_step=step + 1 if step else None
    )
    self.start_clock(step)

  @property
  def seal(self) -> dict[str, Any]:
    """The number and the SHA-256 of the rows, to be kept with a checkpoint."""
    return {'num_rows': self._num, 'sha256': self._sha256.hexdigest()}

  def check(self, seal: dict[str, Any]) -> None:
    """Refuses to go on where rows have been lost or changed.

    Args:
      seal: what the rows were when the checkpoint was saved; empty if that
        was not written.

    Raises:
      ValueError: one line that says what to do.
    """
    if seal and seal != self.seal:
      raise ValueError(
        f'{self._path} is damaged: of the {seal.get("num_rows")} rows that '
        f'belong to the checkpoint of this run, {self._num} can be read, or '
        'some have changed. Put the file back, or remove '
        f'{self._path.parent / "checkpoints"} to train anew'
      )

  def _count(self, row: dict[str, Any]) -> None:
    self._num += 1
    self._sha256.update(_line(row).encode())

  def start_clock(self, step: int) -> None:
    """Starts the clock anew, once all is compiled."""
    self._step, self._clock = step, time.monotonic()

  def leave_out(self, seconds: float) -> None:
    """Leaves what was no training out of the time of the next row."""
    self._clock += seconds

  def write(self, step: int, values: dict[str, float]) -> None:
    """Writes one row, and the time since the last."""
    row = {'step': step, **values}
    self._count(row)
    self._metrics.write(_line(row))
    now = time.monotonic()
    seconds, num = now - self._clock, (step - self._step) * self._batch_size
    rate = num / max(seconds, 1e-9)
    timing = {
      'step': step,
      'seconds': round(seconds, 4),
      'images_per_second': round(rate, 1),
    }
    self._timing.write(_line(timing))
    self._step, self._clock = step, now
    for name, value in values.items():
      self._board.add_scalar(name, value, step)
    if self._hook and (line := self._hook(row)):
      progress.log(line)

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


def _cut(path: Path, step: int) -> list[dict[str, Any]]:
  """Removes rows past a step, and what is no row; returns the others."""
  kept = [row for row in rows.read(path, strict=False) if row['step'] <= step]
  files.write_text(path, ''.join(map(_line, kept)))
  return kept


def _line(row: dict[str, Any]) -> str:
  return json.dumps(row) + '\n'
