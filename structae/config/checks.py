"""Which settings fit each other; a misfit is named with what would work."""

import math
import pathlib
from typing import Any

from structae.config import graphs, presets
from structae.config.errors import ConfigError
from structae.data import catalog, hold_out

_MOST_BLOCKS = 1024  # a file that claims more would be built for hours


def check_data(data: Any) -> None:
  """Refuses what the data set does not offer."""
  data_set = catalog.get(data.name)
  _check_path(data, data_set)
  if data.split not in data_set.splits:
    raise ConfigError(
      f'data.split is {data.split}; {data.name} offers '
      f'{_listed(data_set.splits)}'
    )
  _check_hold_out(data, data_set)
  _check_crop(data, data_set)
  _check_size(data, data_set)


def _check_hold_out(data: Any, data_set: catalog.DataSet) -> None:
  """Factors that only the files name are looked for when these are opened."""
  if data.hold_out in data_set.hold_outs:
    return
  if '=' not in data.hold_out:
    raise ConfigError(
      f'data.hold_out is {data.hold_out!r:.80}; {data.name} offers '
      f'{", ".join(data_set.hold_outs)} or values of factors: FACTOR=VALUE'
    )
  try:
    if data_set.factors:
      hold_out.parse(data.hold_out, data_set.factors)
    else:
      hold_out.entries(data.hold_out)
  except ValueError as error:
    raise ConfigError(f'data.hold_out: {error}') from error


def _check_size(data: Any, data_set: catalog.DataSet) -> None:
  # Maps are halved and doubled, so that other sizes fit no model.
  sizes = [size for size in data_set.sizes if _is_power_of_two(size)]
  if sizes and data.size not in sizes:
    raise ConfigError(
      f'data.size is {data.size}; {data.name} comes at {_listed(sizes)} pixels'
    )
  if not sizes and (data.size == 1 or not _is_power_of_two(data.size)):
    raise ConfigError(
      f'data.size is {data.size}; expected a power of two from 2'
    )


def _is_power_of_two(number: int) -> bool:
  return not number & (number - 1)


def _check_path(data: Any, data_set: catalog.DataSet) -> None:
  if not data.path:
    if data_set.needs_path:
      raise ConfigError(
        f'data.path is empty; {data.name} needs a directory of images, or an '
        '.npz or .h5 file: --config.data.path=DIR'
      )
    return
  if data_set.made_here:
    raise ConfigError(
      f'data.path is {data.path!r}, but {data.name} is made here, not read; '
      'leave it out, or name the data set of the files'
    )
  try:
    found = pathlib.Path(data.path).expanduser().exists()
  except (OSError, RuntimeError):  # a name too long; nobody's home
    found = False
  if not found:
    raise ConfigError(
      f'data.path is {data.path!r:.200}; there is no such place'
    )


def _check_crop(data: Any, data_set: catalog.DataSet) -> None:
  if not data.crop:
    return
  if data_set.crop is None:
    raise ConfigError(
      f'data.crop is {data.crop!r}; expected nothing: {data.name} has no crop'
    )
  # Numbers of pixels are written in digits.
  if data.crop not in map(str, data_set.crop.choices):
    raise ConfigError(f'data.crop is {data.crop!r}; expected {data_set.crop}')


def check_model(model: Any, size: int) -> None:
  """Refuses a model whose parts do not fit each other."""
  if model.num_blocks > _MOST_BLOCKS:
    raise ConfigError(
      f'model.num_blocks is {model.num_blocks}; expected {_MOST_BLOCKS} at most'
    )
  if model.num_latents % model.num_variables:
    raise ConfigError(
      f'model.num_variables is {model.num_variables}, which does not divide '
      f'model.num_latents {model.num_latents}; '
      f'take {_listed(_divisors(model.num_latents))}'
    )
  if model.graph and model.decoder != 'graph':
    raise ConfigError(
      f'model.graph is {model.graph!r:.80}, but a {model.decoder} decoder '
      'reads none; take --config.model.decoder=graph'
    )
  if model.decoder == 'graph':
    _check_graph(model)
  elif model.decoder == 'hourglass':
    if model.num_stages:
      raise ConfigError(
        f'model.num_stages is {model.num_stages}; an hourglass decoder has '
        'none: take 0, or the decoder structural, adaptive or ladder'
      )
  else:
    _check_stages(model, size)
  _check_stage_blocks(model)
  if model.encoder == 'ladder' and model.num_blocks % model.num_variables:
    raise ConfigError(
      f'the {model.num_variables} rungs of a ladder (model.num_variables) do '
      f'not divide the {model.num_blocks} blocks; '
      f'take {_listed(_common(model.num_blocks, model.num_latents))}'
    )
  if model.width % model.num_groups:
    raise ConfigError(
      f'model.width is {model.width}, not a multiple of model.num_groups '
      f'{model.num_groups}'
    )
  halvings = max(size.bit_length() - 2, 0)
  if model.num_blocks < halvings:
    raise ConfigError(
      f'model.num_blocks is {model.num_blocks}; {size} pixels are halved '
      f'{halvings} times, once a block'
    )


