"""Times the FID: python -m experiments.benchmarks.fid [--batch_size=16]

Prints one row per measurement: wall seconds, CPU seconds of all threads. The
PyTorch row appears where torch is installed. Weights are random: speed does
not depend on them.
"""

import functools
import os
import sys
import time
from collections.abc import Callable, Sequence

import jax
import numpy as np

from structae.commands import parser as arguments
from structae.evaluation.images import features, frechet
from structae.evaluation.images import weights as weights_lib
from structae.evaluation.images.kid import kid
from structae.evaluation.images.precision_recall import precision_recall


def _time(function: Callable[[], object], repeats: int) -> tuple[float, float]:
  """The best wall and CPU seconds, after a call that compiles."""
  function()
  times = []
  for _ in range(repeats):
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    times.append((time.perf_counter() - wall, time.process_time() - cpu))
  return min(times)


def _torch_network(images: np.ndarray) -> Callable[[], object] | None:
  try:
    import torch

    from experiments.benchmarks import torch_inception
  except ImportError:
    return None
  network = torch_inception.Inception().eval()
  batch = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())

  def run() -> object:
    with torch.inference_mode():
      return network(batch)['features'].numpy()

  return run


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = arguments.Parser('python -m experiments.benchmarks.fid', __doc__)
  number = arguments.at_least(1)
  parser.add_argument('--batch_size', type=number, default=16)
  parser.add_argument('--repeats', type=number, default=3)
  options = parser.parse_args(argv)
  return arguments.run(lambda: measure(options.batch_size, options.repeats))


def measure(batch_size: int, repeats: int) -> None:
  """Prints the rows."""
  print(f'device: {jax.devices()[0].device_kind}, {os.cpu_count()} CPU cores')

  def row(name: str, function: Callable[[], object], images: int = 0) -> None:
    wall, cpu = _time(function, repeats)
    rate = f'{images / wall:10.1f} images/s' if images else ''
    print(f'{name:42} {wall:9.3f} s wall {cpu:9.3f} s CPU {rate}', flush=True)

  rng = np.random.default_rng(0)
  images = rng.integers(0, 256, (batch_size, 64, 64, 3), np.uint8)
  weights = weights_lib.at_random()
  row(
    f'Inception, batch of {batch_size}',
    lambda: features.inception_features(images, weights, batch_size=batch_size),
    batch_size,
  )
  torch_network = _torch_network(images)
  if torch_network is not None:
    row('  the same in PyTorch', torch_network, batch_size)

  for n in (256, 2048, 4096):
    a, b = rng.normal(size=(2, n, 2048))
    row(
      f'Frechet distance, n={n}, d=2048',
      functools.partial(frechet.frechet_distance, a, b),
    )
  a, b = a[:2000], b[:2000]
  row('KID, 10 subsets of 1000, d=2048', lambda: kid(a, b, num_subsets=10))
  row('precision and recall, n=2000, d=2048', lambda: precision_recall(a, b))


if __name__ == '__main__':
  sys.exit(main())
