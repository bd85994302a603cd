"""Who ends without a word is noticed at once; who takes his leave is not."""

import subprocess
import sys
import threading

import pytest

from structae import watch

# Connects, and then does as it is told: waits, leaves, or is another's end.
PROGRAM = """
import sys, time
from structae import watch

assert 'jax' not in sys.modules
port, token, act = sys.argv[1:]
peers = watch.connect('127.0.0.1', int(port), token)
print(len(peers), flush=True)
watching = watch.Watch(peers, lambda: print('one is gone', flush=True))
if act == 'leave':
  watching.leave()
elif act == 'wait':
  time.sleep(60)
"""


@pytest.fixture
def start():
  """Starts a process that connects; gives it and the connection to it."""
  started = []

  def run(act, token=None):
    server, (port, right) = watch.listen()
    command = [sys.executable, '-c', PROGRAM, str(port), token or right, act]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    started.append(process)
    return process, watch.accept(server, right, 1)

  yield run
  for process in started:
    process.kill()
    process.communicate()


def test_the_end_of_the_first_ends_the_other_with_a_line(start):
  process, (peer,) = start('wait')
  peer.close()  # as the kernel does
  assert process.communicate(timeout=20)[0] == '1\none is gone\n'
  assert process.returncode == 1


def test_the_first_sees_who_left_without_a_word(start, monkeypatch):
  gone = threading.Event()
  monkeypatch.setattr(watch.os, '_exit', lambda code: gone.set())
  process, peers = start('leave')
  watch.Watch(peers, lambda: None)
  assert process.wait(20) == 0
  assert not gone.wait(0.3)
  process, peers = start('end')
  watch.Watch(peers, lambda: None)
  assert gone.wait(20)


def test_strangers_are_not_heard(start, monkeypatch):
  monkeypatch.setattr(watch, '_SECONDS', 2.0)
  process, peers = start('end', token='0' * 32)
  assert peers == [] and process.communicate(timeout=20)[0] == '0\n'
