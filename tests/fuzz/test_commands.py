"""Command lines at random end in an exit code and one line, before jax."""

import os
import subprocess
import sys


def test_mutated_command_lines_end_in_one_line():
  # A process of its own: jax must not have been imported before.
  command = [sys.executable, '-m', 'experiments.fuzz', 'commands']
  done = subprocess.run(
    [*command, '--num=70', '--seed=1'],
    capture_output=True,
    text=True,
    env=os.environ | {'PYTHONIOENCODING': 'utf-8'},
    timeout=300,
  )
  assert done.returncode == 0, done.stdout + done.stderr
  counts = done.stdout.partition('\n')[0]
  assert counts.startswith('70 cases') and ' exit 2' in counts
  assert 'accepted' in counts
