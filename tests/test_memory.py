"""What the C library keeps of freed memory goes back."""

import ctypes
import sys
from pathlib import Path
from resource import getpagesize

import pytest

from structae import memory


def resident():
  """Bytes of this process in memory."""
  return int(Path('/proc/self/statm').read_text().split()[1]) * getpagesize()


@pytest.mark.skipif(
  sys.platform != 'linux' or not hasattr(ctypes.CDLL(None), 'malloc_trim'),
  reason='of glibc alone',
)
def test_what_was_freed_below_what_is_in_use_goes_back():
  libc = ctypes.CDLL(None)
  libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
  blocks = [libc.malloc(64_000) for _ in range(2000)]
  for block in blocks:
    ctypes.memset(block, 1, 64_000)
  for block in blocks[:-1]:
    libc.free(block)
  before = resident()
  memory.give_back()
  libc.free(blocks[-1])
  assert before - resident() > 80e6  # of 128
