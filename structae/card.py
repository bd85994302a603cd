"""The page about a saved model, in the form that model hubs show."""

from collections.abc import Mapping
from typing import Any

from structae import markdown
from structae.data import catalog

_SAE = (
  'Leeb et al., *Structure by Architecture: Structured Representations without '
  'Regularization*, ICLR 2023, https://arxiv.org/abs/2006.07796'
)
_OBJECTIVES = {
  'beta_vae': (
    'Higgins et al., *beta-VAE*, ICLR 2017; Kingma and Welling, '
    'https://arxiv.org/abs/1312.6114'
  ),
  'wae': 'Tolstikhin et al., https://arxiv.org/abs/1711.01558',
  'beta_tcvae': 'Chen et al., https://arxiv.org/abs/1802.04942',
  'factor_vae': 'Kim and Mnih, https://arxiv.org/abs/1802.05983',
}
_LADDER = 'Zhao, Song and Ermon, https://arxiv.org/abs/1702.08396'
_DECODERS = {
  'structural': 'a structural decoder (each layer reads a variable of its own)',
  'adaptive': 'an adaptive decoder (every layer reads the whole code)',
  'ladder': 'a ladder (each variable leaves and enters at a depth of its own)',
  'hourglass': 'an hourglass decoder (the whole code enters at the start)',
  'graph': 'a decoder along a graph (each variable acts on its parents)',
}


def text(
  model: Any, about: Mapping[str, Any], folder: str, sheet: str = ''
) -> str:
  """Writes the page.

  Args:
    model: a `structae.Model`.
    about: where it comes from; see `Model.about`.
    folder: the name of its folder.
    sheet: the name of the file in it that shows new images, if there is one.

  Returns:
    Markdown.
  """
  config = model.config
  data = catalog.get(config.data.name)
  parts = [
    _header(data),
    f'# {markdown.text(about["name"])}, trained on {data.name}',
    _what(model),
    f'![New images that the model draws]({sheet})' if sheet else '',
    _USE.format(
      name=repr(folder),
      examples=_sampling(model),
      shape=', '.join(map(str, ('B', *model.image_shape))),
      variables=', '.join(map(str, ('B', *model.code_shape))),
      kind='floats' if config.data.size == 1 else 'uint8 or floats in [0, 1]',
    ),
    '## Data\n\n' + _data(config, data),
    '## Training\n\n' + _training(config, about),
    _scores(about.get('scores') or {}),
    _FILES,
    '## Citation\n\n' + _citation(config, data),
    '## Licence\n\n'
    'structae is under Apache-2.0. What the weights may be used for depends on '
    f'the data too: {data.name} is under: {data.licence or "your own terms"}.',
  ]
  return '\n\n'.join(filter(None, parts)) + '\n'


_HEADER = """---
library_name: structae
tags: [jax, autoencoder, representation-learning, disentanglement]
license: {licence}
---"""

_USE = """## Use

```python
import jax, structae

model = structae.load_pretrained({name})  # this folder
codes = model.encode(images)  # [{variables}] from [{shape}], {kind}
images = model.decode(codes)
{examples}
```"""

_FILES = """## Files

`config.json` holds the settings that build the model, and the SHA-256 of the
weights, which loading verifies. `model.safetensors` holds the parameters of
encoder and decoder by dotted names, and as `pool` the stored codes that hybrid
samples recombine. What serves training alone is left out: the
optimizer's state, and the critic where there was one. Nothing is pickled."""


def _header(data: Any) -> str:
  """What a hub reads: the licence is that of structae, or depends on data."""
  own = 'apache-2.0' if data.made_here else 'other'
  return _HEADER.format(licence=own)


def _what(model: Any) -> str:
  settings, (variables, width) = model.config.model, model.code_shape
  gaussian = model.module.gaussian
  examples = 'feature vectors' if len(model.image_shape) == 1 else 'images'
  shape = 'x'.join(map(str, model.image_shape))
  numbers = 'one number' if width == 1 else f'{width} numbers'
  posterior = 'a Gaussian, of which `encode` gives the mean' * gaussian
  return (
    f'An autoencoder of {shape} {examples} with {_DECODERS[settings.decoder]}. '
    f'A code has {variables} variables of {numbers} each'
    + (f'; its posterior is {posterior}' if gaussian else '')
    + '.'
    + (
      f' Variables with parents: `{settings.graph}`.' if settings.graph else ''
    )
    + f' Objective: `{model.config.objective.name}`.'
  )


def _sampling(model: Any) -> str:
  lines = [
    f"new = model.sample(jax.random.key(0), 64, kind='{kind}')"
    for kind in model.kinds
  ]
  return '\n'.join(lines)


def _data(config: Any, data: Any) -> str:
  lines = [f'{data.title} (`{data.name}`), at {config.data.size} pixels.']
  if config.data.size == 1:
    lines = [f'{data.title} (`{data.name}`), feature vectors.']
  if data.homepage:
    lines.append(f'{data.homepage}.')
  if data.note and not data.files:
    lines.append(data.note)
  kept = '' if config.data.hold_out == 'none' else (
    f' Held out everywhere: {config.data.hold_out}.')  # fmt: skip
  lines.append(
    f'Split: {config.data.split}, seed {config.data.split_seed}.{kept}'
  )
  return ' '.join(lines)


def _training(config: Any, about: Mapping[str, Any]) -> str:
  train = config.train
  versions = about.get('versions') or {}
  listed = ', '.join(
    markdown.text(f'{name} {v}') for name, v in versions.items()
  )
  steps = about.get('step', train.num_steps)
  steps = f'{steps:,}' if isinstance(steps, int) else steps
  line = (
    f'{markdown.text(steps)} updates of {train.batch_size} examples, Adam at '
    f'{train.learning_rate:g} ({train.schedule}), seed {config.seed}, '
    f'configuration {markdown.text(about["config_hash"])}.'
  )
  return f'{line} Made with {listed}.' if listed else line


def _scores(scores: Mapping[str, Any]) -> str:
  if not scores:
    return ''
  rows = [
    [
      markdown.code(name),
      f'{entry["value"]:.4g}',
      *(markdown.text(entry.get(key, '')) for key in ('n', 'definition')),
    ]
    for name, entry in scores.items()
  ]
  table = markdown.table(['score', 'value', 'n', 'definition'], rows)
  return f'## Scores\n\n{table}'.strip()


def _citation(config: Any, data: Any) -> str:
  sources = [_SAE]
  if config.model.decoder == 'ladder':
    sources.append(_LADDER)
  sources.append(_OBJECTIVES.get(config.objective.name, ''))
  sources.append(data.citation)
  return '\n'.join(f'- {source}' for source in sources if source)
