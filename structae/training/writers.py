"""Where the numbers of a run go: metrics.jsonl, TensorBoard."""

import json
import os
from pathlib import Path

import tensorboardX

from structae import files, metrics_file


class Metrics:
  """Appends rows to `metrics.jsonl`, the truth, and to TensorBoard's files.

  Rows hold the step and values and no clock, so that the file of a resumed run
  equals that of an uninterrupted one.
  """

  def __init__(self, workdir: Path, step: int):
    """Opens the files of a run, cutting off rows past `step`.

    Args:
      workdir: the run's folder.
      step: where the run starts or goes on.
    """
    path = workdir / 'metrics.jsonl'
    kept = [row for row in metrics_file.read(path) if row['step'] <= step]
    files.write_text(path, ''.join(json.dumps(row) + '\n' for row in kept))
    self._file = open(path, 'a', encoding='utf-8')  # noqa: SIM115
    self._board = tensorboardX.SummaryWriter(
      str(workdir / 'tensorboard'), purge_step=step + 1 if step else None
    )

  def write(self, step: int, values: dict[str, float]) -> None:
    """Writes one row."""
    self._file.write(json.dumps({'step': step, **values}) + '\n')
    for name, value in values.items():
      self._board.add_scalar(name, value, step)

  def flush(self) -> None:
    """Puts everything written so far on disk."""
    self._file.flush()
    os.fsync(self._file.fileno())
    self._board.flush()

  def close(self) -> None:
    """Flushes and closes the files."""
    self.flush()
    self._file.close()
    self._board.close()
