"""A signal is answered at once, whatever the main thread is at."""

import signal
import subprocess
import sys

# A call of C that a signal does not end, as those of the device: only what the
# parent writes does.
WAITING = """
import ctypes, signal, sys
from structae.training import stop

with stop.Stop('stopping') as stopping:
  signal.siginterrupt(signal.SIGTERM, False)
  print('ready', flush=True)
  ctypes.CDLL(None).read(0, ctypes.create_string_buffer(1), 1)
  stopping.check('after the call')
"""


def test_it_is_answered_while_the_device_is_at_work():
  process = subprocess.Popen(
    [sys.executable, '-c', WAITING],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )
  assert process.stdout.readline() == 'ready\n'
  process.send_signal(signal.SIGTERM)
  assert process.stderr.readline() == 'stopping\n'  # else it waits for ever
  _, err = process.communicate('x')
  assert err.endswith('Interrupted: after the call\n')
