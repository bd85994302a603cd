"""How far a run is, and how far its steps may run ahead of it."""

import io
import sys
import types

import jax.numpy as jnp
import pytest

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


class Clock:
  """A clock that is set by hand."""

  now = 100.0

  def monotonic(self):
    return self.now


def steps(show, clock, first, last, seconds):
  for n in range(first, last + 1):
    clock.now += seconds
    show.update(n, types.SimpleNamespace(step=jnp.int32(n)))


def test_the_time_of_a_long_run_is_told_within_ten_updates(monkeypatch, capsys):
  clock = Clock()
  monkeypatch.setattr(progress, 'time', clock)
  for seconds, told in ((0.2, '5.6 h'), (20.0, '23.1 days')):
    show = progress.Progress(4, 'structae train sae12:folder,quick')
    show.start(0, 100_000)
    steps(show, clock, 1, 1, 60.0)  # which compiles, and is not counted
    steps(show, clock, 2, 10, seconds)
    out = capsys.readouterr().out
    assert f'about {told} to go on this device. structae train' in out
    assert out.count('sae12:folder,quick\n') == 1


def test_what_compiles_is_no_part_of_the_rate(monkeypatch, capsys):
  clock = Clock()
  monkeypatch.setattr(progress, 'time', clock)
  show = progress.Progress(4, line_seconds=0)
  show.start(0, 31)
  steps(show, clock, 1, 1, 60.0)
  steps(show, clock, 2, 11, 2.0)
  clock.now += 30
  show.leave_out(30)
  capsys.readouterr()
  steps(show, clock, 12, 21, 2.0)
  *_, last = capsys.readouterr().out.splitlines()
  assert last == 'step 21/31  2 images/s  20 s left'


class Terminal(io.StringIO):
  """A stream that says it is a terminal."""

  def isatty(self):
    return True


@pytest.mark.parametrize('width', [60, 80, 200])
def test_nothing_is_wider_than_the_terminal(monkeypatch, width):
  clock = Clock()
  monkeypatch.setattr(progress, 'time', clock)
  monkeypatch.setenv('COLUMNS', str(width))
  monkeypatch.setenv('LINES', '24')
  monkeypatch.setattr(sys, 'stdout', Terminal())
  monkeypatch.setattr(sys, 'stderr', Terminal())
  show = progress.Progress(16)
  path = 'runs/sae12-shapes3d_synth-quick-1a2b3c4d/parameters.txt'
  show.log(f'model: 327,279 parameters, listed in {path}')
  show.start(0, 5500)
  steps(show, clock, 1, 1, 60.0)
  steps(show, clock, 2, 11, 2.0)
  show.row({'loss': 1116.12, 'validation_loss': 1112.5})
  steps(show, clock, 12, 21, 2.0)
  show.close()
  bars = sys.stderr.getvalue().replace('\n', '').split('\r')
  assert [bar for bar in bars if len(bar) > width] == []
  lines = sys.stdout.getvalue().splitlines()
  assert all(len(line) <= width for line in lines) and path in ' '.join(lines)
  assert '3.0 h left  loss 1116.1' in bars[-1] and '?' not in ''.join(bars)
  assert ('validation 1112.5' in bars[-1]) == (width >= 80)
