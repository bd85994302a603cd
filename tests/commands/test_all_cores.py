"""Which processes tell XLA to convolve on all cores."""

import importlib.metadata

import pytest

from structae.commands import all_cores, jobs

TOLD = f'{all_cores.OPTION}=-individual_convolution'


@pytest.mark.parametrize(
  ('jaxlib', 'cores', 'before', 'after'),
  [
    ('0.10.2', 2, '', TOLD),
    ('0.10.2', 2, '--xla_a=1', f'--xla_a=1 {TOLD}'),
    ('0.10.2', 2, f'{all_cores.OPTION}=', f'{all_cores.OPTION}='),
    ('0.10.2', 1, '', ''),
    ('0.12.0.1', 2, '', ''),
  ],
)
def test_the_environment_chooses_first(
  jaxlib, cores, before, after, monkeypatch
):
  monkeypatch.setattr(importlib.metadata, 'version', lambda _: jaxlib)
  monkeypatch.setattr(jobs, 'cores', lambda: list(range(cores)))
  monkeypatch.setenv('XLA_FLAGS', before)
  all_cores.use()
  all_cores.use()  # once is enough
  assert all_cores.os.environ['XLA_FLAGS'] == after
