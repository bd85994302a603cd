"""SIGTERM, SIGHUP and Ctrl-C ask a run to stop where nothing is lost."""

import signal
from types import FrameType

# A terminal that is closed sends SIGHUP; Windows has none.
SIGNALS = [
  getattr(signal, name)
  for name in ('SIGTERM', 'SIGINT', 'SIGHUP')
  if hasattr(signal, name)
]


class Interrupted(Exception):
  """The run was asked to stop and has saved its state."""


class Stop:
  """Notes the first signal; a second one ends the process at once.

  Attributes:
    requested: whether a signal has come.
  """

  def __init__(self) -> None:
    self.requested = False

  def __enter__(self) -> 'Stop':
    self._old = {
      number: signal.signal(number, self._note) for number in SIGNALS
    }
    return self

  def __exit__(self, *error: object) -> None:
    self._restore()

  def check(self, where: str) -> None:
    """Raises `Interrupted`, saying where, if a signal has come."""
    if self.requested:
      raise Interrupted(where)

  def _note(self, number: int, frame: FrameType | None) -> None:
    self.requested = True
    self._restore()

  def _restore(self) -> None:
    for number, handler in self._old.items():
      signal.signal(number, handler)
