"""All scores over saved codes, as one dictionary that JSON can hold."""

import json
import os
import platform
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import structae
from structae import evaluation
from structae.evaluation.codes import Codes


class Metric(NamedTuple):
  """How to compute and read a metric.

  Attributes:
    scores: the scores in its answer, each with a line that defines it.
    takes: 'pair' (codes, factors), 'split' (a held-out pair besides), or
      'codes'.
    by_variable: whether it wants `[N, K, D]` instead of `[N, K * D]`.
    chance: whether its value for shuffled codes is worth the time.
  """

  scores: dict[str, str]
  takes: str
  by_variable: bool = False
  chance: bool = True


METRICS: dict[str, Metric] = {
  'mig': Metric(
    {'mig': "gap in information between a factor's two best latents"},
    'pair',
  ),
  'modularity': Metric(
    {'modularity': 'does a latent inform on one factor alone; noise is high'},
    'pair',
  ),
  'dci': Metric(
    {
      'disentanglement': 'is a latent important to one factor alone',
      'completeness': 'is one latent alone important to a factor',
      'informativeness_train': 'accuracy of boosted trees, codes they know',
      'informativeness_test': 'accuracy of boosted trees, held out',
    },
    'split',
  ),
  'dci_es': Metric(
    {
      'ease_of_use': 'how soon do growing probes reach their lowest loss',
      'size': 'factors per latent',
    },
    'split',
    chance=False,
  ),
  'irs': Metric(
    {'irs': 'spread of a latent that fixing its factor removes, quantile .99'},
    'pair',
  ),
  'explicitness': Metric(
    {
      'explicitness_train': 'area under ROC of linear probes, codes they know',
      'explicitness_test': 'area under ROC of linear probes, held out',
    },
    'split',
  ),
  'sap': Metric(
    {'sap': "gap in SVM accuracy between a factor's two best latents"},
    'split',
  ),
  'sap_continuous': Metric(
    {'sap_continuous': 'gap in squared correlation between the two best'},
    'pair',
  ),
  'factor_vae_score': Metric(
    {
      'factor_vae_train': 'accuracy of the steadiest latent, voting batches',
      'factor_vae_test': 'accuracy of the steadiest latent, new batches',
    },
    'pair',
  ),
  'beta_vae_score': Metric(
    {
      'beta_vae_train': 'linear guess of the shared factor, fitted pairs',
      'beta_vae_test': 'linear guess of the shared factor, new pairs',
    },
    'pair',
  ),
  'infomec': Metric(
    {
      'infom': "largest share of a factor in a latent's information",
      'infoc': "largest share of a latent in a factor's information",
      'infoe': 'share of the uncertainty that a linear probe removes',
    },
    'pair',
  ),
  'mig_by_variable': Metric(
    {'mig_by_variable': 'the gap of mig between whole variables'},
    'pair',
    by_variable=True,
  ),
  'dci_by_variable': Metric(
    {
      'disentanglement_by_variable': 'disentanglement of whole variables',
      'completeness_by_variable': 'completeness of whole variables',
    },
    'split',
    by_variable=True,
    chance=False,
  ),
  'irs_by_variable': Metric(
    {'irs_by_variable': 'irs of whole variables'},
    'pair',
    by_variable=True,
  ),
  'gaussian_dependence': Metric(
    {
      'total_correlation': 'nats that Gaussian latents share; 0 independent',
      'wasserstein_correlation': 'squared distance to uncorrelated latents',
      'wasserstein_correlation_normalized': 'that over the total variance',
    },
    'codes',
    chance=False,
  ),
  'pairwise_information': Metric(
    {'pairwise_information': 'mean nats that two latents share'},
    'codes',
    chance=False,
  ),
  'distance_correlation': Metric(
    {'distance_correlation': 'mean dependence of two variables; 0 none'},
    'codes',
    by_variable=True,
    chance=False,
  ),
}


