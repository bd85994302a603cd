"""Every score, once: what it means, which way is better, what computes it.

Reports, comparisons, tables, studies and `docs/scores.md` read their words and
directions here. A new score is a row here and a function. Imports nothing
heavy, so that a name can be checked at once; functions are named by their path.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

GROUPS = (
  'is a factor in one number',
  'can it be read',
  'do numbers depend',
  'does it hold up',
  'pictures',
)
_ONE, _READ, _DEPEND, _HOLDS, _PICTURES = GROUPS

# What a score may need, and the reason given where that is not there.
NEEDS = {
  'codes': 'needs codes.',
  'factors': 'no factor varies.',
  'held-out codes': 'needs a held-out part.',
  'decoder': 'needs a decoder.',
  'reconstructions': 'needs reconstructions of test examples.',
  'data set': 'needs the data set.',
  'scenes': 'needs the scenes of shapes3d_synth.',
  'images': 'needs images.',
  'posterior': 'needs an encoder that gives a Gaussian.',
  'sampled reconstructions': 'needs reconstructions of sampled codes.',
  'several models': 'compares models: call evaluation.udr.',
}
_CODES = ('codes',)
_FACTORS = ('codes', 'factors')
_HELD_OUT = ('codes', 'factors', 'held-out codes')

# Sets of images that are scored, as `of` names them.
SETS = {
  '': 'the others',
  'rec': 'reconstructions of test images',
  'reconstruction': 'reconstructions of test images',
  'hybrid': 'hybrid samples of whole variables',
  'hybrid_by_dimension': 'hybrid samples of single numbers',
  'prior': 'samples of the prior',
}

SHUFFLED = 'shuffled codes'
INDEPENDENT = 'codes whose every number is shuffled by itself'
# What `of` names beside posterior means, where an encoder gives a Gaussian.
SAMPLED = 'sampled'
_OF_THE_DATA = 'what an uninformed model reaches depends on the data'
_ALIKE = 'there is no uninformed set of images'


class Score(NamedTuple):
  """A row of the registry.

  Attributes:
    name: of the score; where it is a family, one for each factor, set of
      images or variable, names in a file are `NAME_OF`.
    group: one of `GROUPS`.
    definition: one sentence; `{of}` stands for the member of a family.
    range: the lowest and the highest value, None where there is none.
    better: which way is better, or None.
    chance: the value of codes that know nothing, or that do not depend on each
      other: a number; `SHUFFLED`, `INDEPENDENT` or other words, where it is
      computed beside the score; or None.
    family: what it has a member for, 'factor', 'set' or 'variable'; '' for a
      single score.
    why: the reasons why there is no `better` or no `chance`.
    metric: by which it is asked for; several scores may come of one.
    needs: keys of `NEEDS`.
    function: its path. It takes arrays where a score needs codes alone, as
      `metrics.mig.mig` does, else the `Inputs` of `score.score`.
    by_variable: whether it takes codes `[N, K, D]` instead of `[N, K * D]`.
  """

  name: str
  group: str
  definition: str
  range: tuple[float | None, float | None]
  better: Literal['higher', 'lower'] | None
  chance: float | str | None = SHUFFLED
  family: str = ''
  why: str = ''
  metric: str = ''
  needs: tuple[str, ...] = ()
  function: str = ''
  by_variable: bool = False

  def define(self, of: str = '') -> str:
    """The definition of a member of a family, or of the score itself."""
    if of == SAMPLED and not self.family:
      return f'{self.definition} Of codes drawn from the posterior.'
    return self.definition.format(
      of=SETS.get(of, of) if self.family == 'set' else of
    )


def _by(
  metric: str,
  function: str,
  needs: tuple[str, ...],
  *scores: Score,
  by_variable: bool = False,
) -> dict[str, Score]:
  """The scores that one function computes."""
  return {
    score.name: score._replace(
      metric=metric,
      needs=needs,
      function=f'structae.evaluation.{function}',
      by_variable=by_variable,
    )
    for score in scores
  }


_UNIT = (0, 1)
_POSITIVE = (0, None)

# fmt: off
_OF_CODES = {
  **_by('mig', 'metrics.mig:mig', _FACTORS,
    Score('mig', _ONE, 'MIG: how much more does the best number know about a '
      "factor than the next best, as a share of the factor's entropy?",
      _UNIT, 'higher')),
  **_by('modularity', 'metrics.modularity:modularity', _FACTORS,
    Score('modularity', _ONE, 'Modularity: is each number informative about '
      'one factor only? Noise scores about .7.', _UNIT, 'higher')),
  **_by('dci', 'metrics.dci:dci', _HELD_OUT,
    Score('disentanglement', _ONE, 'DCI disentanglement: is each number '
      'important for predicting one factor only?', _UNIT, 'higher'),
    Score('completeness', _ONE, 'DCI completeness: is each factor predicted '
      'from one number only?', _UNIT, 'higher'),
    Score('informativeness_train', _READ, 'DCI informativeness: how often do '
      'boosted trees predict a factor right, on codes they were fitted to?',
      _UNIT, 'higher'),
    Score('informativeness_test', _READ, 'DCI informativeness: how often do '
      'boosted trees predict a factor right, on held-out codes?',
      _UNIT, 'higher')),
  **_by('dci_es', 'metrics.dci_es:dci_es', _HELD_OUT,
    Score('ease_of_use', _READ, 'DCI-ES ease of use: how small a predictor '
      'does as well as the largest? 0 where none does better than a guess.',
      (None, 1), 'higher'),
    Score('size', _ONE, 'DCI-ES size: how many factors are there for each '
      'number of a code?', _POSITIVE, None, None,
      why='it is chosen with the model, and the same for all codes')),
  **_by('irs', 'metrics.irs:irs', _FACTORS,
    Score('irs', _HOLDS, 'IRS: how little do other factors move a number while '
      'its own is held, at the .99 quantile? Noise scores about .3.',
      (None, 1), 'higher')),
  **_by('explicitness', 'metrics.explicitness:explicitness', _HELD_OUT,
    Score('explicitness_train', _READ, 'Explicitness: how well does a linear '
      'classifier tell values of a factor apart (area under the ROC curve), on '
      'codes it was fitted to?', _UNIT, 'higher'),
    Score('explicitness_test', _READ, 'Explicitness: how well does a linear '
      'classifier tell values of a factor apart (area under the ROC curve), on '
      'held-out codes?', _UNIT, 'higher')),
  **_by('sap', 'metrics.sap:sap', _HELD_OUT,
    Score('sap', _ONE, 'SAP: how much better is a factor predicted from the '
      'best number than from the next best, in accuracy of a linear SVM? '
      'Perfect codes score about .4.', _UNIT, 'higher')),
  **_by('sap_continuous', 'metrics.sap:sap_continuous', _FACTORS,
    Score('sap_continuous', _ONE, 'Continuous SAP: how much more does a '
      'factor correlate with the best number than with the next best, in '
      'squared correlation?', _UNIT, 'higher')),
  **_by('factor_vae_score', 'metrics.factor_vae_score:factor_vae_score',
    _FACTORS,
    Score('factor_vae_train', _ONE, 'FactorVAE score: does the number that '
      'varies least name the factor that is held, in batches that voted for '
      'the names?', _UNIT, 'higher'),
    Score('factor_vae_test', _ONE, 'FactorVAE score: does the number that '
      'varies least name the factor that is held, in new batches?',
      _UNIT, 'higher')),
  **_by('beta_vae_score', 'metrics.beta_vae_score:beta_vae_score', _FACTORS,
    Score('beta_vae_train', _ONE, 'BetaVAE score: does a linear classifier '
      'guess the factor that pairs of codes share, for pairs it was fitted to?',
      _UNIT, 'higher'),
    Score('beta_vae_test', _ONE, 'BetaVAE score: does a linear classifier '
      'guess the factor that pairs of codes share, for new pairs?',
      _UNIT, 'higher')),
  **_by('infomec', 'metrics.infomec:infomec', _FACTORS,
    Score('infom', _ONE, 'InfoM: how much of what a number knows is about one '
      'factor, above an even share? Noise scores about .65: read it beside '
      'InfoE.', _UNIT, 'higher'),
    Score('infoc', _ONE, 'InfoC: how much of what is known about a factor is '
      'in one number, above an even share? Noise scores about .5: read it '
      'beside InfoE.', _UNIT, 'higher'),
    Score('infoe', _READ, "InfoE: what share of a factor's uncertainty does a "
      'linear classifier remove?', _UNIT, 'higher')),
  **_by('mig_periodic', 'metrics.periodic:mig_periodic', _FACTORS,
    Score('mig_periodic', _ONE, 'MIG on circles: as MIG, where two numbers '
      'that hold a periodic factor as an angle count as one.', _UNIT,
      'higher')),
  **_by('dci_periodic', 'metrics.periodic:dci_periodic', _HELD_OUT,
    Score('completeness_periodic', _ONE, 'DCI completeness on circles: as '
      'completeness, where two numbers that hold a periodic factor as an angle '
      'count as one.', _UNIT, 'higher')),
  **_by('mig_by_variable', 'metrics.by_variable:mig_by_variable', _FACTORS,
    Score('mig_by_variable', _ONE, 'MIG of variables: how much more does the '
      "best variable know about a factor than the next best, as a share of the "
      "factor's entropy?", _UNIT, 'higher'), by_variable=True),
  **_by('dci_by_variable', 'metrics.by_variable:dci_by_variable', _HELD_OUT,
    Score('disentanglement_by_variable', _ONE, 'DCI disentanglement of '
      'variables: is each variable important for predicting one factor only?',
      _UNIT, 'higher'),
    Score('completeness_by_variable', _ONE, 'DCI completeness of variables: is '
      'each factor predicted from one variable only?',
      _UNIT, 'higher'), by_variable=True),
  **_by('irs_by_variable', 'metrics.by_variable:irs_by_variable', _FACTORS,
    Score('irs_by_variable', _HOLDS, 'IRS of variables: how little do other '
      'factors move a variable while its own is held, at the .99 quantile?',
      (None, 1), 'higher'), by_variable=True),
  **_by('gaussian_dependence', 'metrics.dependence:gaussian_dependence', _CODES,
    Score('total_correlation', _DEPEND, 'Total correlation: how many nats do '
      'numbers share, taken as Gaussian? 0 means uncorrelated, which is less '
      'than independent.', _POSITIVE, 'lower', INDEPENDENT),
    Score('wasserstein_correlation', _DEPEND, 'Wasserstein correlation: how '
      'far are codes, taken as Gaussian, from uncorrelated ones, in their '
      'units squared? 0 means uncorrelated.', _POSITIVE, 'lower',
      INDEPENDENT),
    Score('wasserstein_correlation_normalized', _DEPEND, 'Normalized '
      'Wasserstein correlation: how far are codes, taken as Gaussian, from '
      'uncorrelated ones, as a share of their variance? 0 means uncorrelated.',
      _POSITIVE, 'lower', INDEPENDENT)),
  **_by('pairwise_information', 'metrics.dependence:pairwise_information',
        _CODES,
    Score('pairwise_information', _DEPEND, 'Pairwise information: how many '
      'nats do two numbers share, on average? Independent ones score up to '
      '361 / 2N; what three share is not seen.',
      _POSITIVE, 'lower', INDEPENDENT)),
  **_by('distance_correlation', 'metrics.dependence:distance_correlation',
        _CODES,
    Score('distance_correlation', _DEPEND, 'Distance correlation: how '
      'dependent are two variables, in whatever form? Independent ones score '
      'about 0; what three share is not seen.', (None, 1), 'lower',
      INDEPENDENT), by_variable=True),
}
_OF_RUNS = {
  **_by('posterior', 'posterior_scores:posterior',
        ('held-out codes', 'posterior'),
    Score('kl', _HOLDS, 'KL: how many nats does the posterior of {of} take '
      'beyond the standard normal prior? 0 where it collapsed.', _POSITIVE,
      None, 0, 'variable', why='what is told costs nats'),
    Score('kl_total', _HOLDS, 'KL of codes: how many nats does the posterior '
      'take beyond the standard normal prior?', _POSITIVE, None, 0,
      why='what is told costs nats'),
    Score('active_units', _HOLDS, 'Active units: how many numbers of a code '
      'have posterior means of a variance above .01?', _POSITIVE, None, None,
      why='how many numbers a model should use depends on the data')),
  **_by('elbo', 'posterior_scores:elbo',
        ('held-out codes', 'posterior', 'sampled reconstructions'),
    Score('elbo', _PICTURES, 'ELBO: evidence lower bound of test examples, in '
      'nats per example, with one code drawn from the posterior of each.',
      (None, None), 'higher', None, why=_OF_THE_DATA)),
  **_by('variable_effect', 'model_scores:variable_effect', ('codes', 'decoder'),
    Score('used_variables', _HOLDS, 'Used variables: how many variables make '
      '1 % or more of the variance of decoded images?', _POSITIVE, None, None,
      why='how many variables a model should use depends on the data')),
  **_by('order', 'model_scores:order_correlation',
        ('codes', 'factors', 'decoder', 'data set'),
    Score('order_correlation', _HOLDS, 'Order: do variables that the decoder '
      'reads early know about high-level factors, late ones about low-level '
      'ones?', (-1, 1), 'higher', 0)),
  **_by('scene_break', 'hybrid_break:scene_break',
        ('held-out codes', 'decoder', 'scenes'),
    Score('scene_break', _HOLDS, 'Scene break: how much does {of}, exchanged '
      "alone with another example's, add to the mean squared error from "
      'reconstructions to the nearest of all 480,000 images?', (-1, 1), 'lower',
      0, 'variable')),
  **_by('fid_break', 'hybrid_break:fid_break',
        ('held-out codes', 'decoder', 'images'),
    Score('fid_break', _HOLDS, 'FID break: how much does {of}, exchanged alone '
      "with another example's, add to the FID of reconstructions?",
      (None, None), 'lower', 0, 'variable')),
}
_OF_IMAGES = {
  **_by('fid', 'images.compare:score_sets', ('images',),
    Score('fid', _PICTURES, 'FID: how far are Inception features of {of} from '
      'those of real images, taken as Gaussian?', _POSITIVE, 'lower', None,
      'set', _ALIKE)),
  **_by('kid', 'images.compare:score_sets', ('images',),
    Score('kid', _PICTURES, 'KID: how far are Inception features of {of} from '
      'those of real images, by a kernel? Sets alike score about 0.',
      (None, None), 'lower', None, 'set', _ALIKE)),
  **_by('precision_recall', 'images.compare:score_sets', ('images',),
    Score('precision', _PICTURES, 'Precision: what share of {of} lies where '
      'real images do?', _UNIT, 'higher', None, 'set', _ALIKE),
    Score('recall', _PICTURES, 'Recall: what share of real images lies where '
      '{of} do?', _UNIT, 'higher', None, 'set', _ALIKE)),
}
# Every run is scored by these when it ends, whatever is asked for.
_OF_EVERY_RUN = {
  **_by('reconstruction', 'model_scores:reconstruction',
        ('held-out codes', 'reconstructions'),
    Score('test_bce', _PICTURES, 'Test BCE: cross entropy of test images given '
      'their reconstructions, in nats per image, summed over pixels and '
      'channels.', _POSITIVE, 'lower', None, why=_OF_THE_DATA),
    Score('test_bce_above_floor', _PICTURES, 'Test BCE above its floor: cross '
      'entropy of test images beyond their own entropy, which no '
      'reconstruction can beat, in nats per image.', _POSITIVE, 'lower', None,
      why=_OF_THE_DATA),
    Score('test_loss', _PICTURES, 'Test loss: negative log likelihood of test '
      'examples under a normal distribution about their reconstructions, in '
      'nats per example.', (None, None), 'lower', None, why=_OF_THE_DATA),
    Score('test_mse', _PICTURES, 'Test MSE: mean squared error of '
      'reconstructions of test examples, pixels in 0 to 1.', _POSITIVE, 'lower',
      None, why=_OF_THE_DATA),
    Score('explained_variance', _PICTURES, 'Explained variance: what share of '
      'the variance of test examples about their mean do reconstructions '
      'explain?', (None, 1), 'higher', 0)),
  **_by('probe', 'model_scores:probe', _HELD_OUT,
    Score('probe', _READ, 'Probe: how often does a random forest read {of} '
      'right from held-out codes?', _UNIT, 'higher', 'the commonest value',
      'factor')),
  **_by('scene_distance', 'model_scores:scene_distance', ('decoder', 'scenes'),
    Score('scene_distance', _PICTURES, 'Scene distance: mean squared error '
      'from {of} to the nearest of all 480,000 images of the data set, pixels '
      'in 0 to 1.', _UNIT, 'lower', None, 'set', _ALIKE),
    Score('scene_diversity', _PICTURES, 'Scene diversity: what share of the '
      'entropy of the factors do the images nearest to {of} show? 0 where all '
      'are one scene, which blur may bring near.', _UNIT, 'higher', 0, 'set'),
    Score('seen', _PICTURES, 'Seen: how often does the image nearest to a '
      'reconstruction of a test image have its {of}?', _UNIT, 'higher', None,
      'factor', 'one over the number of values, if all are as frequent')),
}
_OF_MODELS = _by('udr', 'metrics.udr:udr', ('several models',),
  Score('udr', _HOLDS, 'UDR: do models trained from other seeds find the same '
    'numbers?', _UNIT, 'higher', None, why='it needs other models'))
# fmt: on


def _metrics(scores: Mapping[str, Score]) -> tuple[str, ...]:
  return tuple(dict.fromkeys(score.metric for score in scores.values()))


SCORES: dict[str, Score] = {
  **_OF_CODES,
  **_OF_RUNS,
  **_OF_IMAGES,
  **_OF_EVERY_RUN,
  **_OF_MODELS,
}
METRICS = _metrics(_OF_CODES)
RUN_METRICS = _metrics(_OF_RUNS)  # need a decoder or data besides the codes
IMAGE_METRICS = _metrics(_OF_IMAGES)
RUN_ALWAYS = _metrics(_OF_EVERY_RUN)
# Those that cost no more than a second or two at 10,000 codes.
QUICK = (
  'mig',
  'modularity',
  'irs',
  'sap_continuous',
  'gaussian_dependence',
  'pairwise_information',
)
NAMES = (*METRICS, *IMAGE_METRICS, *RUN_METRICS, 'all')


def of_metric(metric: str) -> list[Score]:
  """The scores that a metric consists of."""
  return [score for score in SCORES.values() if score.metric == metric]


def is_of_samples(metric: str) -> bool:
  """Whether a metric is taken of samples of the posterior too."""
  return any(row.group == _DEPEND for row in of_metric(metric))


def check_names(names: Iterable[str]) -> None:
  """Raises ValueError unless all are names of metrics, or 'all'."""
  for name in names:
    if name not in NAMES:
      scores = {row.name: row.metric for row in SCORES.values()}
      close = difflib.get_close_matches(name, [*NAMES, *scores], 1)
      found = scores.get(close[0], close[0]) if close else ''
      hint = f'; did you mean {found}?' if close else '.'
      raise ValueError(
        f'unknown metric {name!r:.60}, expected some of {", ".join(NAMES)}'
        f'{hint}'
      )


def expand(names: Iterable[str], width: int) -> list[str]:
  """Names of metrics, each once, with all of them in place of 'all'.

  Args:
    names: what is asked for, each once or more often.
    width: numbers D of a variable. 'all' leaves out metrics by variable where
      a variable is a single number, as they give the same then.

  Raises:
    ValueError: if a name is unknown.
  """
  names = list(names)
  check_names(names)
  every = [k for k in NAMES[:-1] if width > 1 or not k.endswith('by_variable')]
  wanted: list[str] = []
  for name in names:
    wanted += every if name == 'all' else [name]
  return list(dict.fromkeys(wanted))
