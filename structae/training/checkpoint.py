"""Checkpoints: written by Orbax in the background, sealed by checksums.

Orbax commits a checkpoint whole, but restores a flipped bit or a half-deleted
folder without a word. So each one gets a seal, `seal.json` with the SHA-256 of
all its files, and only what its seal confirms is restored.
"""

import concurrent.futures
import json
import logging
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from structae import files, processes

SEAL = 'seal.json'
_ROWS = 'rows.json'  # what metrics.jsonl was, see `writers.Metrics.seal`
# A checkpoint that Orbax was writing, or that was being deleted.
_HALF_DONE = re.compile(r'\d+\.(orbax-checkpoint-tmp.*|deleted)')


class CheckpointError(RuntimeError):
  """A checkpoint that cannot be read; one line for the user."""


class SaveError(CheckpointError):
  """A checkpoint that cannot be written; one line for the user."""


class Checkpoints:
  """The checkpoints of one run, the newest of them kept.

  All processes save and restore together; the first alone seals, chooses what
  to restore, and removes.
  """

  def __init__(self, folder: Path, keep: int = 2):
    """Opens a folder of checkpoints, and of whatever else is in it.

    Args:
      folder: where to keep them; made at the first save.
      keep: how many; 0 keeps all.
    """
    _silence_orbax()
    self._folder = folder.absolute()
    self._keep = keep
    self._orbax = ocp.StandardCheckpointer()
    self._thread = concurrent.futures.ThreadPoolExecutor(1)
    self._pending: concurrent.futures.Future | None = None

  def sweep(self) -> None:
    """Removes what an earlier crash left half done, and nothing else."""
    for path in self._folder.glob('*') if processes.first() else ():
      if _HALF_DONE.fullmatch(path.name):
        shutil.rmtree(path, ignore_errors=True)

  def save(self, step: int, state: Any, rows: Any = None) -> None:
    """Starts writing a state; returns once it has been copied.

    Args:
      step: its number, which names it.
      state: a tree of arrays; may be donated or changed afterwards.
      rows: what `metrics.jsonl` holds by now, see `writers.Metrics.seal`.

    Raises:
      SaveError: if this save, or the one before it, failed.
    """
    self.wait()
    path = self._folder / f'{step:08d}'
    try:
      self._folder.mkdir(parents=True, exist_ok=True)
      self._orbax.save(path, state, force=True)
    except Exception as error:
      raise _failure(path, error) from error
    self._pending = self._thread.submit(self._commit, path, rows)

  def _commit(self, path: Path, rows: Any) -> None:
    self._orbax.wait_until_finished()
    if not processes.first():
      return
    files.write_text(path / _ROWS, json.dumps(rows or {}))
    seal(path)
    old = _steps(self._folder)[self._keep :] if self._keep else []
    for one in old:
      # Renamed first: a folder half deleted never carries a step's name.
      shutil.rmtree(one.rename(one.with_suffix('.deleted')))

  def wait(self) -> None:
    """Waits until the last save is on disk and sealed.

    Raises:
      SaveError: if it failed.
    """
    pending, self._pending = self._pending, None
    if pending:
      try:
        pending.result()
      except Exception as error:
        raise _failure(self._folder, error) from error

  def rows(self, step: int) -> dict[str, Any]:
    """What `metrics.jsonl` held when a state was saved; empty if unknown."""
    path = self._folder / f'{step:08d}' / _ROWS
    return files.read_object(path) if path.is_file() else {}

  def restore(self, target: Any) -> tuple[Any | None, list[str]]:
    """Reads the newest checkpoint that its seal confirms.

    Args:
      target: a tree of `jax.ShapeDtypeStruct` with shardings, or of arrays:
        what is expected and where it goes.

    Returns:
      The state, or None if there is none; and a line for each checkpoint that
      was passed over, with the reason.

    Raises:
      CheckpointError: if a sound checkpoint holds other arrays than expected.
    """
    name, skipped = processes.lead(self._newest)
    if not name:
      return None, skipped
    return processes.agree(lambda: self.read(int(name), target)), skipped

  def _newest(self) -> tuple[str, list[str]]:
    path, skipped = sound(self._folder)
    return path.name if path else '', skipped

  def steps(self) -> list[int]:
    """The steps of all checkpoints that their seals confirm, newest first."""
    return [int(x.name) for x in _steps(self._folder) if not damage(x)]

  def read(self, step: int, target: Any) -> Any:
    """Reads the checkpoint of a step; see `restore`."""
    path = self._folder / f'{step:08d}'
    try:
      return self._orbax.restore(path, target)
    except Exception as error:
      raise CheckpointError(
        f'{path} does not hold what this model needs '
        f'({_first_line(error)}); give another --workdir'
      ) from error


