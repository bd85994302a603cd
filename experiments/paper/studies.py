"""The studies: which runs each needs, and which figures it draws of them.

Plain data. A study has parts; a part trains models with changes of fields, and
serves figures. Numbers of figures are those of Leeb et al.,
https://arxiv.org/abs/2006.07796.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Search:
  """One field of a model, tried at several values, of which one is chosen.

  Attributes:
    field: the dotted name of the field.
    values: what is tried, at seed 0.
    criterion: by what the value is chosen, a key of `choosing.CRITERIA`.
    below: further changes, at scales below the paper's.
    scale: where values are tried, if not where the study runs.
    trial: further changes of those that are tried at that other scale.
  """

  field: str
  values: tuple[Any, ...]
  criterion: str
  below: tuple[tuple[str, Any], ...] = ()
  scale: str = ''
  trial: tuple[tuple[str, Any], ...] = ()

  def changes(self, value: Any, scale: str) -> tuple[tuple[str, Any], ...]:
    """The changes of fields by which a value is tried at a scale."""
    return (*(() if scale == 'paper' else self.below), (self.field, value))


@dataclasses.dataclass(frozen=True)
class Part:
  """Runs that serve the same figures.

  Attributes:
    models: keys of `structae.config.VARIANTS`.
    figures: names of functions of `experiments.paper.figures`.
    max_seeds: how many seeds it needs at most; 0: all that are asked for.
    metrics: what the figures need scored, whatever the scale scores.
    searches: by model, what is searched in place of the learning rate; the
      figures and tables then show every value tried.
    one_rate: whether all models keep the scale's learning rate: for models of
      one kind, so alike that one suits all.
    hold_out: if set, the part is the extrapolation to these held-out values.
    changes: of fields, for every run of the part, by dotted name.
    num_checkpoints: how many states of a run are kept and validated, evenly
      over its updates; 0: the newest two.
  """

  models: tuple[str, ...]
  figures: tuple[str, ...] = ()
  max_seeds: int = 0
  metrics: tuple[str, ...] = ()
  searches: Mapping[str, Search] = dataclasses.field(default_factory=dict)
  one_rate: bool = False
  hold_out: str = ''
  changes: tuple[tuple[str, Any], ...] = ()
  num_checkpoints: int = 0


@dataclasses.dataclass(frozen=True)
class Study:
  """What a study shows, in one sentence, and its parts.

  Attributes:
    shows: the sentence.
    parts: the parts.
    small: the parts at scales below the paper's, if others.
    data: the data set it is made for.
    is_matched: whether models are also scored at the same reconstruction, see
      `matched`; their parts then keep checkpoints.
  """

  shows: str
  parts: tuple[Part, ...]
  small: tuple[Part, ...] = ()
  data: str = 'shapes3d_synth'
  is_matched: bool = False


# At the quick scale the paper's learning rate, chosen for 100,000 updates, is
# not the best of every model; each gets the best of the same five, so that no
# model is compared at a rate that suits another: hourglasses do best at the
# lower ones, and collapse at the highest. The hour scale has the same networks
# and more updates, which are too many to try: it takes what is best after a few
# at quick, of which nothing but the validation loss is wanted.
RATES = Search(
  'train.learning_rate', (3e-4, 5e-4, 9e-4, 1.5e-3, 2.2e-3), 'reconstruction'
)
TRIED_AT = {'quick': 'quick', 'hour': 'quick'}
_BRIEF = (
  ('train.num_steps', 2000),
  ('evaluation.metrics', ()),
  ('evaluation.num_train', 512),
  ('evaluation.num_validation', 128),
  ('evaluation.num_test', 256),
  ('evaluation.num_samples', 32),
  ('evaluation.num_fid_images', 16),
)

# What stands for a variant where codes have 32 numbers and halves 16 blocks;
# those of 3 and 6 variables have no counterpart there.
AT_128 = {
  'sae12': 'sae16', 'sae6': 'sae8', 'sae3': '',
  'vlae12': 'vlae16', 'vlae6': '', 'vlae3': '',
  'adaae12': 'adaae16', 'adaae6': '', 'adaae3': '',
}  # fmt: skip

_BASELINES = ('ae', 'vae', 'bvae', 'wae', 'fvae', 'tcvae')
_ALL = (
  'sae12', 'sae6', 'sae4', 'sae3', 'sae2',
  'adaae12', 'adaae6', 'adaae4', 'adaae3', 'adaae2',
  'vlae12', 'vlae6', 'vlae4', 'vlae3', 'vlae2',
  *_BASELINES,
)  # fmt: skip
_FAMILIES = ('sae12', 'sae6', 'adaae12', 'vlae12', *_BASELINES)
_FIVE = ('sae12', 'vlae12', 'ae', 'vae', 'adaae12')
_EXTRAPOLATED = ('sae12', 'sae6', 'vlae12', 'ae', 'vae', 'bvae', 'wae')
_FOUR = ('sae12', 'vlae12', 'ae', 'vae')
_OF_VARIABLES = ('variable_effect', 'order')
_DISENTANGLEMENT = ('mig', 'modularity', 'explicitness', 'dci', 'irs', 'sap')

# Of 10,000 codes to fit and 5,000 to score, as the paper's.
_ALL_SCORES = (
  ('evaluation.metrics', ('all',)),
  ('evaluation.points', 'full'),
)

# The weights that the paper tried (appendix A.2.2).
_BETAS = (2.0, 4.0, 6.0, 8.0, 16.0)
_GAMMAS = (10.0, 20.0, 40.0, 80.0)
# At the rate of the quick scale an hourglass collapses.
_BELOW = (('train.learning_rate', 5e-4),)
_WEIGHTS = {
  'bvae': Search('objective.beta', _BETAS, 'bound', _BELOW),
  'tcvae': Search('objective.beta_tc', _BETAS, 'bound', _BELOW),
  'fvae': Search('objective.gamma', _GAMMAS, 'bound', _BELOW),
}

# Of the training examples, those whose factors the loss sees.
_FRACTIONS = (0.0, 0.01, 0.1)
_LABELS = {
  'lsae12': Search('labels.fraction', _FRACTIONS, 'reconstruction'),
  'lvae': Search('labels.fraction', _FRACTIONS, 'reconstruction', _BELOW),
}

_PAPER = {
  'reconstruction': Study(
    'How well every model reconstructs (figure 2).',
    (Part(_ALL, ('reconstruction_quality',)),),
  ),
  'samples': Study(
    'How good samples are, hybrid and of the prior (figure 3).',
    (Part(_ALL, ('sample_quality',), metrics=('fid',)),),
  ),
  'traversals': Study(
    'What each number of a code changes, in the order of the decoder '
    '(figures 4, 11, 13-15, 18).',
    (
      Part(
        ('sae12', 'sae6', 'sae3', 'vlae12', 'adaae12', 'ae', 'vae'),
        ('traversals',),
        max_seeds=1,
      ),
    ),
  ),
  'disentanglement': Study(
    'How disentangled codes are, over seeds (figures 5, 10).',
    (
      Part(
        ('sae12', 'sae6', 'sae4', 'vlae12', 'adaae12', *_BASELINES),
        ('disentanglement',),
        metrics=_DISENTANGLEMENT,
      ),
    ),
  ),
  'controllable': Study(
    'Samples that keep all but a quarter of their variables (figure 6a; the '
    "paper's are of celeba).",
    (Part(('sae12',), ('controllable',), max_seeds=1),),
  ),
  'sheets': Study(
    "Hybrid and prior samples side by side (figures 6b, 17; the paper's are "
    'of celeba).',
    (
      Part(
        ('sae12', 'adaae12', 'vlae12', 'ae', 'vae', 'wae'),
        ('sample_sheets',),
        max_seeds=1,
      ),
    ),
  ),
  'bce_fid': Study(
    'Cross entropy against the FID of reconstructions, a point per seed '
    '(figure 8).',
    (
      Part(
        ('sae12', 'sae6', 'sae4', 'vlae12', 'adaae12', *_BASELINES),
        ('bce_against_fid',),
        metrics=('fid',),
      ),
    ),
  ),
  'unused': Study(
    'How much each variable changes the picture, in the order of the decoder, '
    'and which none (appendix A.3.1).',
    (
      Part(
        ('sae12', 'sae6', 'vlae12', 'vae'),
        ('unused_variables',),
        metrics=_OF_VARIABLES,
      ),
    ),
  ),
  'extrapolation': Study(
    'Learning a held-out ball or camera angle with the encoder, the decoder, '
    'both or neither (figures 7, 12).',
    (
      Part(_EXTRAPOLATED, ('extrapolation',), hold_out='shape'),
      Part(_EXTRAPOLATED, ('extrapolation',), hold_out='camera'),
    ),
    # To try five rates of each model would be 20 more trainings.
    small=tuple(
      Part(_FOUR, ('extrapolation',), hold_out=what, one_rate=True)
      for what in ('shape', 'camera')
    ),
  ),
}

# At the paper's scale everything; below it five models and one extrapolation
# of four.
_UNION = tuple(part for study in _PAPER.values() for part in study.parts)
_SMALL_UNION = (
  Part(
    _FIVE,
    (
      'reconstruction_quality',
      'sample_quality',
      'traversals',
      'disentanglement',
      'controllable',
      'sample_sheets',
      'bce_against_fid',
      'unused_variables',
    ),
    metrics=(*_DISENTANGLEMENT, *_OF_VARIABLES),
  ),
  Part(_FOUR, ('extrapolation',), max_seeds=1, hold_out='shape'),
)

STUDIES: dict[str, Study] = {
  **_PAPER,
  'mpi3d': Study(
    'Disentanglement and completeness on MPI3D-Toy (appendix).',
    (Part(_ALL, ('mpi3d_toy',), metrics=('dci',)),),
    data='mpi3d_toy',
  ),
  'families': Study(
    'The families side by side, each at the best of five learning rates: '
    'figures of merit over seeds, and pictures.',
    (Part(_FAMILIES, ('families',)),),
  ),
  'record': Study(
    'The families side by side, over seeds, by every score: at the end of '
    'training, and where each reconstructs as well as the worst of them.',
    (
      Part(
        _FIVE,
        ('families', 'unused_variables'),
        changes=_ALL_SCORES,
        num_checkpoints=40,
      ),
      Part(
        tuple(model for model in _FAMILIES if model not in _FIVE),
        ('families',),
        max_seeds=2,
        changes=_ALL_SCORES,
        num_checkpoints=40,
      ),
    ),
    is_matched=True,
  ),
  'graph': Study(
    'A decoder along the graph of a scene (room, object and background, '
    'colours) beside the chain of as many variables (appendix A.1).',
    (
      Part(
        ('sae4', 'graph4'),
        ('families', 'disentanglement', 'traversals', 'unused_variables'),
        metrics=(*_DISENTANGLEMENT, 'variable_effect'),
        one_rate=True,
      ),
    ),
  ),
  'search': Study(
    'The weights beta and gamma that the paper tried, at one learning rate, '
    'and which is best on the validation split (appendix A.2.2).',
    (Part(tuple(_WEIGHTS), searches=_WEIGHTS, max_seeds=1),),
  ),
  'supervision': Study(
    'What labels of none, one and ten in a hundred examples do to codes, with '
    'and without a structural decoder (not of the paper).',
    (
      Part(
        tuple(_LABELS),
        ('disentanglement',),
        metrics=(*_DISENTANGLEMENT, 'mig_periodic'),
        searches=_LABELS,
      ),
    ),
  ),
  'paper': Study(
    'Every figure of the paper but that of MPI3D; below its scale of five '
    'models, and the extrapolation to the ball.',
    _UNION,
    small=_SMALL_UNION,
  ),
}


def parts(study: Study, scale: str) -> tuple[Part, ...]:
  """The parts of a study at a scale."""
  return study.small if study.small and scale != 'paper' else study.parts


def rates(scale: str) -> Search | None:
  """How learning rates are searched at a scale; None where they are not."""
  at = TRIED_AT.get(scale)
  if at is None:
    return None
  if at == scale:
    return RATES
  return dataclasses.replace(RATES, scale=at, trial=_BRIEF)


def models(part: Part, preset: str) -> tuple[str, ...]:
  """The models of a part on data of a preset, see `config.PRESETS`."""
  if preset not in ('128px', 'rfd'):
    return part.models
  return tuple(filter(None, (AT_128.get(m, m) for m in part.models)))
