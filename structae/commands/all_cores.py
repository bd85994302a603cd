"""Convolutions on all cores of a CPU.

XLA of jaxlib 0.10.2, the last for Python 3.11, hands convolutions to a library
(YNNPACK) that it runs on a single thread. Without it they go to another
(Eigen), which uses all, and is slower where there is only one.
"""

import importlib.metadata
import os

from structae.commands import jobs

OPTION = '--xla_cpu_experimental_ynn_fusion_type'


def use() -> None:
  """Tells XLA so; it listens until jax computes for the first time.

  A choice of the environment stays. No other jaxlib is told anything: one that
  does not know the option ends the process, and 0.12 needs none.
  """
  flags = os.environ.get('XLA_FLAGS', '')
  needed = importlib.metadata.version('jaxlib') == '0.10.2'
  if needed and len(jobs.cores()) > 1 and OPTION not in flags:
    chosen = f'{flags} {OPTION}=-individual_convolution'
    os.environ['XLA_FLAGS'] = chosen.strip()