def score_codes(
  train: Codes,
  test: Codes | None = None,
  metrics: Sequence[str] | None = None,
  *,
  chance: bool = True,
  seed: int = 0,
) -> dict[str, Any]:
  """Scores codes by every metric that needs nothing else.

  Args:
    train: what is scored, and what probes are fitted to.
    test: what probes are judged on; by default a third of the rows of `train`,
      drawn at random and kept out of everything else.
    metrics: names out of `METRICS`; all by default. Those over whole variables
      are left out by default where a variable is a single number.
    chance: also score the same codes in shuffled order: what each metric says
      of codes that know nothing.
    seed: of draws.

  Returns:
    `scores`: by name, the `value`, its `definition`, `n` rows and `n_test` that
    were held out, if any, the `metric`, and the value of shuffled codes,
    `chance`. `matrices`: by name, `values` with the names of their `rows`
    (latents or variables) and `columns` (factors). `details`: what else the
    metrics answer, settings among it. `codes`: what was scored, and the
    constant factors that were left out. `versions`.

  Raises:
    ValueError: if a metric is unknown, the parts do not match, or the codes
      are unfit for a metric; its name is in the message.
  """
  if metrics is None:
    one = train.codes.shape[2] == 1
    metrics = [k for k in METRICS if not (one and k.endswith('by_variable'))]
  check_names(metrics)
  if test is None:
    train, test = _hold_out(train, seed)
  train, test, data = _prepared(train, test)
  order = np.random.default_rng(seed).permutation(len(train.codes))
  shuffled = train._replace(codes=train.codes[order])
  jobs = [(name, train) for name in metrics]
  jobs += [(k, shuffled) for k in metrics if chance and METRICS[k].chance]
  with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
    answers = list(pool.map(lambda job: _answer(job[0], job[1], test), jobs))
  result: dict[str, Any] = {'scores': {}, 'matrices': {}, 'details': {}}
  sizes = len(train.codes), len(test.codes)
  for name, answer in zip(metrics, answers):
    _add(result, name, answer, train, sizes)
  for (name, _), answer in zip(jobs[len(metrics) :], answers[len(metrics) :]):
    for key in METRICS[name].scores:
      result['scores'][key]['chance'] = answer[key]
  return {**result, 'codes': data, 'versions': versions()}


def check_names(metrics: Sequence[str]) -> None:
  """Raises ValueError unless all are names out of `METRICS`."""
  for name in metrics:
    if name not in METRICS:
      raise ValueError(
        f'unknown metric {name!r}, expected some of {", ".join(METRICS)}.'
      )


def save(path: str | os.PathLike, scores: dict[str, Any]) -> None:
  """Writes scores as JSON, whole or not at all.

  Args:
    path: the file; its folder is made where it is missing.
    scores: what to write; numbers that are not finite are refused.
  """
  path = Path(path)
  text = json.dumps(scores, indent=2, allow_nan=False)
  path.parent.mkdir(parents=True, exist_ok=True)
  temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
  try:
    temporary.write_text(text + '\n')
    os.replace(temporary, path)
  finally:
    temporary.unlink(missing_ok=True)


def table(scores: dict[str, Any]) -> str:
  """Scores as lines to read: name, value, value of shuffled codes, meaning."""
  lines = [f'{"score":34} {"value":>8} {"chance":>8}  definition']
  for name, entry in scores['scores'].items():
    beside = f'{entry["chance"]:.4f}' if 'chance' in entry else ''
    value = entry.get('value')
    shown = 'missing' if value is None else f'{value:.4f}'
    definition = entry.get('definition', '')
    lines.append(f'{name:34} {shown:>8} {beside:>8}  {definition}')
  return '\n'.join(lines)


def versions() -> dict[str, str]:
  """The versions that scores depend on."""
  packages = ('numpy', 'scipy', 'scikit-learn')
  return {
    'structae': structae.__version__,
    'python': platform.python_version(),
    **{name: metadata.version(name) for name in packages},
  }


