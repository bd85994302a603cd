"""Memory that compiling has freed goes back to the system."""

import ctypes
import sys


def give_back() -> None:
  """Returns what the C library keeps of memory that was freed, where it can.

  What compiles a program allocates some hundred megabytes and frees them again;
  glibc keeps most for later, in pieces, and a process grows with each program.
  """
  if sys.platform == 'linux':
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)  # of glibc alone
    if trim is not None:
      trim(0)