def sound(
  folder: Path, step: int | None = None
) -> tuple[Path | None, list[str]]:
  """The newest checkpoint that its seal confirms, or that of a step.

  Args:
    folder: of checkpoints.
    step: the step; any by default.

  Returns:
    Its path, or None if there is none; and a line for each that was passed
    over, with the reason.
  """
  skipped: list[str] = []
  for path in _steps(folder):
    if step not in (None, int(path.name)):
      continue
    reason = damage(path)
    if not reason:
      return path, skipped
    skipped.append(f'checkpoint {path.name} passed over: {reason}')
  return None, skipped


def _steps(folder: Path) -> list[Path]:
  """Folders of steps, newest first."""
  found = [path for path in folder.glob('*') if path.name.isdigit()]
  return sorted(found, key=lambda path: int(path.name), reverse=True)


def seal(folder: Path) -> None:
  """Writes down the size and SHA-256 of every file in a folder."""
  sums = {
    str(path.relative_to(folder)): [path.stat().st_size, files.sha256(path)]
    for path in sorted(folder.rglob('*'))
    if path.is_file() and path.name != SEAL
  }
  files.write_text(folder / SEAL, json.dumps(sums, indent=1))


def damage(folder: Path) -> str:
  """Why a sealed folder cannot be trusted; empty if it can."""
  try:
    sums = json.loads((folder / SEAL).read_text('utf-8'))
  except (OSError, ValueError, RecursionError):
    return 'it has no seal, so it was cut off while written'
  if not _is_seal(sums):
    return 'its seal is damaged'
  for name, (size, digest) in sums.items():
    path = folder / name
    if not path.is_file():
      return f'{name} is missing'
    if path.stat().st_size != size:
      return f'{name} has {path.stat().st_size} bytes, was {size}'
    if files.sha256(path) != digest:
      return f'{name} has changed since it was written'
  return ''


def _is_seal(sums: Any) -> bool:
  """Whether it gives each file of a checkpoint a size and a checksum."""
  return (
    isinstance(sums, dict)
    and len(sums) > 0
    and all(
      isinstance(pair, list) and [type(x) for x in pair] == [int, str]
      for pair in sums.values()
    )
  )


def read_params(
  path: Path, halves: Sequence[str], check: Callable[[Any], None]
) -> tuple[dict[str, Any], int]:
  """Reads parameters from a checkpoint, and nothing else that is in it.

  Args:
    path: an absolute path of a checkpoint, see `sound`.
    halves: the parameters that are asked for, by their first name.
    check: raises ValueError if they are of another model; is given their
      shapes and types before they are read.

  Returns:
    The parameters, numpy, whatever devices they were saved from; and the number
    of updates that made them.

  Raises:
    CheckpointError: if they cannot be read; one line.
  """
  _silence_orbax()
  try:
    with ocp.PyTreeCheckpointer() as reader:
      held: Any = reader.metadata(path)
      held = getattr(held, 'item_metadata', held)
      held = getattr(held, 'tree', held)
      params = {half: held['params'][half] for half in halves}
      check(params)
      asked = {'step': held['step'], 'params': params}
      numpy = ocp.RestoreArgs(restore_type=np.ndarray)
      found = reader.restore(
        path,
        args=ocp.args.PyTreeRestore(
          item=jax.tree.map(lambda _: 0, asked),
          restore_args=jax.tree.map(lambda _: numpy, asked),
          transforms={},  # what is not asked for is not read
        ),
      )
  except Exception as error:  # Orbax and TensorStore raise what they like
    raise CheckpointError(
      f'{path} cannot be read: {_first_line(error)}'
    ) from error
  return found['params'], int(found['step'])


def abstract(state: Any) -> Any:
  """Shapes, types and shardings of a state's arrays: a target to restore."""
  return jax.tree.map(
    lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding), state
  )


def _silence_orbax() -> None:
  """Its errors are raised again here, in one line."""
  logging.getLogger('absl').setLevel(logging.CRITICAL)


def _failure(path: Path, error: Exception) -> SaveError:
  return SaveError(f'cannot save to {path}: {_first_line(error)}')


def _first_line(error: Exception) -> str:
  return (str(error).strip() or repr(error)).splitlines()[0]
