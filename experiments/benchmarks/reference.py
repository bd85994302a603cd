"""Compares the metrics with the field's reference implementation.

python -m experiments.benchmarks.reference [--reference=DIR] [--large]

Prints, as Markdown, the largest differences over seven kinds of codes. DCI is
compared with scikit-learn's trees, which are installed. The others are compared
with the functions of disentanglement_lib 1.5: unpack its source archive from
PyPI and give the folder. It no longer installs, but its metrics are plain
numpy; gin, which only configures them, is replaced by a stand-in.
"""

import importlib
import sys
import types
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks import metrics as benchmark_metrics
from structae import evaluation
from structae.commands import parser as arguments
from structae.evaluation.metrics import inputs

SIZES = (5, 4, 6, 3, 8)
GRID = (6, 5, 4, 3, 4)

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Pairs = dict[str, tuple[float, float]]


def cases(num: int = 4500) -> dict[str, Arrays]:
  """Codes and factors of two thirds and one third of `num` rows, by name."""
  rng = np.random.default_rng(0)
  factors = np.stack([rng.integers(0, k, num) for k in SIZES], axis=1)
  x = (factors - factors.mean(0)) / factors.std(0)
  turn = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
  noisy = x + 0.1 * rng.normal(size=x.shape)
  pairs = np.stack(
    [x[:, 0] + x[:, 1], x[:, 0] - x[:, 1], x[:, 2] + x[:, 3],
     x[:, 2] - x[:, 3], x[:, 4], x[:, 4] ** 2], axis=1,
  )  # fmt: skip
  made = {
    'identity': x,
    'rotated': x @ turn + 0.1 * rng.normal(size=x.shape),
    'noise': rng.normal(size=(num, 6)),
    'redundant': np.concatenate([noisy, noisy, noisy[:, :2]], axis=1),
    'paired': pairs + 0.05 * rng.normal(size=pairs.shape),
    'dead': np.concatenate([noisy, np.full((num, 1), 0.1)], axis=1),
  }
  cut = 2 * num // 3
  arrays = {
    name: (z[:cut], factors[:cut], z[cut:], factors[cut:])
    for name, z in ((n, z.astype(np.float32)) for n, z in made.items())
  }
  return arrays | {'nonlinear': _mixture(cut)}