def _check_graph(model: Any) -> None:
  named = graphs.parse(model.graph)
  num = len(named.names)
  if model.num_variables != num:
    raise ConfigError(
      f'model.num_variables is {model.num_variables}; model.graph has {num} '
      f'variables: --config.model.num_variables={num}'
    )
  if model.num_stages:
    raise ConfigError(
      f'model.num_stages is {model.num_stages}; a graph decoder has one for '
      'each variable: take 0'
    )
  if named.graph.num_levels > model.num_blocks:
    raise ConfigError(
      f'model.graph has {named.graph.num_levels} variables on its longest way; '
      f'the {model.num_blocks} blocks of model.num_blocks allow no more than '
      'one a variable'
    )


def _check_stage_blocks(model: Any) -> None:
  """Blocks of each stage, or of each level of a graph."""
  if not model.stage_blocks:
    return
  given = f'model.stage_blocks is {list(model.stage_blocks)}'
  if model.decoder not in ('structural', 'adaptive', 'graph'):
    raise ConfigError(
      f'{given}; a {model.decoder} decoder spaces evenly what it has: take (), '
      'or the decoder structural, adaptive or graph'
    )
  num, of = model.num_stages or model.num_variables, 'stages'
  if model.decoder == 'graph':
    num, of = graphs.parse(model.graph).graph.num_levels, 'levels of the graph'
  if len(model.stage_blocks) != num:
    raise ConfigError(f'{given}; expected a number for each of the {num} {of}')
  if sum(model.stage_blocks) != model.num_blocks:
    raise ConfigError(
      f'{given}, {sum(model.stage_blocks)} blocks together; expected the '
      f'{model.num_blocks} of model.num_blocks'
    )


def _check_stages(model: Any, size: int) -> None:
  num_stages = model.num_stages or model.num_variables
  if model.decoder == 'ladder' and model.num_blocks % num_stages:
    raise ConfigError(
      f'{num_stages} stages (model.num_stages or model.num_variables) do not '
      f'divide the {model.num_blocks} blocks at {size} pixels; '
      f'take {_listed(_divisors(model.num_blocks))}'
    )
  if num_stages > model.num_blocks:
    raise ConfigError(
      f'{num_stages} stages (model.num_stages or model.num_variables) are more '
      f'than the {model.num_blocks} blocks at {size} pixels; expected no more '
      'than one a block'
    )
  if model.decoder != 'adaptive' and num_stages != model.num_variables:
    raise ConfigError(
      f'model.num_stages is {model.num_stages}; a {model.decoder} decoder has '
      f'one for each of its {model.num_variables} variables'
    )
  if model.decoder != 'ladder':
    return
  if model.width < 4:
    raise ConfigError(
      f'model.width is {model.width}; the rungs of a ladder take a quarter '
      'of it: at least 4'
    )
  rest = model.width - model.width // 4
  if model.preset == 'released' and rest % model.num_groups:
    raise ConfigError(
      f'model.num_groups is {model.num_groups}, which does not divide the '
      f'{rest} channels that the rungs of a released ladder leave; '
      f'take {_listed(_common(rest, model.width))}'
    )