def take(codes: Codes, rows: np.ndarray) -> Codes:
  """Some rows of codes."""
  return codes._replace(
    codes=codes.codes[rows],
    log_var=None if codes.log_var is None else codes.log_var[rows],
    factors=codes.factors[rows],
    indices=codes.indices[rows],
  )


def _hold_out(codes: Codes, seed: int) -> tuple[Codes, Codes]:
  num = len(codes.codes)
  if num < 3:
    raise ValueError(
      f'{num} rows of codes, expected 3 or more to hold some out.'
    )
  order = np.random.default_rng(seed).permutation(num)
  held_out, rest = order[: num // 3], order[num // 3 :]
  return take(codes, np.sort(rest)), take(codes, np.sort(held_out))


def _prepared(train: Codes, test: Codes) -> tuple[Codes, Codes, dict[str, Any]]:
  """Leaves constant factors out, and describes the data."""
  if train.codes.shape[1:] != test.codes.shape[1:]:
    raise ValueError(
      f'codes are [N, K, D] of shape {train.codes.shape}, test codes '
      f'{test.codes.shape}: K and D differ.'
    )
  if train.factor_names != test.factor_names:
    raise ValueError(
      f'factors are {", ".join(train.factor_names)}, those of the test codes '
      f'{", ".join(test.factor_names)}.'
    )
  varies = train.factors.min(0) < train.factors.max(0)
  if not varies.any():
    raise ValueError(f'all {len(varies)} factors are constant.')
  keep = np.flatnonzero(varies)
  data = {
    'factor_names': [train.factor_names[j] for j in keep],
    'factor_sizes': [train.factor_sizes[j] for j in keep],
    'dropped_factors': [train.factor_names[j] for j in np.flatnonzero(~varies)],
    'num_variables': train.codes.shape[1],
    'width': train.codes.shape[2],
    'meta': train.meta,
  }
  parts = [
    part._replace(
      factors=part.factors[:, keep], factor_names=tuple(data['factor_names'])
    )
    for part in (train, test)
  ]
  return parts[0], parts[1], data


def _answer(name: str, train: Codes, test: Codes) -> dict[str, Any]:
  metric = METRICS[name]
  function: Callable[..., dict[str, Any]] = getattr(evaluation, name)
  arguments = []
  for part in (train, test) if metric.takes == 'split' else (train,):
    codes = part.codes
    arguments.append(
      codes if metric.by_variable else codes.reshape(len(codes), -1)
    )
    arguments.append(part.factors)
  try:
    return function(*(arguments[:1] if metric.takes == 'codes' else arguments))
  except ValueError as error:
    raise ValueError(f'{name}: {error}') from error


def _add(
  result: dict[str, Any],
  name: str,
  answer: dict[str, Any],
  train: Codes,
  sizes: tuple[int, int],
) -> None:
  """Files a metric's answer under scores, matrices and details."""
  metric = METRICS[name]
  num_train, num_test = sizes
  held_out = {'n_test': num_test} if metric.takes == 'split' else {}
  details: dict[str, Any] = {}
  _, num_variables, width = train.codes.shape
  rows = [f'U_{k + 1}' for k in range(num_variables)]
  if width > 1 and not metric.by_variable:
    rows = [f'{row}.{d + 1}' for row in rows for d in range(width)]
  shape = (len(rows), len(train.factor_names))
  for key, value in answer.items():
    if key in metric.scores:
      result['scores'][key] = {
        'value': value,
        'definition': metric.scores[key],
        'n': num_train,
        **held_out,
        'metric': name,
      }
    elif isinstance(value, np.ndarray) and value.shape == shape:
      result['matrices'][key] = {
        'values': value.tolist(),
        'rows': rows,
        'columns': list(train.factor_names),
      }
    elif key not in result['scores']:
      details[key] = value.tolist() if isinstance(value, np.ndarray) else value
  result['details'][name] = details
