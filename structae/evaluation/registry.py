"""The metrics by name: what they score, and what they ask for.

Imports nothing, so that a name can be checked at once.
"""

from collections.abc import Iterable
from typing import NamedTuple


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


# Of a run: they need its decoder or its data besides the codes.
RUN_METRICS: dict[str, dict[str, str]] = {
  'variable_effect': {
    'used_variables': 'variables with 1 % or more of the variance of decoded '
    'images',
  },
  'order': {
    'order_correlation': 'do early variables tell of high-level factors; -1 '
    '... 1, 0 no order',
  },
}

# Those that cost no more than a second or two at 10,000 codes.
QUICK = (
  'mig',
  'modularity',
  'irs',
  'sap_continuous',
  'gaussian_dependence',
  'pairwise_information',
)

# Of images, by features of the Inception network.
IMAGE_METRICS: dict[str, dict[str, str]] = {
  'fid': {'fid': 'Frechet distance of Inception features; 0 alike'},
  'kid': {'kid': 'kernel distance of Inception features; about 0 alike'},
  'precision_recall': {
    'precision': 'share of images that lie where real ones do',
    'recall': 'share of real images that lie where these do',
  },
}

NAMES = (*METRICS, *IMAGE_METRICS, *RUN_METRICS, 'all')


def check_names(names: Iterable[str]) -> None:
  """Raises ValueError unless all are names of metrics, or 'all'."""
  for name in names:
    if name not in NAMES:
      raise ValueError(
        f'unknown metric {name!r}, expected some of {", ".join(NAMES)}.'
      )


class Selected(NamedTuple):
  """Names of metrics, each once, by what they need."""

  of_codes: list[str]
  of_images: list[str]
  of_run: list[str]


def select(names: Iterable[str], width: int) -> Selected:
  """Parts names into metrics of codes, of images and of a run.

  Args:
    names: what is asked for, each once or more often.
    width: numbers D of a variable. 'all' leaves out metrics by variable where
      a variable is a single number, as they say the same then.

  Returns:
    The names of each kind.

  Raises:
    ValueError: if a name is unknown.
  """
  names = list(names)
  check_names(names)
  every = [k for k in METRICS if width > 1 or not k.endswith('by_variable')]
  every += [*IMAGE_METRICS, *RUN_METRICS]
  wanted: list[str] = []
  for name in names:
    wanted += every if name == 'all' else [name]
  wanted = list(dict.fromkeys(wanted))
  return Selected(
    *(
      [name for name in wanted if name in kind]
      for kind in (METRICS, IMAGE_METRICS, RUN_METRICS)
    )
  )
