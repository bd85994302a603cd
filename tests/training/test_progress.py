"""How far a run is, and how far its steps may run ahead of it."""

import types

import jax.numpy as jnp

from structae.training import progress


def test_at_most_two_steps_are_under_way(monkeypatch):
  """A CPU takes seconds a step: more would be deaf to signals for minutes."""
  waited = []
  monkeypatch.setattr(progress.jax, 'block_until_ready', waited.append)
  monkeypatch.setattr(progress.jax, 'device_count', lambda: 1)
  show = progress.Progress(batch_size=4)
  show.start(0, 100)
  for n in range(1, 9):
    show.update(n, types.SimpleNamespace(step=jnp.int32(n)))
    if n > 1:
      assert int(waited[-1]) == n - 1
