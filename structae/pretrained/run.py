"""The model of a run, from its folder alone: no data, no optimizer."""

import json
import logging
import warnings
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from structae import sampling
from structae.config import ConfigError
from structae.evaluation import codes as saved
from structae.pretrained import tensors
from structae.pretrained.model import Pretrained
from structae.training import checkpoint


def open_run(folder: Path, config: Any, content: dict[str, Any]) -> Pretrained:
  """Reads the newest sound checkpoint of a run, and its stored codes.

  Args:
    folder: the folder of the run.
    config: its configuration.
    content: its `config.json`.

  Returns:
    The model.

  Raises:
    ValueError: if there is no sound checkpoint, or it is of another model.
  """
  path = _newest(folder)
  flat, step = _read(path, config)
  about = {
    key: content[key] for key in ('name', 'config_hash', 'digests', 'versions')
    if key in content
  } | {'step': step, 'scores': _scores(folder, step)}  # fmt: skip
  pool = _pool(folder / 'codes' / 'train.npz', config, about)
  return Pretrained(config, tensors.unflatten(flat), pool, about)


def _newest(folder: Path) -> Path:
  """The newest checkpoint that its seal confirms; warns of newer ones."""
  path, skipped = checkpoint.newest_sound(folder / 'checkpoints')
  if path is None and not skipped:
    raise ConfigError(f'{folder} holds no checkpoint; train it first')
  if path is None:
    raise ConfigError(f'{folder}: {"; ".join(skipped)}; train it again')
  for line in skipped:
    warnings.warn(f'{folder}: {line}', stacklevel=2)
  return path.absolute()


def _read(path: Path, config: Any) -> tuple[dict[str, np.ndarray], int]:
  """Parameters of encoder and decoder, and the updates that made them."""
  import orbax.checkpoint as ocp

  logging.getLogger('absl').setLevel(logging.ERROR)  # Orbax tells its steps
  try:
    with ocp.PyTreeCheckpointer() as reader:
      held: Any = reader.metadata(path)
      held = getattr(held, 'item_metadata', held)
      held = getattr(held, 'tree', held)
      halves = {half: held['params'][half] for half in ('encoder', 'decoder')}
      tensors.check(config, tensors.flatten(halves))
      asked = {'step': held['step'], 'params': halves}
      # As numpy, so that it does not matter on which devices it was saved.
      numpy = ocp.RestoreArgs(restore_type=np.ndarray)
      found = reader.restore(
        path,
        args=ocp.args.PyTreeRestore(
          item=jax.tree.map(lambda _: 0, asked),
          restore_args=jax.tree.map(lambda _: numpy, asked),
          transforms={},  # what is not asked for is not read
        ),
      )
  except Exception as error:  # Orbax and TensorStore raise what they like
    line = (str(error).strip() or repr(error)).splitlines()[0]
    raise ConfigError(f'{path} cannot be read: {line}') from error
  return tensors.flatten(found['params']), int(found['step'])


def _pool(path: Path, config: Any, about: dict[str, Any]) -> Any:
  """The stored codes that the run's own samples recombine.

  None, with a warning, where the codes are of another state of the run.
  """
  if not path.is_file():
    return None
  codes = saved.load(path)
  for key in ('step', 'config_hash'):
    if codes.meta.get(key) != about[key]:
      warnings.warn(
        f'{path} is of {key} {codes.meta.get(key)}, the checkpoint of '
        f'{about[key]}; the model is loaded without stored codes.',
        stacklevel=4,
      )
      return None
  drawing = jax.random.fold_in(jax.random.key(config.seed), 1)
  size = min(config.evaluation.pool_size, len(codes.codes))
  return sampling.pool(
    jax.random.split(drawing)[0], jnp.asarray(codes.codes), size
  )


def _scores(folder: Path, step: int) -> dict[str, Any]:
  """The scores of the run by name: `value`, `n` and `definition`."""
  path = folder / 'scores.json'
  if not path.is_file():
    return {}
  try:
    content = json.loads(path.read_text('utf-8'))
    if content.get('step', step) != step:
      return {}
    return {
      name: {k: entry[k] for k in ('value', 'n', 'definition') if k in entry}
      for name, entry in content['scores'].items()
      if entry.get('value') is not None
    }
  except (ValueError, KeyError, TypeError, AttributeError) as error:
    raise ConfigError(f'{path} is damaged: {error!r}') from error