def _mixture(num: int) -> Arrays:
  train = benchmark_metrics.mixture(num)
  test = benchmark_metrics.mixture(num // 2, seed=1)
  return (
    train.codes[:, :, 0], train.factors, test.codes[:, :, 0], test.factors
  )  # fmt: skip


def load_reference(folder: Path) -> dict[str, Any]:
  """The reference's modules of metrics, by name.

  Args:
    folder: which holds the package `disentanglement_lib`.

  Raises:
    ValueError: if it does not.
  """
  gin: Any = types.ModuleType('gin')
  gin.REQUIRED, gin.tf = object(), gin
  gin.configurable = lambda *names, **_: (
    names[0] if callable(names[0]) else lambda function: function
  )
  six: Any = types.ModuleType('six')
  moves: Any = types.ModuleType('six.moves')
  moves.range, six.moves = range, moves
  for name, module in {'gin': gin, 'gin.tf': gin}.items():
    sys.modules[name] = module
  for name, module in {'six': six, 'six.moves': moves}.items():
    sys.modules.setdefault(name, module)
  sys.path.insert(0, str(folder))
  names = ('utils', 'mig', 'irs', 'modularity_explicitness', 'sap_score',
           'unsupervised_metrics', 'factor_vae', 'beta_vae')  # fmt: skip
  place = 'disentanglement_lib.evaluation.metrics'
  try:
    found = {k: importlib.import_module(f'{place}.{k}') for k in names}
  except ImportError as error:
    raise ValueError(
      f'{folder}: {error}; unpack the source archive of disentanglement_lib '
      '1.5 (PyPI) and give its folder'
    ) from error
  utils: Any = found['utils']
  utils.make_discretizer = lambda target, num_bins=20: (
    utils._histogram_discretize(target, num_bins)
  )
  return found


def from_codes(lib: dict[str, Any], data: Arrays) -> Pairs:
  """Our score and the reference's, by name, of one case."""
  z, f, z_test, f_test = data
  utils, unsupervised = lib['utils'], lib['unsupervised_metrics']
  bins = lambda rows: utils._histogram_discretize(rows.T, 20)
  alive = inputs.varying(z)
  live = z[:, alive]
  mean, std = live.mean(0), live.std(0)
  explicit = [
    lib['modularity_explicitness'].explicitness_per_factor(
      ((live - mean) / std).T, f[:, j],
      ((z_test[:, alive] - mean) / std).T, f_test[:, j],
    )
    for j in range(f.shape[1])
  ]  # fmt: skip
  sap = lambda continuous: lib['sap_score']._compute_sap(
    z.T, f.T, z_test.T, f_test.T, continuous
  )['SAP_score']
  covariance = np.cov(live.T.astype(float), ddof=0)
  shared = utils.discrete_mutual_info(bins(live), bins(live))
  ours = evaluation.explicitness(*data)
  gaussian = evaluation.gaussian_dependence(z)
  found = {
    'MIG': (
      evaluation.mig(z, f)['mig'],
      lib['mig']._compute_mig(z.T, f.T)['discrete_mig'],
    ),
    'modularity': (
      evaluation.modularity(z, f)['modularity'],
      lib['modularity_explicitness'].modularity(
        utils.discrete_mutual_info(bins(z), f.T)
      ),
    ),
    'explicitness (train)': (
      ours['explicitness_train'], np.mean([train for train, _ in explicit])
    ),
    'explicitness (test)': (
      ours['explicitness_test'], np.mean([test for _, test in explicit])
    ),
    'SAP (discrete)': (evaluation.sap(*data)['sap'], sap(False)),
    'SAP (continuous)': (
      evaluation.sap_continuous(z, f)['sap_continuous'], sap(True)
    ),
    'IRS': (
      evaluation.irs(z, f)['irs'],
      lib['irs'].scalable_disentanglement_score(
        bins(f).T, live, 0.99
      )['avg_score'],
    ),
    'Wasserstein correlation': (
      gaussian['wasserstein_correlation'],
      unsupervised.gaussian_wasserstein_correlation(covariance).real,
    ),
    'pairwise information': (
      evaluation.pairwise_information(live)['pairwise_information'],
      (shared.sum() - np.trace(shared)) / (len(shared) ** 2 - len(shared)),
    ),
  }  # fmt: skip
  if not gaussian['singular']:
    found['total correlation'] = (
      gaussian['total_correlation'],
      unsupervised.gaussian_total_correlation(covariance),
    )
  return found


class _Grid:
  """Codes of a full factor grid, as a data set of the reference."""

  num_factors = len(GRID)
  factors_num_values = GRID

  def __init__(self, codes: np.ndarray):
    self._codes = codes

  def sample_factors(self, num: int, rng: Any) -> np.ndarray:
    columns = [rng.randint(k, size=num) for k in GRID]
    return np.stack(columns, axis=1)

  def sample_observations_from_factors(
    self, factors: np.ndarray, rng: Any
  ) -> np.ndarray:
    return self._codes[np.ravel_multi_index(factors.T, GRID)]

  def sample_observations(self, num: int, rng: Any) -> np.ndarray:
    return self.sample_observations_from_factors(
      self.sample_factors(num, rng), rng
    )


def of_interventions(lib: dict[str, Any], num_seeds: int = 4) -> Pairs:
  """Mean over seeds of our and the reference's score, by metric and codes."""
  factors = np.moveaxis(np.indices(GRID), 0, -1).reshape(-1, len(GRID))
  x = (factors - factors.mean(0)) / factors.std(0)
  weights = np.random.default_rng(0).normal(size=(5, 5))
  mixed = np.tanh(x[:, 2:] @ weights[2:, :4])
  found = {}
  for name, z in {
    'identity': x,
    'entangled': np.tanh(x @ weights),
    'half entangled': np.concatenate([x[:, :2], mixed], axis=1),
  }.items():
    codes = z.astype(np.float32)
    grid, same = _Grid(codes), lambda rows: rows
    rows: dict[str, list[tuple[float, float]]] = {}
    for seed in range(num_seeds):
      rng = np.random.RandomState(seed)
      factor = lib['factor_vae'].compute_factor_vae(
        grid, same, rng, None, 64, 10000, 5000, 10000
      )
      beta = lib['beta_vae'].compute_beta_vae_sklearn(
        grid, same, rng, None, 64, 10000, 5000
      )
      mine = evaluation.factor_vae_score(codes, factors, seed=seed)
      rows.setdefault(f'FactorVAE score, {name}', []).append(
        (mine['factor_vae_test'], factor['eval_accuracy'])
      )
      mine = evaluation.beta_vae_score(codes, factors, seed=seed)
      rows.setdefault(f'BetaVAE score, {name}', []).append(
        (mine['beta_vae_test'], beta['eval_accuracy'])
      )
    for label, pairs in rows.items():
      ours, theirs = np.mean(pairs, axis=0)
      found[label] = (float(ours), float(theirs))
  return found


def of_trees(data: Arrays) -> list[float]:
  """The DCI of the fast trees less that of scikit-learn's."""
  fast = evaluation.dci(*data)
  exact = evaluation.dci(*data, backend='sklearn')
  keys = ('disentanglement', 'completeness', 'informativeness_train',
          'informativeness_test')  # fmt: skip
  return [fast[key] - exact[key] for key in keys]


def _print_trees(data: dict[str, Arrays]) -> None:
  print(
    "| DCI, ours less scikit-learn's | D | C | I (train) | I (test) |\n"
    '| --- | --- | --- | --- | --- |'
  )
  for name, arrays in data.items():
    row = ' | '.join(f'{value:+.4f}' for value in of_trees(arrays))
    print(f'| {name} | {row} |', flush=True)


def _print_reference(lib: dict[str, Any], data: dict[str, Arrays]) -> None:
  worst: dict[str, float] = {}
  for arrays in data.values():
    for name, (ours, theirs) in from_codes(lib, arrays).items():
      worst[name] = max(worst.get(name, 0.0), abs(ours - theirs))
  for name, (ours, theirs) in of_interventions(lib).items():
    worst[name] = abs(ours - theirs)
  print('\n| metric | largest difference |\n| --- | --- |')
  for name, value in worst.items():
    print(f'| {name} | {value:.1e} |')


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser = arguments.Parser('reference', __doc__)
  parser.add_argument('--reference', type=Path, help='disentanglement_lib 1.5')
  parser.add_argument(
    '--large', action='store_true', help='10,000 rows of 57 classes: minutes'
  )
  options = parser.parse_args(argv)
  return arguments.run(lambda: compare(options.reference, options.large))


def compare(reference: Path | None, large: bool) -> None:
  """Prints the tables."""
  warnings.simplefilter('ignore')
  lib = load_reference(reference) if reference else None
  data = cases()
  if large:
    data['large'] = _mixture(10_000)
  if lib:
    _print_reference(lib, data)
    print()
  _print_trees(data)


if __name__ == '__main__':
  sys.exit(main())
