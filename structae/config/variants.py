"""The variants of the paper, and more: one table, a row a model.

Source: Leeb et al., https://arxiv.org/abs/2006.07796, section 3 and appendix
A.2.
"""

import difflib
from collections.abc import Callable
from typing import Any, NamedTuple

import ml_collections

from structae.config import scales
from structae.config.errors import ConfigError
from structae.config.presets import PRESETS, WITH_RELEASED_FORM
from structae.config.resolve import default_config, update
from structae.data import catalog

# In place of a number of variables: each number of a code is a variable.
_EACH = 'model.num_latents'


class Variant(NamedTuple):
  """One model.

  Attributes:
    fields: what it changes of the defaults, by dotted name.
    family: a key of `PRESETS`, the settings where neither data set nor token
      asks for others.
  """

  fields: dict[str, Any]
  family: str = '64px'


def _sae(num_variables: int) -> dict[str, Any]:
  """A structural decoder, the code of which has K variables."""
  return {
    'model.decoder': 'structural',
    'model.num_variables': num_variables,
  }


def _adaae(num_stages: int) -> dict[str, Any]:
  """The same decoder, but that each Str-Tfm layer reads the whole code."""
  return {
    'model.decoder': 'adaptive',
    'model.num_variables': _EACH,
    'model.num_stages': num_stages,
  }


def _vlae(num_variables: int) -> dict[str, Any]:
  """A ladder, whose variables leave and enter at depths of their own."""
  return {
    'model.encoder': 'ladder',
    'model.decoder': 'ladder',
    'model.num_variables': num_variables,
    'objective.name': 'beta_vae',
    'objective.beta': 1.0,
  }


def _graph(graph: str, num_variables: int) -> dict[str, Any]:
  """A decoder along a graph, see `config.graphs`."""
  return {
    'model.decoder': 'graph',
    'model.graph': graph,
    'model.num_variables': num_variables,
  }


def _hourglass(objective: str, **weights: float) -> dict[str, Any]:
  """A decoder that reads all numbers of a code at its start."""
  return {
    'model.decoder': 'hourglass',
    'model.num_variables': _EACH,
    'objective.name': objective,
    **{f'objective.{name}': value for name, value in weights.items()},
  }


_LABELS = {'labels.weight': 10.0, 'labels.fraction': 0.1}

VARIANTS = {
  'sae2': Variant(_sae(2)),
  'sae3': Variant(_sae(3)),
  'sae4': Variant(_sae(4)),
  'sae6': Variant(_sae(6)),
  'sae8': Variant(_sae(8), '128px'),
  'sae12': Variant(_sae(12)),
  'sae16': Variant(_sae(16), '128px'),
  'adaae2': Variant(_adaae(2)),
  'adaae3': Variant(_adaae(3)),
  'adaae4': Variant(_adaae(4)),
  'adaae6': Variant(_adaae(6)),
  'adaae12': Variant(_adaae(12)),
  'adaae16': Variant(_adaae(16), '128px'),
  'vlae2': Variant(_vlae(2)),
  'vlae3': Variant(_vlae(3)),
  'vlae4': Variant(_vlae(4)),
  'vlae6': Variant(_vlae(6)),
  'vlae12': Variant(_vlae(12)),
  'vlae16': Variant(_vlae(16), '128px'),
  # Not the paper's: hybrids that the encoder finds again in their images.
  'csae12': Variant(_sae(12) | {'objective.consistency': 1.0}),
  # Labels of a tenth of the examples; `labels.fraction` says of how many.
  'lsae12': Variant(_sae(12) | _LABELS),
  'lvae': Variant(_hourglass('beta_vae', beta=1.0) | _LABELS),
  # Pairs of a batch that share all factors but one; nobody says which.
  'pairsae12': Variant(_sae(12) | {'labels.pairs': 1}),
  'adagvae': Variant(_hourglass('beta_vae', beta=1.0) | {'labels.pairs': 1}),
  'ae': Variant(_hourglass('autoencoding')),
  'vae': Variant(_hourglass('beta_vae', beta=1.0)),
  'bvae': Variant(_hourglass('beta_vae')),
  'wae': Variant(_hourglass('wae')),
  'fvae': Variant(_hourglass('factor_vae')),
  'tcvae': Variant(_hourglass('beta_tcvae')),
  # Beyond the paper: a scene, in place of a chain of four variables.
  'graph4': Variant(
    _graph(
      'room; object: room; background: room; colours: object, background', 4
    )
  ),
  'dipvae1': Variant(_hourglass('dip_vae_i', dip_variance=100.0)),
  'dipvae2': Variant(_hourglass('dip_vae_ii')),
  'avae': Variant(_hourglass('annealed_vae')),
}


def variant(name: str) -> Callable[..., ml_collections.ConfigDict]:
  """The `get_config` of a config file: maps tokens to the configuration."""
  return lambda tokens='': get_config(name, tokens)


def get_config(name: str, tokens: str = '') -> ml_collections.ConfigDict:
  """A variant on the data set and at the scale of the tokens.

  Args:
    name: a key of `VARIANTS`.
    tokens: names of a data set, a size, a scale and a preset, comma-separated,
      in any order; see `scales.TOKENS`.

  Returns:
    The configuration, every field of which may be changed.

  Raises:
    ConfigError: on a name that is no variant, a token that is none of them, or
      two of a kind.
  """
  if name not in VARIANTS:
    close = difflib.get_close_matches(name, VARIANTS, 1)
    hint = f'did you mean {close[0]}? ' if close else ''
    raise ConfigError(
      f'{name!r} is no model; {hint}there are {", ".join(VARIANTS)}'
    )
  chosen = VARIANTS[name]
  config = _base(scales.parse(tokens), chosen.family)
  for field, value in chosen.fields.items():
    update(
      config, {field: config.model.num_latents if value == _EACH else value}
    )
  if config.model.preset == 'released':
    has_form = config.objective.name in WITH_RELEASED_FORM
    config.objective.released = has_form
  if config.objective.name == 'annealed_vae':
    # A number of its own, lest the first updates change with the last.
    config.objective.capacity_steps = min(
      config.objective.capacity_steps, config.train.num_steps
    )
  if config.model.decoder == 'hourglass' and config.scale != 'paper':
    config.train.learning_rate = scales.HOURGLASS_RATE
  return config


def _base(named: dict[str, str], family: str) -> ml_collections.ConfigDict:
  """The settings that variants share, on a data set and at a scale."""
  data_set = catalog.get(named.get('data set', catalog.DEFAULT))
  preset = named.get('preset')
  if data_set.preset != '64px':
    family = data_set.preset
  family = named.get('size', family)
  if preset in PRESETS:
    family = preset
  config = default_config()
  config.scale = named.get('scale', 'paper')
  config.data.name = data_set.name
  if preset == 'released':
    config.model.preset = preset
  update(config, PRESETS[family])
  size = config.data.size
  update(config, scales.SCALES[config.scale])
  if data_set.sizes and config.data.size not in data_set.sizes:
    config.data.size = size  # a scale's smaller images, where there are any
  return config
