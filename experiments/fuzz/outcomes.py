"""What becomes of a case, and the count of it all."""

import collections
import contextlib
import faulthandler
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_MOST_SECONDS = 60  # of a case, on a busy machine


class Fault(NamedTuple):
  """A case that ended as none may.

  Attributes:
    kind: 'traceback', 'hang', 'silent difference' or 'bad message'.
    case: what was tried.
    detail: how it ended.
  """

  kind: str
  case: str
  detail: str


class Hang(BaseException):
  """Raised in a case that takes too long; no `except Exception` stops it."""


class Tally:
  """The cases so far."""

  def __init__(self) -> None:
    self.outcomes: collections.Counter[str] = collections.Counter()
    self.faults: list[Fault] = []

  def add(self, outcome: str | Fault) -> None:
    """Counts a case."""
    if isinstance(outcome, Fault):
      self.faults.append(outcome)
      outcome = outcome.kind
    self.outcomes[outcome] += 1

  def lines(self) -> list[str]:
    """Counts by outcome, then every fault."""
    counts = [f'{n:,} {name}' for name, n in self.outcomes.most_common()]
    total = f'{sum(self.outcomes.values()):,} cases: {", ".join(counts)}'
    return [total, *(f'{f.kind}: {f.case}: {f.detail}' for f in self.faults)]


@contextlib.contextmanager
def limit(seconds: float = _MOST_SECONDS) -> Iterator[None]:
  """Ends what takes longer by `Hang`, in the main thread."""

  def stop(*_: Any) -> None:
    raise Hang

  before = signal.signal(signal.SIGALRM, stop)
  signal.setitimer(signal.ITIMER_REAL, seconds)
  # A library that loops in C hears no signal: it ends the process.
  faulthandler.dump_traceback_later(2 * seconds, exit=True)
  try:
    yield
  finally:
    faulthandler.cancel_dump_traceback_later()
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def outcome_of(
  case: str, call: Callable[[], str | Fault], refusals: Any = ValueError
) -> str | Fault:
  """Runs a case.

  Args:
    case: what is tried, for the list of faults.
    call: tries it; returns what became of it.
    refusals: the exceptions by which bad input is refused.

  Returns:
    The outcome, 'refused', or a fault.
  """
  start = time.monotonic()
  try:
    with limit():
      return call()
  except refusals as error:
    if '\n' in str(error).strip() or not str(error):
      return Fault('bad message', case, repr(str(error))[:200])
    return 'refused'
  except Hang:
    return Fault('hang', case, f'{time.monotonic() - start:.0f} s')
  except Exception as error:
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f'{place.filename.rpartition("site-packages/")[2]}:{place.lineno}'
    return Fault('traceback', case, f'{error!r:.160} at {where}')
