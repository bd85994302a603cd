"""Notices at once that another process of a run has ended.

Each process but the first keeps a connection to the first. The kernel closes it
when a process ends, however that was, while jax's heartbeat takes its time and
ends in a dump. Who leaves in good order says so before.
"""

import contextlib
import os
import select
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence

_WELCOME, _BYE = b'+', b'.'
_SECONDS = 10.0  # for a connection: some firewalls answer nothing


class Watch:
  """Ends this process once another has ended that had not taken its leave."""

  def __init__(
    self,
    peers: Sequence[socket.socket],
    complain: Callable[[], object],
    patience: float = 0.0,
  ):
    """Starts to watch, in a thread.

    Args:
      peers: connections to other processes.
      complain: says that one is gone.
      patience: seconds until it is said, in which whoever started all of them
        may end this one, or this one may see and say it elsewhere.
    """
    self._peers, self._complain = peers, complain
    self._patience = patience
    self._left = False
    self._last_word = threading.Lock()
    threading.Thread(target=self._listen, daemon=True).start()

  def take_last_word(self) -> None:
    """Keeps the watch silent, or waits for the end if it is speaking.

    Called before this process says itself that another is gone.
    """
    self._last_word.acquire()

  def leave(self) -> None:
    """Says to the others that this process ends in good order, as they do."""
    self._left = True
    for peer in self._peers:
      with contextlib.suppress(OSError):
        peer.sendall(_BYE)

  def _listen(self) -> None:
    present = {*self._peers}
    while present:
      for peer in select.select(present, [], [])[0]:
        if not self._has_left(peer):
          time.sleep(self._patience)
          self._end()
        present.discard(peer)

  def _end(self) -> None:
    if not self._left:
      self.take_last_word()
      self._complain()
      os._exit(1)

  def _has_left(self, peer: socket.socket) -> bool:
    try:
      said = peer.recv(1)
    except OSError:  # such as a reset of the connection
      said = b''
    return said == _BYE or self._left


def listen() -> tuple[socket.socket, list]:
  """A socket of the first process, and what the others must know of it."""
  server = socket.create_server(('', 0), backlog=1024)
  return server, [server.getsockname()[1], uuid.uuid4().hex]


def accept(server: socket.socket, token: str, num: int) -> list[socket.socket]:
  """The connections of the others, as far as they come within ten seconds.

  Args:
    server: of `listen`; closed.
    token: what they begin with; others are strangers.
    num: how many there are.
  """
  found: list[socket.socket] = []
  end = time.monotonic() + _SECONDS
  with server:
    while len(found) < num and (left := end - time.monotonic()) > 0:
      server.settimeout(left)
      with contextlib.suppress(OSError):
        peer, _ = server.accept()
        peer.settimeout(1.0)
        if peer.recv(len(token)) == token.encode():
          peer.sendall(_WELCOME)
          peer.settimeout(None)
          found.append(peer)
  return found


def connect(host: str, port: int, token: str) -> list[socket.socket]:
  """A connection to the first process; none where no way leads there."""
  with contextlib.suppress(OSError):
    peer = socket.create_connection((host, port), _SECONDS)
    peer.sendall(token.encode())
    if peer.recv(1) == _WELCOME:
      peer.settimeout(None)
      return [peer]
  return []
