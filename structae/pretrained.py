"""Trained models from folders, and into them."""

import os
from pathlib import Path

from structae import devices, hub, saved_model, shipped
from structae.config import saved
from structae.model import Model
from structae.run import Run


def load_pretrained(folder: str | os.PathLike) -> Model:
  """Opens a trained model: a saved one, the folder of a run, or one of ours.

  Of a run, the newest checkpoint is read that its seal confirms, and its stored
  codes; its data are not needed.

  Args:
    folder: what `save_pretrained` wrote, the folder of a run, or the name of
      a model that comes with the package (`structae models` lists them); or
      `hf://OWNER/NAME[@REVISION]`, a saved model on the Hugging Face hub, which
      is fetched once.

  Returns:
    The model.

  Raises:
    ValueError: one line: what is missing, damaged, of another model or of a
      later version, or cannot be fetched.
    extras.Missing: if what fetches models is not installed.
  """
  on_hub = hub.is_on_hub(folder)
  folder = hub.fetch(folder) if on_hub else shipped.place(folder)
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


def save_pretrained(
  folder: str | os.PathLike, model: Model, dtype: str = 'float32'
) -> Path:
  """Writes a model as a folder, whole or not at all.

  It holds `config.json`, `model.safetensors` (dotted names; the stored codes as
  `pool`) and `README.md`, a page to publish it with, which shows `samples.png`.
  No local path is written.

  Args:
    folder: where to; it must be new, or empty.
    model: what to write.
    dtype: of the parameters in the file, 'float32' or 'float16', which takes
      half the space and is opened as float32.

  Returns:
    The folder.

  Raises:
    ValueError: if there is something already, or a parameter is beyond what
      the type holds.
  """
  return model.save(folder, dtype)
