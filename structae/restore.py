"""A trained model from the folder of its run."""

from pathlib import Path
from typing import Any, NamedTuple

from structae import assembly, build, workdir
from structae import config as config_lib
from structae.config import ConfigError
from structae.data import pipeline
from structae.doors import Trained
from structae.evaluation.codes import Codes
from structae.pretrained.configs import read as read_config
from structae.training import checkpoint


class Restored(NamedTuple):
  """A run as its folder holds it.

  Attributes:
    trained: the model, its data and its parameters.
    splits: the numbers of the images of each part.
    step: the updates that made the parameters.
    config_hash: tells its configuration from others.
    name: the name of the config file.
  """

  trained: Trained
  splits: pipeline.Splits
  step: int
  config_hash: str
  name: str


def restore(folder: Path, changes: dict[str, Any] | None = None) -> Restored:
  """Builds the model of a run and reads its newest sound checkpoint.

  Args:
    folder: the folder of the run.
    changes: fields to change, by their dotted names: of `evaluation`, since
      others would not fit the parameters.

  Returns:
    The run.

  Raises:
    ConfigError: if the folder holds no run, no sound checkpoint, or is in use.
  """
  config, content = read_config(folder)
  config_lib.update(config, changes or {})
  config_lib.check(config)
  if not any((folder / 'checkpoints').glob('*')):
    raise ConfigError(f'{folder} holds no checkpoint; train it first')
  source = build.source(config)
  workdir.check_digests(folder, build.digests(config, source))
  with workdir.locked(folder):
    mesh, splits, model, doors = assembly.assemble(config, source)
    state, _, batches = assembly.prepare(
      config, source, splits.train, model, mesh
    )
    batches.close()
    checkpoints = checkpoint.Checkpoints(folder / 'checkpoints')
    try:
      found, skipped = checkpoints.restore(checkpoint.abstract(state))
    except checkpoint.CheckpointError as error:
      raise ConfigError(str(error)) from error
  if found is None:
    raise ConfigError(f'{folder}: {"; ".join(skipped)}; train it again')
  return Restored(
    trained=Trained(config, source, doors, found.params),
    splits=splits,
    step=int(found.step),
    config_hash=content['config_hash'],
    name=content['name'],
  )


def check_codes(run: Restored, codes: dict[str, Codes]) -> None:
  """Refuses codes that are not of the checkpoint.

  Raises:
    ConfigError: names the part, and what differs.
  """
  for name, part in codes.items():
    for key, mine in (('step', run.step), ('config_hash', run.config_hash)):
      if part.meta.get(key) != mine:
        raise ConfigError(
          f'the {name} codes are of {key} {part.meta.get(key)}, the checkpoint '
          f'of {mine}; run the training command again'
        )
