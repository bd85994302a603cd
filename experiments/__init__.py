"""Research code around structae, run as `python -m experiments.NAME`."""

import sys
from types import TracebackType


def _say(
  kind: type[BaseException],
  error: BaseException,
  trace: TracebackType | None,
) -> None:
  """Ctrl-C is one line even while a program imports what it needs."""
  if issubclass(kind, KeyboardInterrupt):
    print('stopped', file=sys.stderr)
  else:
    sys.__excepthook__(kind, error, trace)


sys.excepthook = _say
