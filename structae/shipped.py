"""The trained models that come with the package.

Each is a folder that `structae export RUN DIR --dtype=float16` wrote.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / 'weights'


def names() -> list[str]:
  """What `structae.load_pretrained` opens by name."""
  return sorted(path.parent.name for path in FOLDER.glob('*/config.json'))


def place(folder: str | os.PathLike) -> Path:
  """The folder of a model that comes along, if this is its name.

  A folder of that name, where one stands, comes first.
  """
  path = Path(folder)
  return path if path.exists() or str(path) not in names() else FOLDER / path
