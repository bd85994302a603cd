"""Times the metrics, and DCI beside scikit-learn's trees.

python -m experiments.benchmarks.metrics [--exact] [--num=10000]

The case: 10,000 codes of 12 latents to fit and 5,000 held out, a nonlinear
mixture of 6 factors (57 classes). `--exact` runs scikit-learn's trees too:
minutes.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sklearn

from structae import evaluation
from structae.commands import parser as arguments
from structae.evaluation import score as scores
from structae.evaluation.codes import Codes
from structae.evaluation.registry import QUICK, of_metric

SIZES = (10, 10, 10, 8, 4, 15)


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
  """The result of a call, its CPU seconds of all threads and its seconds."""
  cpu, wall = time.process_time(), time.perf_counter()
  answer = function(*args, **settings)
  return answer, time.process_time() - cpu, time.perf_counter() - wall


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = arguments.Parser('python -m experiments.benchmarks.metrics', __doc__)
  parser.add_argument('--exact', action='store_true')
  parser.add_argument('--num', type=arguments.at_least(100), default=10_000,
                      help='codes to fit')  # fmt: skip
  options = parser.parse_args(argv)
  return arguments.run(lambda: measure(options.num, options.exact))


def measure(num: int, exact: bool) -> None:
  """Prints the tables."""
  train, test = mixture(num), mixture(num // 2, seed=1)
  print(f'{num:,} x 12 codes, {num // 2:,} held out, 6 factors, 57 classes')
  print(
    f'{os.cpu_count()} cores; scikit-learn {sklearn.__version__}', flush=True
  )
  scores.score_codes(mixture(60))  # imports, so that they are not timed
  _time_mig(train)
  _time_suite(train, test)
  _show_growth(num)
  _compare_trees(train, test, exact)


def _arrays(codes: Codes) -> tuple[np.ndarray, np.ndarray]:
  return codes.codes[:, :, 0], codes.factors


def _time_mig(train: Codes) -> None:
  times = [timed(evaluation.mig, *_arrays(train))[2] for _ in range(20)]
  print(f'MIG: {1e3 * min(times):.1f} ms', flush=True)


def _time_suite(train: Codes, test: Codes) -> None:
  cases: dict[str, dict[str, Any]] = {
    'the metrics of the quick scale': {'metrics': QUICK},
    'all metrics': {'chance': False},
    'all metrics, and of shuffled codes': {},
  }
  for label, settings in cases.items():
    _, cpu, wall = timed(scores.score_codes, train, test, **settings)
    print(f'{label}: {cpu:.1f} CPU s, {wall:.1f} s on the clock', flush=True)


def _show_growth(num: int) -> None:
  """CPU seconds as rows and factors grow."""
  cases = {
    '1x': (num, SIZES),
    '10x rows': (10 * num, SIZES),
    '2x factors': (num, SIZES * 2),
    '10x factors': (num, SIZES * 10),
  }
  data = {
    label: (mixture(n, sizes), mixture(num // 2, sizes, 1))
    for label, (n, sizes) in cases.items()
  }
  print(f'\n{"CPU s of":14}' + ''.join(f'{label:>12}' for label in cases))
  for name in ('mig', 'modularity', 'irs', 'explicitness', 'dci'):
    print(f'{name:14}', end='')
    for label, parts in data.items():
      # Trees over 570 classes would take as long as all the rest.
      if name in ('dci', 'explicitness') and label == '10x factors':
        continue
      split = 'held-out codes' in of_metric(name)[0].needs
      arrays = [x for part in parts[: 1 + split] for x in _arrays(part)]
      function = getattr(evaluation, name)
      print(f'{timed(function, *arrays)[1]:12.3f}', end='', flush=True)
    print()


def _compare_trees(train: Codes, test: Codes, exact: bool) -> None:
  keys = ('disentanglement', 'completeness', 'informativeness_test')
  print(
    f'\n{"DCI by":12} {"D":>8} {"C":>8} {"I test":>8} {"CPU s":>8} {"s":>8}'
  )
  arrays = (*_arrays(train), *_arrays(test))
  spent = {}
  for backend in ('histogram', 'sklearn')[: 1 + exact]:
    answer, spent[backend], wall = timed(
      evaluation.dci, *arrays, backend=backend
    )
    values = ' '.join(f'{answer[key]:8.4f}' for key in keys)
    print(
      f'{backend:12} {values} {spent[backend]:8.2f} {wall:8.2f}', flush=True
    )
  if exact:
    ratio = spent['sklearn'] / spent['histogram']
    print(f'{ratio:.1f} times less CPU time')


if __name__ == '__main__':
  sys.exit(main())
