"""How runs, scores and figures are called and ordered on pages."""

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from structae.evaluation import definitions, uncertainty
from structae.figures import grids, models
from structae.run import Run

# File stem: (title, caption), in the order of a page.
FIGURES = {
  'reconstructions': (
    'Reconstructions',
    'Held-out images above what the model makes of their codes.',
  ),
  'hybrid': (
    'Hybrid samples',
    'Every variable is taken from another training image, at random. No '
    'prior is needed.',
  ),
  'partial_hybrid': (
    'Partial hybrids',
    'The first image of a row keeps its code; in the others the variables '
    'named on the left are taken from other images.',
  ),
  'hybrid_by_dimension': (
    'Hybrids of single numbers',
    'Every number of a code, not every variable, is taken from another '
    'training image.',
  ),
  'prior': ('Samples of the prior', 'Codes drawn from the prior.'),
  'interpolations': (
    'Interpolations',
    'From one image to another on a straight line between their codes.',
  ),
  'traversals': (
    'Traversals',
    'A row for each number of a code, from its lowest observed value to its '
    'highest, all others held.',
  ),
  'mutual_information': (
    'Mutual information',
    'How much each number of a code knows about each factor, in nats.',
  ),
  'importance': (
    'Importance',
    'How much each number of a code serves to predict each factor.',
  ),
  'variable_effect': (
    'Effect of variables',
    'How much the image changes if a variable alone is replaced by that of '
    'another example, as a share of the variance of images.',
  ),
  'scene_break': (
    'Which variable breaks hybrids',
    'How much farther from the nearest true scene reconstructions are once one '
    'variable alone is that of another example.',
  ),
  'fid_break': (
    'Which variable breaks hybrids, by FID',
    'How much larger the FID of reconstructions is once one variable alone is '
    'that of another example.',
  ),
  'irs_matrix': (
    'Robustness',
    'How little other factors move a number while this one is held, 0 to 1; '
    'the largest of a row makes IRS.',
  ),
  'squared_correlation': (
    'Squared correlation',
    'How much of each factor a straight line reads from a number, 0 to 1.',
  ),
  'latent_information': (
    'Information between numbers',
    'How much each number of a code knows about each other, in nats; on the '
    'diagonal its own entropy.',
  ),
  'distance_correlation_matrix': (
    'Distance correlation',
    'How dependent each variable is on each other, 0 to 1.',
  ),
  'normalized_information': (
    'Normalized information',
    "What share of a factor's entropy each number knows, 0 to 1.",
  ),
  'votes': (
    'Votes of the FactorVAE score',
    'Of how many batches in which a factor was held each number varied least.',
  ),
  'accuracy': (
    'Accuracy of one number',
    'How often a linear classifier reads each factor right from a number.',
  ),
  'variable_information': (
    'Information of variables',
    'How much each whole variable knows about each factor, in nats.',
  ),
  'variable_importance': (
    'Importance of variables',
    'How much each whole variable serves to predict each factor.',
  ),
}

# Stems of plots that the page draws itself, to fit its light or dark look.
REDRAWN = {
  'loss': 'rows',
  'mutual_information': 'matrices',
  'importance': 'matrices',
  'variable_effect': 'matrices',
  'scene_break': 'matrices',
  'fid_break': 'matrices',
}

# What to put first; the rest follow in the order of the file.
_HEADLINES = (
  'test_bce',
  'bce',
  'test_mse',
  'mse',
  'explained_variance',
  'mig',
  'disentanglement',
  'dci_disentanglement',
  'fid_hybrid',
  'fid',
  'scene_distance_hybrid',
)
_ACRONYMS = {
  'bce', 'mse', 'mig', 'dci', 'irs', 'sap', 'fid', 'kid', 'mi', 'kl', 'mmd',
  'ae', 'sae', 'vae', 'wae', 'vlae', 'tcvae',
}  # fmt: skip
# What is not written as its words are.
_SPELLINGS = (
  (r'^info([mce])$', lambda match: f'Info{match[1].upper()}'),
  (r'^(factor|beta) vae\b', lambda match: f'{match[1].capitalize()}VAE'),
  (r'^(fid|kid|precision|recall) rec$', r'\1 reconstruction'),
  (r'\bU \d+$', lambda match: grids.number_name(match[0].replace(' ', '_'))),
)


