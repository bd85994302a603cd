"""A command as one of several processes."""

import os
import sys
import traceback
from collections.abc import Callable

from structae.commands import parser
from structae.commands.joining import Place
from structae.training import stop


def run(place: Place, main: Callable[[], object]) -> int:
  """Joins the other processes and runs a command.

  What all of them know to have failed is said by the first alone.

  Args:
    place: of this process among them.
    main: the command.

  Returns:
    The exit code where all end alike. Else the process ends here: as the
    interpreter ends, jax would wait for the others, which may be for ever.
  """
  # It takes seconds to import jax, in which a signal would be lost or crash.
  with stop.Stop() as stopping:
    from structae import cluster, processes
  if stopping.requested:
    raise KeyboardInterrupt

  def joined() -> None:
    try:
      cluster.join(*place)
      main()
    except processes.Told:
      raise
    except processes.Lost as error:
      cluster.take_last_word()
      raise parser.Failed(str(error)) from error
    except Exception as error:
      if processes.is_loss(error):
        cluster.take_last_word()
        raise parser.Failed(processes.lost(error)) from error
      raise

  try:
    code = parser.run(joined)
  except processes.Told as told:
    if processes.first():
      _say(str(told), told.code)
    cluster.leave()
    return told.code
  except Exception:
    traceback.print_exc()
    code = 1
  if code:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
  cluster.leave()
  return code


def _say(message: str, code: int) -> None:
  if code:
    parser.complain(message)
  else:
    print(message)
