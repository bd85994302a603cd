"""Trained models from folders, and into them."""

import os
from pathlib import Path

from structae import devices, hub, saved_model
from structae.config import saved
from structae.model import Model
from structae.run import Run


def load_pretrained(folder: str | os.PathLike) -> Model:
  """Opens a trained model: a saved one, or the folder of a run.

  Of a run, the newest checkpoint is read that its seal confirms, and its stored
  codes; its data are not needed.

  Args:
    folder: what `save_pretrained` wrote, or the folder of a run; or
      `hf://OWNER/NAME[@REVISION]`, a saved model on the Hugging Face hub, which
      is fetched once.

  Returns:
    The model.

  Raises:
    ValueError: one line: what is missing, damaged, of another model or of a
      later version, or cannot be fetched.
    extras.Missing: if what fetches models is not installed.
  """
  folder = hub.fetch(folder) if hub.is_on_hub(folder) else Path(folder)
  config, content = saved.read(folder / 'config.json')
  devices.check()
  if 'format' not in content:
    return Run(folder).model()
  try:
    return Model(config, *saved_model.read(folder, content))
  except ValueError as error:
    raise ValueError(_named(folder, error)) from error


def _named(folder: Path, error: ValueError) -> str:
  """An error that names the folder it is about."""
  text = str(error)
  return text if str(folder) in text else f'{folder}: {text}'


def save_pretrained(folder: str | os.PathLike, model: Model) -> Path:
  """Writes a model as a folder, whole or not at all.

  It holds `config.json`, `model.safetensors` (float32, dotted names; the stored
  codes as `pool`) and `README.md`, a page to publish it with, which shows
  `samples.png`. No local path is written.

  Args:
    folder: where to; it must be new, or empty.
    model: what to write.

  Returns:
    The folder.

  Raises:
    ValueError: if there is something already.
  """
  return model.save(folder)
