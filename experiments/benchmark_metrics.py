"""Times the metrics, and DCI beside scikit-learn's trees.

python -m experiments.benchmark_metrics [--exact]

The case: 10,000 codes of 12 latents to fit and 5,000 to judge, a nonlinear
mixture of 6 factors (57 classes). `--exact` runs scikit-learn's trees too:
minutes.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from structae import evaluation
from structae.evaluation import scores
from structae.evaluation.codes import Codes

SIZES = (10, 10, 10, 8, 4, 15)
TIMES_MORE = 10


def mixture(num: int, sizes: Sequence[int] = SIZES, seed: int = 0) -> Codes:
  """Codes of 12 latents: two layers of random weights over the factors."""
  weights = np.random.default_rng(7)
  first = weights.normal(size=(len(sizes), 32))
  second = weights.normal(size=(32, 12)) / 6
  rng = np.random.default_rng(seed)
  factors = np.stack([rng.integers(0, k, num) for k in sizes], axis=1)
  x = factors / (np.array(sizes) - 1) * 2 - 1
  codes = np.tanh(x @ first) @ second + 0.1 * rng.normal(size=(num, 12))
  names = tuple(f'factor_{j}' for j in range(len(sizes)))
  codes = codes.astype(np.float32)[:, :, None]
  return Codes(codes, None, factors, names, tuple(sizes), np.arange(num), {})


def timed(function: Callable[..., Any], *args: Any, **settings: Any) -> Any:
  """The answer, CPU seconds and seconds of a call."""
  cpu, wall = time.process_time(), time.perf_counter()
  answer = function(*args, **settings)
  return answer, time.process_time() - cpu, time.perf_counter() - wall


def main(argv: Sequence[str] | None = None) -> int:
  """Prints the tables."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--exact', action='store_true')
  exact = parser.parse_args(argv).exact
  train, test = mixture(10_000), mixture(5_000, seed=1)
  _compare_trees(train, test, exact)
  scores.score_codes(mixture(60))  # imports, so that they are not timed
  for chance in (False, True):
    _, cpu, wall = timed(scores.score_codes, train, test, chance=chance)
    label = 'all metrics and shuffled codes' if chance else 'all metrics'
    print(f'{label}: {cpu:.1f} CPU s, {wall:.1f} s on the clock', flush=True)
  cases = [
    (train, test),
    (mixture(TIMES_MORE * 10_000), test),
    (
      mixture(10_000, SIZES * TIMES_MORE),
      mixture(5_000, SIZES * TIMES_MORE, 1),
    ),
  ]
  print(f'\n{"CPU s of":14} {"1x":>9} {"10x rows":>9} {"10x factors":>12}')
  for name in ('mig', 'modularity', 'irs', 'explicitness', 'dci'):
    cpu = []
    for a, b in cases:
      function = getattr(evaluation, name)
      split = scores.METRICS[name].takes == 'split'
      arrays = [x for c in (a, b)[: 1 + split] for x in _arrays(c)]
      cpu.append(timed(function, *arrays)[1])
    print(f'{name:14} {cpu[0]:9.3f} {cpu[1]:9.3f} {cpu[2]:12.3f}', flush=True)
  return 0


def _arrays(codes: Codes) -> tuple[np.ndarray, np.ndarray]:
  return codes.codes[:, :, 0], codes.factors


def _compare_trees(train: Codes, test: Codes, exact: bool) -> None:
  keys = ('disentanglement', 'completeness', 'informativeness_test')
  print(f'{"DCI by":12} {"D":>8} {"C":>8} {"I test":>8} {"CPU s":>8}')
  arrays = (*_arrays(train), *_arrays(test))
  spent = {}
  for backend in ('histogram', 'sklearn')[: 1 + exact]:
    answer, spent[backend], _ = timed(evaluation.dci, *arrays, backend=backend)
    values = ' '.join(f'{answer[key]:8.4f}' for key in keys)
    print(f'{backend:12} {values} {spent[backend]:8.2f}', flush=True)
  if exact:
    print(f'{spent["sklearn"] / spent["histogram"]:.1f} times faster')


if __name__ == '__main__':
  sys.exit(main())