def check_objective(config: Any) -> None:
  """Refuses what the objective does not offer."""
  objective, name = config.objective, config.objective.name
  vectors = config.data.size == 1
  if vectors and objective.likelihood == 'bernoulli':
    raise ConfigError(
      'objective.likelihood is bernoulli, for pixels; feature vectors take '
      'gaussian'
    )
  if objective.released and name not in presets.WITH_RELEASED_FORM:
    raise ConfigError(
      f'objective.released is True, but {name} has no released form; '
      'beta_vae, wae and factor_vae have'
    )
  alone = ('autoencoding', 'beta_vae', 'annealed_vae')
  if name not in alone and config.train.batch_size < 2:
    raise ConfigError(
      f'train.batch_size is {config.train.batch_size}; {name} compares the '
      'examples of a batch: at least 2'
    )
  if objective.consistency and name == 'factor_vae':
    raise ConfigError(
      f'objective.consistency is {objective.consistency}, but factor_vae takes '
      'two batches in one; take 0 or another objective'
    )
  if config.evaluation.num_prior_samples > 0 and name not in presets.WITH_PRIOR:
    raise ConfigError(
      f'evaluation.num_prior_samples is {config.evaluation.num_prior_samples}, '
      f'but {name} gives codes no prior: sample by hybrid (take -1 or 0), or '
      f'take an objective of {_listed(sorted(presets.WITH_PRIOR))}'
    )


def check_labels(config: Any) -> None:
  """Refuses labels or pairs that the data do not have, or no loss takes."""
  asked = [f'labels.{k}' for k in ('weight', 'pairs') if config.labels[k]]
  if not asked:
    return
  if config.objective.name == 'factor_vae' or config.train.num_runs > 1:
    raise ConfigError(
      f'{asked[0]} is {config.labels[asked[0][7:]]}; it goes with neither '
      'factor_vae nor train.num_runs above 1'
    )
  if config.data.storage in ('sharded', 'memmap'):
    raise ConfigError(
      f'data.storage is {config.data.storage}; {asked[0]} needs resident'
    )
  data_set = catalog.get(config.data.name)
  names = [n for n in data_set.factors if n not in data_set.constant_factors]
  if config.labels.weight:
    _check_heads(config, names)
  if config.labels.pairs:
    _check_pairs(config, names, data_set.grid)


def _check_heads(config: Any, names: list[str]) -> None:
  labels = config.labels
  factors = list(labels.factors) or names
  if not factors or not {*factors} <= {*names}:
    has = f'has {_listed(names)}' if names else 'has no factors: take weight 0'
    raise ConfigError(
      f'labels.factors is {list(labels.factors)}; {config.data.name} {has}'
    )
  variables = list(labels.variables) or [*range(1, len(factors) + 1)]
  if len({*variables}) < len(factors) or len(variables) != len(factors):
    raise ConfigError(
      f'labels.variables is {variables}; expected {len(factors)} different '
      'ones, one for each of labels.factors'
    )
  most = config.model.num_variables
  if max(variables) > most:
    raise ConfigError(
      f'labels.factors go to variables {variables}, of which there are {most} '
      '(model.num_variables); name fewer factors'
    )


def _check_pairs(config: Any, names: list[str], is_grid: bool) -> None:
  if not is_grid:
    raise ConfigError(
      f'labels.pairs is {config.labels.pairs}, but {config.data.name} does not '
      'show every combination of its factors; take 0'
    )
  if config.labels.pairs > len(names):
    raise ConfigError(
      f'labels.pairs is {config.labels.pairs}; {config.data.name} has '
      f'{len(names)} factors that can differ'
    )
  if config.train.batch_size % 2:
    raise ConfigError(
      f'train.batch_size is {config.train.batch_size}; labels.pairs takes an '
      'even number'
    )


def check_train(train: Any) -> None:
  """Refuses intervals that do not divide each other."""
  if train.validate_every % train.log_every:
    raise ConfigError(
      f'train.validate_every is {train.validate_every}, not a multiple of '
      f'train.log_every {train.log_every}'
    )
  if train.steps_per_dispatch and train.log_every % train.steps_per_dispatch:
    raise ConfigError(
      f'train.steps_per_dispatch is {train.steps_per_dispatch}, which does not '
      f'divide train.log_every {train.log_every}'
    )
  if train.seeds and not 1 < len(train.seeds) == train.num_runs:
    raise ConfigError(
      f'train.seeds is {[*train.seeds]}; expected as many as '
      f'train.num_runs, {train.num_runs}, and two at least: a single one is '
      '`seed`'
    )
  if train.warmup_steps >= train.num_steps:
    raise ConfigError(
      f'train.warmup_steps is {train.warmup_steps}; expected fewer than the '
      f'{train.num_steps} of train.num_steps'
    )


def _divisors(number: int) -> list[int]:
  return [d for d in range(1, number + 1) if number % d == 0]


def _common(a: int, b: int) -> list[int]:
  return _divisors(math.gcd(a, b))


def _listed(values: Any) -> str:
  *most, last = map(str, values)
  return f'{", ".join(most)} or {last}' if most else last
