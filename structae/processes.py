"""Several processes that train together, on one machine or on many.

Training is global: every process makes the same updates, over the devices of
all. Everything else, files and scores, is done by the first process alone.
What one process cannot do ends all of them, with one line of the first.

An action that is agreed on must use this process and its devices alone: inside
a collective, another one would wait for ever. In a single process all of this
does nothing.
"""

import contextlib
import functools
import json
import socket
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from structae import devices
from structae.training import stop

T = TypeVar('T')


class Told(Exception):
  """A failure of one process that all have been told of; one line.

  Attributes:
    code: the exit code of all.
  """

  def __init__(self, message: str, code: int):
    super().__init__(message)
    self.code = code


class Lost(RuntimeError):
  """Another process has ended or cannot be reached; one line."""


def several() -> bool:
  """Whether this is one of several processes."""
  return jax.process_count() > 1


def first() -> bool:
  """Whether this is the first process, or the only one."""
  return jax.process_index() == 0


def gather(text: str) -> list[str]:
  """The texts of all processes, in their order.

  Raises:
    Lost: if one of them has ended.
  """
  if not several():
    return [text]
  from jax.experimental.multihost_utils import process_allgather

  data = text.encode()
  with _reached():
    lengths = process_allgather(np.int32(len(data)))
    row = np.zeros(1 << int(lengths.max()).bit_length(), np.uint8)
    row[: len(data)] = np.frombuffer(data, np.uint8)
    rows = process_allgather(row)
  return [bytes(row[:n]).decode() for row, n in zip(rows, lengths)]


@contextlib.contextmanager
def _reached() -> Iterator[None]:
  """Turns what a collective raises into one line."""
  try:
    yield
  except (RuntimeError, ValueError) as error:
    raise Lost(lost(error)) from error


def is_loss(error: Exception) -> bool:
  """Whether an error shows that another process has ended."""
  text = str(error)
  return any(word in text for word in ('Gloo', 'NCCL', 'oordination service'))


def lost(error: Exception) -> str:
  """What to say of such an error; one line."""
  return (
    'another process of this run has ended or cannot be reached '
    f'({first_line(error):.120}); once that is mended, the same command goes '
    'on from the last checkpoint'
  )


def agree(action: Callable[[], T]) -> T:
  """Does something in every process; who fails ends all.

  Args:
    action: may raise; uses this process and its devices alone.

  Returns:
    What it returned here.

  Raises:
    Told: in all of several processes, if it raised in any; a single process
      sees what was raised.
  """
  if not several():
    return action()
  report, result = None, None
  try:
    result = action()
  except Exception as error:
    report = _report(error)
  _raise_of(gather(json.dumps(report)))
  return result  # type: ignore[return-value]


def lead(action: Callable[[], T]) -> T:
  """Does something in the first process alone, and tells all its answer.

  Args:
    action: as in `agree`; returns what JSON can hold.

  Returns:
    What it returned in the first.

  Raises:
    Told: as in `agree`.
  """
  if not several():
    return action()
  answer = agree(lambda: action() if first() else None)
  return json.loads(gather(json.dumps(answer))[0])


def _report(error: Exception) -> tuple[int, str]:
  """The exit code and the line of an error, as a single process has them."""
  if isinstance(error, stop.Interrupted):
    return 0, str(error)
  if isinstance(error, OSError) and error.filename and error.strerror:
    return 2, f'{error.filename!s:.200}: {error.strerror}'
  if not isinstance(error, ValueError | OSError | RuntimeError):
    traceback.print_exception(error)  # a defect
  return 2 if isinstance(error, ValueError | OSError) else 1, str(error)


def _raise_of(reports: list[str]) -> None:
  found = {i: json.loads(text) for i, text in enumerate(reports)}
  failed = {i: report for i, report in found.items() if report}
  if not failed:
    return
  i, (code, message) = next(iter(failed.items()))
  alike = len(failed) == len(reports) and len(set(reports)) == 1
  raise Told(message if alike or not i else f'process {i}: {message}', code)


def same(facts: Mapping[str, Any]) -> None:
  """Compares what must be alike in all processes.

  Args:
    facts: by name; what JSON can hold.

  Raises:
    Told: names the first process that differs, and all in which it does.
  """
  if several():
    line = difference([json.loads(x) for x in gather(json.dumps(facts))])
    if line:
      raise Told(line, 2)


def difference(facts: list[dict[str, Any]]) -> str:
  """What the first process that differs has otherwise than process 0; or ''."""
  for i, other in enumerate(facts):
    lines = [
      f'{name} {other.get(name)!r:.80}, not {facts[0][name]!r:.80}'
      for name in facts[0]
      if other.get(name) != facts[0][name]
    ]
    if lines:
      return (
        f'process {i} of {len(facts)} has {"; ".join(lines)} as process 0; '
        'start all with the same command, data and versions'
      )
  return ''


def check_shared(folder: Path) -> None:
  """Refuses a folder that not all processes see.

  Raises:
    Told: names the first process that does not see it.
  """
  if not several():
    return
  token = folder / f'.{uuid.uuid4().hex}'

  def leave() -> str:
    token.touch()
    return token.name

  name = lead(leave)
  try:
    agree(lambda: _find(folder / name))
  finally:
    token.unlink(missing_ok=True)  # of the first; the others left none


def _find(path: Path) -> None:
  end = time.monotonic() + 10  # network file systems may be late
  while not path.exists():
    if time.monotonic() > end:
      raise ValueError(
        f'{path.parent} on {socket.gethostname()} is not the folder of process '
        '0; give a --workdir that all see, on a file system that they share'
      )
    time.sleep(0.1)


def any_of(*wishes: bool) -> tuple[bool, ...]:
  """Which of some wishes any process has; every process must ask.

  Raises:
    Lost: if one of them has ended.
  """
  if not several():
    return wishes
  cut, most = _vote()
  num = jax.local_device_count()
  mine = np.tile(np.array(wishes, np.int32), (num, 1))
  with _reached():
    flags = jax.make_array_from_process_local_data(cut, mine)
    return tuple(map(bool, np.asarray(most(flags))))


@functools.cache
def _vote() -> tuple[NamedSharding, Callable[[jax.Array], jax.Array]]:
  mesh = devices.data_mesh()
  whole = NamedSharding(mesh, P())
  most = jax.jit(lambda flags: flags.max(0), out_shardings=whole)
  return NamedSharding(mesh, P('data')), most


def first_line(error: Exception) -> str:
  """The first line of what it says."""
  return (str(error).strip() or repr(error)).splitlines()[0]