def words(name: str) -> str:
  """`test_bce` as `Test BCE`."""
  text = ' '.join(name.replace('_', ' ').split())
  for pattern, spelling in _SPELLINGS:
    text = re.sub(pattern, spelling, text)
  parts = text.split()
  parts = [p.upper() if p.lower() in _ACRONYMS else p for p in parts]
  text = ' '.join(parts)
  return text[:1].upper() + text[1:]


def score_name(name: str, score: Mapping[str, Any]) -> str:
  """`test_bce` as `Test BCE ↓`: with an arrow where a direction is better."""
  arrow = definitions.arrow(name, score)
  return words(name) + f'\N{NO-BREAK SPACE}{arrow}' * bool(arrow)


def number(value: float | None) -> str:
  """Four significant digits, with thousands separated."""
  if value is None or not math.isfinite(value):
    return 'n/a'
  if value and not 1e-4 <= abs(value) < 1e7:
    return f'{value:.3e}'
  digits = 0 if not value else 3 - math.floor(math.log10(abs(value)))
  return f'{value:,.{min(max(digits, 1 if value % 1 else 0), 7)}f}'


def mean_and_deviation(mean: float, deviation: float) -> str:
  """Both with the decimals of the mean."""
  text = number(mean)
  if 'e' in text or not math.isfinite(mean):
    return f'{text} ± {number(deviation)}'
  decimals = len(text.partition('.')[2])
  return f'{text} ± {deviation:,.{decimals}f}'


def over_seeds(values: np.ndarray) -> str:
  """The mean and the deviation of the sample, if there are several."""
  if not values.size:
    return '–'
  if values.size == 1:
    return number(values[0])
  return mean_and_deviation(values.mean(), values.std(ddof=1))


def interval(values: np.ndarray) -> str:
  """The 95 % interval of a mean over seeds; '' below three."""
  if values.size < uncertainty.FEWEST:
    return ''
  found = uncertainty.mean(values)
  return f'95 %: {number(found.low)} to {number(found.high)}'


def headlines(scores: dict[str, Any], count: int = 4) -> list[str]:
  """The names of the scores to show first."""
  known = [name for name in _HEADLINES if name in scores]
  return (known + [name for name in scores if name not in known])[:count]


def title(run: Run) -> str:
  """The model and the data of a run, as far as its configuration says."""
  model, data = model_title(run), run.field('data.name')
  return f'{model} on {data}' if data else model


def model_title(run: Run) -> str:
  """The model of a run, or else its folder."""
  name = run.name or run.field('model.name')
  return model_name(name) if name else run.folder.resolve().name


def data_title(run: Run) -> str:
  """The data of a run, with the size of its images; scores on others differ."""
  name, size = run.field('data.name'), run.field('data.size')
  return f'{name}, {size} × {size}' if name and size else str(name or '')


def model_name(name: Any) -> str:
  """`sae12` as `SAE-12`, as `models` calls it."""
  return models.title(str(name)) or words(str(name))


def facts(run: Run) -> list[str]:
  """Short facts for under the title."""
  known = {
    'scale': '{} scale',
    'data.size': '{0} × {0} pixels',
    'model.num_variables': '{} variables',
    'train.num_steps': '{:,} steps',
    'seed': 'seed {}',
  }
  values = {text: run.field(path) for path, text in known.items()}
  return [
    text.format(value)
    for text, value in values.items()
    if isinstance(value, int | str)
    and not (',' in text and value == str(value))
  ]


def figure_title(stem: str) -> str:
  """The title of a figure by the stem of its file."""
  return FIGURES[stem][0] if stem in FIGURES else words(stem)


def caption(stem: str) -> str:
  """The caption of a figure by the stem of its file, if it has one."""
  return FIGURES[stem][1] if stem in FIGURES else ''
